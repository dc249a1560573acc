# The steps of a stream over sparse rows, batch after batch, without Python in between.

# How far ahead the coefficients of an entry are fetched.
cdef Py_ssize_t FETCHED_AHEAD = 16

# The numbers of a stream that its steps change.
cdef enum:
    SCALE, SCALE_SUM, N_AVERAGED, WEIGHT_SEEN, N_NUMBERS


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
    _require(numbers.shape[0] == N_NUMBERS and y.shape[0] == weights.shape[0] == X.n_rows)
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
            add_to_average(&at, &intercept[0], &average[0])


cdef void forget(
    Stream* at, const int64_t* rows, Py_ssize_t n, Py_ssize_t n_coefficients, real* coef, real* lag
) noexcept nogil:
    """Shrink the past by the weight of a batch, and compute the shares ω_i of its rows."""
    cdef Py_ssize_t i, k
    cdef double total = 0, past = at.numbers[WEIGHT_SEEN]
    cdef real scale, scale_sum
    for i in range(n):
        at.shares[i], at.codes[i] = at.weights[rows[i]], at.y[rows[i]]
        total += at.shares[i]
    at.numbers[WEIGHT_SEEN] = past + total
    for i in range(n):
        at.shares[i] /= past + total
    for k in range(at.K):
        at.imbalance[k] *= past / (past + total)
    at.numbers[SCALE] *= past / (past + total)
    if not 1 / at.largest_scale < fabs(at.numbers[SCALE]) < at.largest_scale:
        scale, scale_sum = <real>at.numbers[SCALE], <real>at.numbers[SCALE_SUM]
        for i in range(n_coefficients):
            if lag != NULL:
                lag[i] -= scale_sum * coef[i]
            coef[i] *= scale
        at.numbers[SCALE], at.numbers[SCALE_SUM] = 1, 0


cdef int absorb_batch(
    RowLoss loss, Stream* at, const int64_t* rows, Py_ssize_t n, const real* data, const index* columns,
    const index* indptr, real* coef, real* lag, real* intercept, real* scores
) except -1:
    """Let a batch climb the dual, and fold it into W and v."""
    cdef Py_ssize_t i, k, K = at.K
    cdef double total = 0, length = -1 / at.alpha / at.numbers[SCALE]
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
        add_rows_of(rows, n, data, columns, indptr, scores, K, <real>length, coef)
        if lag != NULL:
            add_rows_of(rows, n, data, columns, indptr, scores, K, <real>(length * at.numbers[SCALE_SUM]), lag)
        for k in range(K):  # the centre follows b as fast as the stream renews itself
            at.centre[k] -= at.sigma2 / at.alpha * at.imbalance[k] * total
        set_intercept(at, intercept)
    return 0


cdef void set_intercept(const Stream* at, real* intercept) noexcept nogil:
    cdef Py_ssize_t k
    for k in range(at.K):
        intercept[k] = <real>(at.centre[k] - at.sigma2 / at.alpha * at.imbalance[k])


cdef void add_to_average(Stream* at, const real* intercept, real* average) noexcept nogil:
    cdef Py_ssize_t k
    at.numbers[N_AVERAGED] += 1
    at.numbers[SCALE_SUM] += at.numbers[N_AVERAGED] * at.numbers[SCALE]
    for k in range(at.K):
        average[k] += <real>(2 / (at.numbers[N_AVERAGED] + 1)) * (intercept[k] - average[k])


cdef void score_rows_of(
    const int64_t* rows, Py_ssize_t n, const real* data, const index* columns, const index* indptr, const real* coef,
    Py_ssize_t K, real* scores
) noexcept nogil:
    """Compute the scores W x_i of some rows."""
    cdef Py_ssize_t i, k, p, last
    cdef const real* coefs
    if K == 1:
        sparse_single_scores(n, rows, data, columns, indptr, coef, scores)
        return
    memset(scores, 0, n * K * sizeof(real))
    for i in range(n):
        last = indptr[rows[i] + 1]
        for p in range(indptr[rows[i]], last):
            coefs = coef + <Py_ssize_t>columns[p] * K
            if p + FETCHED_AHEAD < last:
                fetch(coef + <Py_ssize_t>columns[p + FETCHED_AHEAD] * K, K * sizeof(real))
            for k in range(K):
                scores[i * K + k] += data[p] * coefs[k]


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


def add_rows(Rows X, const real[:, ::1] G, double scale, real[:, ::1] coef):
    """Add a multiple of Xᵀ G, over few sparse rows, to coefficients.

    Parameters
    ----------
    X : Rows
        The rows, which are sparse.
    G : ndarray of shape (n_rows, n_scores)
        The factor.
    scale : float
        The multiple.
    coef : ndarray of shape (n_features, n_scores)
        The transposed coefficients, changed in place.
    """
    cdef Py_ssize_t K = coef.shape[1]
    cdef const int64_t[::1] rows = np.arange(X.n_rows)
    _require(X.is_sparse and X.is_double == (sizeof(real) == sizeof(double)))
    _require(G.shape[0] == X.n_rows and G.shape[1] == K and coef.shape[0] == X.n_features)
    if X.n_rows == 0 or K == 0 or X.n_features == 0:
        return
    with nogil:
        if X.is_wide:
            add_rows_of(
                &rows[0], X.n_rows, <const real*>X.data, <const int64_t*>X.indices, <const int64_t*>X.indptr, &G[0, 0],
                K, <real>scale, &coef[0, 0],
            )
        else:
            add_rows_of(
                &rows[0], X.n_rows, <const real*>X.data, <const int32_t*>X.indices, <const int32_t*>X.indptr, &G[0, 0],
                K, <real>scale, &coef[0, 0],
            )


cdef void add_rows_of(
    const int64_t* rows, Py_ssize_t n, const real* data, const index* columns, const index* indptr, const real* G,
    Py_ssize_t K, real scale, real* coef
) noexcept nogil:
    cdef Py_ssize_t i, k, p, last
    cdef real factor
    cdef real* sums
    for i in range(n):
        if any_nonzero(G + i * K, K):
            last = indptr[rows[i] + 1]
            for p in range(indptr[rows[i]], last):
                factor, sums = scale * data[p], coef + <Py_ssize_t>columns[p] * K
                if p + FETCHED_AHEAD < last:
                    fetch(coef + <Py_ssize_t>columns[p + FETCHED_AHEAD] * K, K * sizeof(real))
                for k in range(K):
                    sums[k] += factor * G[i * K + k]
