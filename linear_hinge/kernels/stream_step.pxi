# The steps of a stream over sparse rows, batch after batch, without Python in between.

# What follows the numbers of the iterate.
cdef enum:
    WEIGHT_SEEN = ITERATE_NUMBERS
    STREAM_NUMBERS


cdef struct Stream:
    # What the steps of a stream read and change, with the memory of one batch.
    Py_ssize_t K
    double alpha, margin, sigma2, largest_scale
    Limits limits
    const int64_t* y
    const double* weights
    double* numbers
    double* imbalance
    double* centre
    double* shares  # ω_i / N
    int64_t* codes
    double* gram
    double* dense  # a row of X, zero between its uses
    double* held  # of the climb; its first n K numbers are the scores
    double* work


def absorb(
    RowLoss loss, Rows X, const int64_t[::1] rows, Py_ssize_t batch_size, const int64_t[::1] y, const double[::1] weights,
    real[:, ::1] coef, lag, real[::1] intercept, real[::1] average, double[::1] imbalance,
    double[::1] centre, double[::1] numbers, double alpha, double margin, double sigma2, double largest_scale,
    Py_ssize_t n_seen, Py_ssize_t average_after, limits
):
    """Make the steps of `stream_step.sweep` over some sparse rows.

    Parameters
    ----------
    loss : RowLoss
        The row kernel of the loss.
    X : Rows
        The rows of X, which are sparse.
    rows : ndarray of shape (n_rows,)
        The rows to visit, in this order.
    batch_size : int
        Rows of a batch.
    y : ndarray of shape (n_samples,), dtype=int64
        Codes of the classes.
    weights : ndarray of shape (n_samples,), dtype=float64
        The weights, in units of the stream.
    coef : ndarray of shape (n_features, n_scores)
        ``unscaled`` of the iterate, changed in place.
    lag : ndarray of shape (n_features, n_scores) or None
        ``lag`` of the iterate, changed in place.
    intercept, average : ndarray of shape (n_scores,)
        The intercept and its average, changed in place.
    imbalance, centre : ndarray of shape (n_scores,), dtype=float64
        The sum v and the centre c, changed in place.
    numbers : ndarray of shape (4,), dtype=float64
        ``scale``, ``scale_sum`` and ``n_averaged`` of the iterate and N, changed in place.
    alpha, margin, sigma2 : float
        The constants α and Δ, and σ².
    largest_scale : float
        How far the scale may move from one.
    n_seen, average_after : int
        Rows seen before, and the number of rows after which iterates are averaged; 0 for never.
    limits : tuple
        Those of `climb`.
    """
    cdef Py_ssize_t first, n, most = min(batch_size, rows.shape[0]), K = coef.shape[1]
    cdef double[::1] shares = np.empty(most), dense = np.zeros(X.n_features), gram = np.empty(most * most)
    cdef double[::1] held = np.empty(5 * most * K), work = np.empty(3 * (most + K))
    cdef int64_t[::1] codes = np.empty(most, np.int64)
    cdef real[::1] scores = np.empty(most * K, np.asarray(coef).dtype)
    cdef real[:, ::1] its_lag = coef if lag is None else lag
    cdef real* lag_address = NULL if lag is None else &its_lag[0, 0]
    cdef Stream at
    _require(X.is_sparse and X.is_double == (sizeof(real) == sizeof(double)) and coef.shape[0] == X.n_features > 0)
    _require(numbers.shape[0] == STREAM_NUMBERS and y.shape[0] == weights.shape[0] == X.n_rows)
    _require(its_lag.shape[0] == coef.shape[0] and its_lag.shape[1] == K)
    _require(intercept.shape[0] == average.shape[0] == imbalance.shape[0] == centre.shape[0] == K > 0)
    at.K, at.alpha, at.margin, at.sigma2, at.largest_scale = K, alpha, margin, sigma2, largest_scale
    at.limits, at.y, at.weights, at.numbers = limits_of(limits), &y[0], &weights[0], &numbers[0]
    at.imbalance, at.centre, at.shares, at.codes = &imbalance[0], &centre[0], &shares[0], &codes[0]
    at.gram, at.dense, at.held, at.work = &gram[0], &dense[0], &held[0], &work[0]
    for first in range(0, rows.shape[0], batch_size):
        n = min(batch_size, rows.shape[0] - first)
        n_seen += n
        forget(&at, &rows[first], n, coef.shape[0] * K, &coef[0, 0], lag_address)
        if X.is_wide:
            absorb_batch(
                loss, &at, &rows[first], n, <const real*>X.data, <const int64_t*>X.indices, <const int64_t*>X.indptr,
                &coef[0, 0], lag_address, &intercept[0], &scores[0],
            )
        else:
            absorb_batch(
                loss, &at, &rows[first], n, <const real*>X.data, <const int32_t*>X.indices, <const int32_t*>X.indptr,
                &coef[0, 0], lag_address, &intercept[0], &scores[0],
            )
        if 0 < average_after <= n_seen:
            add_to_average(&numbers[0], K, &intercept[0], &average[0])


cdef void forget(
    Stream* at, const int64_t* rows, Py_ssize_t n, Py_ssize_t n_coefficients, real* coef, real* lag
) noexcept nogil:
    """Shrink the past by the weight of a batch, and compute the shares ω_i of its rows."""
    cdef Py_ssize_t i, k
    cdef double total = 0, past = at.numbers[WEIGHT_SEEN]
    for i in range(n):
        at.shares[i], at.codes[i] = at.weights[rows[i]], at.y[rows[i]]
        total += at.shares[i]
    at.numbers[WEIGHT_SEEN] = past + total
    for i in range(n):
        at.shares[i] /= past + total
    for k in range(at.K):
        at.imbalance[k] *= past / (past + total)
    shrink(past / (past + total), at.largest_scale, at.numbers, n_coefficients, coef, lag)


cdef int absorb_batch(
    RowLoss loss, Stream* at, const int64_t* rows, Py_ssize_t n, const real* data, const index* columns,
    const index* indptr, real* coef, real* lag, real* intercept, real* scores
) except -1:
    """Let a batch climb the dual, and fold it into W and v."""
    cdef Py_ssize_t i, k, K = at.K
    cdef double total = 0
    cdef double* dual = at.held + 2 * n * K
    cdef real scale = <real>at.numbers[SCALE]
    with nogil:
        set_intercept(at, intercept)
        score_rows_of(rows, n, data, columns, indptr, coef, K, scores)
        for i in range(n):
            for k in range(K):
                at.held[i * K + k] = scale * scores[i * K + k] + intercept[k]
        gram_of(rows, n, data, columns, indptr, at.dense, at.gram)
        for i in range(n * n):
            at.gram[i] += at.sigma2
    climb_batch(loss, n, K, at.gram, at.held, at.codes, at.shares, at.alpha, at.margin, &at.limits, at.work)
    with nogil:
        for i in range(n):
            total += at.shares[i]
            for k in range(K):
                scores[i * K + k] = <real>(at.shares[i] * <real>dual[i * K + k])
                at.imbalance[k] += scores[i * K + k]
        move(rows, n, data, columns, indptr, scores, K, -1 / at.alpha, at.numbers, coef, lag)
        for k in range(K):  # the centre follows b as fast as the stream renews itself
            at.centre[k] -= at.sigma2 / at.alpha * at.imbalance[k] * total
        set_intercept(at, intercept)
    return 0


cdef void set_intercept(const Stream* at, real* intercept) noexcept nogil:
    cdef Py_ssize_t k
    for k in range(at.K):
        intercept[k] = <real>(at.centre[k] - at.sigma2 / at.alpha * at.imbalance[k])


cdef void gram_of(
    const int64_t* rows, Py_ssize_t n, const real* data, const index* columns, const index* indptr, double* dense,
    double* products
) noexcept nogil:
    """Compute X Xᵀ of some rows; ``dense``, as long as a row and zero, holds one of them at a time."""
    cdef Py_ssize_t i, j, p
    cdef double total
    for i in range(n):
        for p in range(indptr[rows[i]], indptr[rows[i] + 1]):
            dense[columns[p]] += data[p]
        for j in range(i + 1):
            total = 0
            for p in range(indptr[rows[j]], indptr[rows[j] + 1]):
                total += data[p] * dense[columns[p]]
            products[i * n + j] = products[j * n + i] = total
        for p in range(indptr[rows[i]], indptr[rows[i] + 1]):
            dense[columns[p]] = 0
