# The steps of subgradient descent, batch after batch, without Python in between.


cdef struct Descent:
    # What the steps read and change, with the memory of one batch.
    Py_ssize_t K, width
    double alpha, margin, largest_scale
    bint fit_intercept
    const int64_t* y
    const double* weights
    double* numbers
    double* shares  # ω_i
    double* work
    intptr_t* addresses


def descend(
    RowLoss loss, Rows X, const int64_t[::1] rows, Py_ssize_t batch_size, const int64_t[::1] y, const double[::1] weights,
    const double[::1] etas, real[:, ::1] coef, lag, real[::1] intercept, real[::1] average, double[::1] numbers,
    double alpha, double margin, bint fit_intercept, double largest_scale, Py_ssize_t n_seen, Py_ssize_t average_after
):
    """Make the steps of `subgradient_step.sweep` over some rows.

    Parameters
    ----------
    loss : RowLoss
        The row kernel of the loss.
    X : Rows
        The rows of X.
    rows : ndarray of shape (n_rows,)
        The rows to visit, in this order.
    batch_size : int
        Rows of a batch.
    y : ndarray of shape (n_samples,), dtype=int64
        Codes of the classes.
    weights : ndarray of shape (n_samples,), dtype=float64
        The weights.
    etas : ndarray of shape (n_steps,), dtype=float64
        The length η of every step.
    coef : ndarray of shape (n_features, width)
        ``unscaled`` of the iterate, changed in place. For dense rows it is filled up to whole vectors.
    lag : ndarray of shape (n_features, width) or None
        ``lag`` of the iterate, changed in place.
    intercept, average : ndarray of shape (n_scores,)
        The intercept and its average, changed in place.
    numbers : ndarray of shape (3,), dtype=float64
        ``scale``, ``scale_sum`` and ``n_averaged`` of the iterate, changed in place.
    alpha, margin : float
        The constants α and Δ.
    fit_intercept : bool
        Whether b is trained.
    largest_scale : float
        How far the scale may move from one.
    n_seen, average_after : int
        Rows seen before, and the number of rows after which iterates are averaged; 0 for never.
    """
    cdef Py_ssize_t first, n, most = min(batch_size, rows.shape[0]), K = intercept.shape[0], width = coef.shape[1]
    cdef double[::1] shares = np.empty(most), work = np.empty(2 * K)
    cdef intptr_t[::1] addresses = np.empty(ADDRESSES * most, np.intp)
    cdef real[::1] scores = np.empty((most + ROW_GROUP) * width, np.asarray(coef).dtype)
    cdef real[:, ::1] its_lag = coef if lag is None else lag
    cdef real* lag_address = NULL if lag is None else &its_lag[0, 0]
    cdef Descent at
    _require(X.is_double == (sizeof(real) == sizeof(double)) and coef.shape[0] == X.n_features > 0)
    _require(width == K if X.is_sparse else width >= K)
    _require(numbers.shape[0] == ITERATE_NUMBERS and y.shape[0] == weights.shape[0] == X.n_rows)
    _require(its_lag.shape[0] == coef.shape[0] and its_lag.shape[1] == width and average.shape[0] == K > 0)
    _require(etas.shape[0] * batch_size >= rows.shape[0] and batch_size > 0)
    at.K, at.width, at.alpha, at.margin, at.largest_scale = K, width, alpha, margin, largest_scale
    at.fit_intercept, at.y, at.weights, at.numbers = fit_intercept, &y[0], &weights[0], &numbers[0]
    at.shares, at.work, at.addresses = &shares[0], &work[0], &addresses[0]
    for first in range(0, rows.shape[0], batch_size):
        PyErr_CheckSignals()
        n = min(batch_size, rows.shape[0] - first)
        n_seen += n
        with nogil:
            descend_on_batch(
                loss, &at, etas[first // batch_size], X, &rows[first], n, &coef[0, 0], lag_address, &intercept[0],
                &scores[0],
            )
            if 0 < average_after <= n_seen:
                add_to_average(&numbers[0], K, &intercept[0], &average[0])


cdef void descend_on_batch(
    RowLoss loss, Descent* at, double eta, Rows X, const int64_t* rows, Py_ssize_t n, real* coef, real* lag,
    real* intercept, real* scores
) noexcept nogil:
    """Make one step; the scores are overwritten by ω_i g_i."""
    cdef Py_ssize_t i, k, K = at.K
    cdef real scale = <real>at.numbers[SCALE], total
    cdef real* of_row
    cdef double* s = at.work
    cdef double* g = at.work + K
    score_batch(X, rows, n, coef, at.width, scores)
    normalise(at, rows, n)
    for i in range(n):
        of_row = scores + i * at.width
        for k in range(K):
            s[k] = scale * of_row[k] + intercept[k]
        subgradient_of(loss, s, at.y[rows[i]], K, at.margin, g)
        for k in range(K):
            of_row[k] = <real>at.shares[i] * <real>g[k]
    shrink(1 - eta * at.alpha, at.largest_scale, at.numbers, X.n_features * at.width, coef, lag)
    move_by_batch(X, rows, n, scores, at.width, -eta, at.numbers, at.addresses, coef, lag)
    if at.fit_intercept:
        for k in range(K):
            total = 0
            for i in range(n):
                total += scores[i * at.width + k]
            intercept[k] -= <real>eta * total


cdef void score_batch(
    Rows X, const int64_t* rows, Py_ssize_t n, const real* coef, Py_ssize_t width, real* scores
) noexcept nogil:
    """Compute the scores W x_i, before they are scaled."""
    cdef const real* data = <const real*>X.data
    if not X.is_sparse:
        score_groups(X, rows, 0, (n + ROW_GROUP - 1) // ROW_GROUP, n, coef, width, scores)
    elif X.is_wide:
        score_rows_of(rows, n, data, <const int64_t*>X.indices, <const int64_t*>X.indptr, coef, width, scores)
    else:
        score_rows_of(rows, n, data, <const int32_t*>X.indices, <const int32_t*>X.indptr, coef, width, scores)


cdef void move_by_batch(
    Rows X, const int64_t* rows, Py_ssize_t n, const real* G, Py_ssize_t width, double length, const double* numbers,
    intptr_t* addresses, real* coef, real* lag
) noexcept nogil:
    """W += length · Σ_i g_i x_iᵀ."""
    cdef const real* data = <const real*>X.data
    if not X.is_sparse:
        move_by_dense_rows(X, rows, n, G, width, length, numbers, addresses, coef, lag)
    elif X.is_wide:
        move(
            rows, n, data, <const int64_t*>X.indices, <const int64_t*>X.indptr, G, width, length, numbers, coef, lag
        )
    else:
        move(
            rows, n, data, <const int32_t*>X.indices, <const int32_t*>X.indptr, G, width, length, numbers, coef, lag
        )


cdef void move_by_dense_rows(
    Rows X, const int64_t* rows, Py_ssize_t n, const real* G, Py_ssize_t width, double length, const double* numbers,
    intptr_t* addresses, real* coef, real* lag
) noexcept nogil:
    cdef const real** x = <const real**>addresses
    cdef const real** D = <const real**>(addresses + n)
    cdef Py_ssize_t i, n_moved = 0
    for i in range(n):
        if any_nonzero(G + i * width, width):
            x[n_moved], D[n_moved] = <const real*>X.data + X.begin(rows[i]), G + i * width
            n_moved += 1
    length /= numbers[SCALE]
    dense_add(n_moved, x, D, width, <real>length, 0, X.n_features, coef)
    if lag != NULL:
        dense_add(n_moved, x, D, width, <real>(length * numbers[SCALE_SUM]), 0, X.n_features, lag)


cdef void normalise(Descent* at, const int64_t* rows, Py_ssize_t n) noexcept nogil:
    """Divide the weights of a batch by their sum, which may be beyond the range of floats."""
    cdef Py_ssize_t i
    cdef double greatest = 2.2250738585072014e-308, total = 0
    for i in range(n):
        greatest = larger(greatest, at.weights[rows[i]])
    for i in range(n):
        at.shares[i] = at.weights[rows[i]] / greatest
        total += at.shares[i]
    for i in range(n):
        at.shares[i] /= total


cdef void subgradient_of(RowLoss loss, double* s, Py_ssize_t y, Py_ssize_t K, double margin, double* g) noexcept nogil:
    """Write a subgradient of ℓ(s, y) into g; s is overwritten."""
    if loss.costs != NULL:
        loss.add_distances(y, K, margin, s)
        margin = 0
    loss.subgradient(s, y, K, margin, g)
