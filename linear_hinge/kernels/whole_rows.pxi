# Computations over all rows, or many of them: products with X, norms and losses.


def product(Rows X, const real[:, ::1] W, Py_ssize_t first, Py_ssize_t last, int most_threads):
    """Compute X W for the rows of X from first to last.

    Parameters
    ----------
    X : Rows
        The rows of X.
    W : ndarray of shape (n_features, width)
        The factor.
    first, last : int
        Where the rows begin and end.
    most_threads : int
        Number of threads at most.

    Returns
    -------
    ndarray of shape (last − first, width)
        The product.
    """
    cdef Py_ssize_t n = last - first, width = W.shape[1]
    cdef const int64_t[::1] rows = np.arange(first, last)
    scores = np.empty((n + ROW_GROUP, width), dtype=np.asarray(W).dtype)
    cdef real[:, ::1] S = scores
    with nogil:
        if n > 0:
            score_rows(X, &rows[0], n, &W[0, 0], width, worth_threads(X.n_between(first, last) * width, most_threads),
                       &S[0, 0])
    return scores[:n]


def add_transposed_product(
    Rows X, const double[:, ::1] G, Py_ssize_t first, bint is_squared, double[:, ::1] sums
):
    """Add Xᵀ G, or (X ∘ X)ᵀ G, over some rows of a sparse X.

    Parameters
    ----------
    X : Rows
        The rows of X.
    G : ndarray of shape (n_rows, width)
        The factor.
    first : int
        The row of X that belongs to the first row of G.
    is_squared : bool
        Whether the entries of X are squared.
    sums : ndarray of shape (n_features, width)
        The product is added to these numbers.
    """
    # On one thread: several would read all entries, each for the sums of its features, and take longer.
    with nogil:
        if X.is_double:
            add_rows_to_sums(X, <const double*>X.data, G, first, is_squared, &sums[0, 0])
        else:
            add_rows_to_sums(X, <const float*>X.data, G, first, is_squared, &sums[0, 0])


cdef void add_rows_to_sums(
    Rows X, const real* data, const double[:, ::1] G, Py_ssize_t first, bint is_squared, double* sums
) noexcept nogil:
    cdef Py_ssize_t i, begin, n, width = G.shape[1]
    for i in range(G.shape[0]):
        if any_nonzero(&G[i, 0], width):
            begin, n = X.begin(first + i), X.n_entries(first + i)
            if X.is_wide:
                sparse_sum(n, data + begin, <const int64_t*>X.indices + begin, &G[i, 0], width, is_squared, sums)
            else:
                sparse_sum(n, data + begin, <const int32_t*>X.indices + begin, &G[i, 0], width, is_squared, sums)


def dense_norms(Rows X, Py_ssize_t first, Py_ssize_t last, int most_threads, double[::1] norms):
    """Compute ‖x_i‖² of the dense rows from first to last.

    Parameters
    ----------
    X : Rows
        The rows of X.
    first, last : int
        Where the rows begin and end.
    most_threads : int
        Number of threads at most.
    norms : ndarray of shape (n_samples,)
        Place for the squared norms.
    """
    cdef Py_ssize_t i
    cdef int n_threads = worth_threads(X.n_between(first, last), most_threads)
    for i in prange(first, last, num_threads=n_threads, schedule="static", nogil=True):
        if X.is_double:
            norms[i] = dense_norm_double(X.n_features, <const double*>X.data + X.begin(i))
        else:
            norms[i] = dense_norm_float(X.n_features, <const float*>X.data + X.begin(i))


def sparse_norms(Rows X):
    """Compute ‖x_i‖² of every row of a sparse X.

    Parameters
    ----------
    X : Rows
        The rows of X.

    Returns
    -------
    ndarray of shape (n_samples,), dtype=float64
        The squared norms.
    """
    cdef Py_ssize_t i
    norms = np.empty(X.n_rows)
    cdef double[::1] out = norms, feature_sums = np.zeros(X.n_features + 1)
    cdef int64_t[::1] last_rows = np.full(X.n_features + 1, -1)
    with nogil:
        for i in range(X.n_rows):
            if X.is_double:
                out[i] = norm_of_row(X, <const double*>X.data, i, &last_rows[0], &feature_sums[0])
            else:
                out[i] = norm_of_row(X, <const float*>X.data, i, &last_rows[0], &feature_sums[0])
    return norms


cdef double norm_of_row(
    Rows X, const real* data, Py_ssize_t row, int64_t* last_rows, double* feature_sums
) noexcept nogil:
    cdef Py_ssize_t begin = X.begin(row), n = X.n_entries(row)
    if X.is_wide:
        return sparse_norm(n, data + begin, <const int64_t*>X.indices + begin, row, last_rows, feature_sums)
    return sparse_norm(n, data + begin, <const int32_t*>X.indices + begin, row, last_rows, feature_sums)


def mean_losses(
    Rows X, RowLoss loss, const real[:, ::1] W, const real[::1] intercept, const int64_t[::1] y,
    const double[::1] weights, const double[::1] margins, Py_ssize_t first, Py_ssize_t last, int most_threads
):
    """Compute Σ_i ω_i ℓ(W x_i + b, y_i) over the rows from first to last; their scores are never all in memory.

    Parameters
    ----------
    X : Rows
        The rows of X.
    loss : RowLoss
        The row kernel of the loss.
    W : ndarray of shape (n_features, width)
        The transposed coefficients, filled up to whole vectors.
    intercept : ndarray of shape (n_scores,)
        The intercept b.
    y : ndarray of shape (n_samples,), dtype=int64
        Codes of the classes.
    weights : ndarray of shape (n_samples,)
        The ω_i.
    margins : ndarray of shape (n_margins,)
        The margins Δ.
    first, last : int
        Where the rows begin and end.
    most_threads : int
        Number of threads at most.

    Returns
    -------
    ndarray of shape (n_margins,)
        The sum for every margin.
    """
    cdef Py_ssize_t i, n = last - first, width = W.shape[1], K = intercept.shape[0], n_margins = margins.shape[0]
    cdef int n_threads = worth_threads(X.n_between(first, last) * width, most_threads)
    cdef const int64_t[::1] rows = np.arange(first, last)
    cdef real[:, ::1] scores = np.empty((n_threads, SCORED_ROWS * width), dtype=np.asarray(W).dtype)
    cdef double[:, ::1] work = np.empty((n_threads, 3 * K))
    cdef Py_ssize_t n_parts = (n + SCORED_ROWS - 1) // SCORED_ROWS
    # Parts have sums of their own, so that all is added up in the same order on any number of threads.
    sums = np.zeros((n_parts, n_margins))
    cdef double[:, ::1] out = sums
    for i in prange(n_parts, num_threads=n_threads, schedule="static", nogil=True):
        losses_of_part(
            X, loss, &W[0, 0], width, &intercept[0], K, &y[0], &weights[0], n_margins, &margins[0], &rows[i * SCORED_ROWS],
            min(SCORED_ROWS, n - i * SCORED_ROWS), &scores[threadid(), 0], &work[threadid(), 0], &out[i, 0],
        )
    return sums.sum(axis=0)


cdef void losses_of_part(
    Rows X, RowLoss loss, const real* W, Py_ssize_t width, const real* intercept, Py_ssize_t K, const int64_t* y,
    const double* weights, Py_ssize_t n_margins, const double* margins, const int64_t* rows, Py_ssize_t n, real* scores,
    double* work, double* sums
) noexcept nogil:
    score_groups(X, rows, 0, (n + ROW_GROUP - 1) // ROW_GROUP, n, W, width, scores)
    if loss.is_binary:
        losses_of_scores(
            <BinaryHinge>loss, scores, width, intercept, K, y, weights, n_margins, margins, rows, n, work, sums
        )
    else:
        losses_of_scores(loss, scores, width, intercept, K, y, weights, n_margins, margins, rows, n, work, sums)


cdef void losses_of_scores(
    row_loss loss, const real* scores, Py_ssize_t width, const real* intercept, Py_ssize_t K, const int64_t* y,
    const double* weights, Py_ssize_t n_margins, const double* margins, const int64_t* rows, Py_ssize_t n, double* work,
    double* sums
) noexcept nogil:
    cdef Py_ssize_t i, k, t
    for i in range(n):
        for k in range(K):
            work[k] = <real>(scores[i * width + k] + intercept[k])
        if loss.costs == NULL:
            add_hinges(loss.hinges(work, y[rows[i]], K), work, weights[rows[i]], n_margins, margins, sums)
            continue
        for t in range(n_margins):
            memcpy(work + K, work, K * sizeof(double))
            loss.add_distances(y[rows[i]], K, margins[t], work + K)
            sums[t] += weights[rows[i]] * value_of(loss, work + K, y[rows[i]], K, 0, work + 2 * K)


def prox_steps(
    RowLoss loss, const real[:, :] dual, const real[:, :] scores, const int64_t[::1] y, double rho, double margin,
    int n_threads
):
    """Make the prox steps of `HingeLoss.prox`, with the same ρ for all rows.

    Parameters
    ----------
    loss : RowLoss
        The row kernel of the loss.
    dual, scores : ndarray of shape (n_rows, n_scores)
        The subgradients G, where the steps start, and the scores S.
    y : ndarray of shape (n_rows,), dtype=int64
        Codes of the classes.
    rho : float
        The curvature ρ.
    margin : float
        The margin Δ.
    n_threads : int
        Number of threads at most.

    Returns
    -------
    better : ndarray of shape (n_rows, n_scores)
        G⁺.
    envelopes, excesses, moves : ndarray of shape (n_rows,)
        The numbers that `row_losses.prox_steps` returns.
    """
    cdef Py_ssize_t i, n = scores.shape[0], K = scores.shape[1], n_parts = (n + LOSS_ROWS - 1) // LOSS_ROWS
    better, numbers = np.empty((n, K), dtype=np.asarray(scores).dtype), np.empty((3, n))
    cdef real[:, ::1] out = better
    cdef double[:, ::1] of_rows = numbers
    n_threads = worth_threads(n * K * LOSS_COST, n_threads)
    cdef double[:, ::1] work = np.empty((n_threads, 6 * K))
    for i in prange(n_parts, num_threads=n_threads, schedule="static", nogil=True):
        if loss.is_binary:
            prox_steps_of_part(
                <BinaryHinge>loss, dual, scores, y, rho, margin, i * LOSS_ROWS, min((i + 1) * LOSS_ROWS, n),
                &work[threadid(), 0], out, of_rows,
            )
        else:
            prox_steps_of_part(
                loss, dual, scores, y, rho, margin, i * LOSS_ROWS, min((i + 1) * LOSS_ROWS, n), &work[threadid(), 0], out,
                of_rows,
            )
    return better, *numbers


cdef void prox_steps_of_part(
    row_loss loss, const real[:, :] dual, const real[:, :] scores, const int64_t[::1] y, double rho, double margin,
    Py_ssize_t first, Py_ssize_t last, double* g, real[:, ::1] out, double[:, ::1] of_rows
) noexcept nogil:
    cdef Py_ssize_t i, k, K = scores.shape[1]
    cdef double* s = g + K
    cdef double* distances = g + 2 * K
    cdef double* moved = g + 3 * K if loss.costs != NULL else s
    cdef double* better = g + 4 * K
    cdef double greatest, height, squared, linear, margin_left = margin if loss.costs == NULL else 0
    for i in range(first, last):
        greatest = 0
        for k in range(K):
            g[k], s[k] = dual[i, k], scores[i, k]
            greatest = larger(fabs(s[k]), greatest)
        if loss.costs != NULL:
            memset(distances, 0, K * sizeof(double))
            loss.add_distances(y[i], K, margin, distances)
            for k in range(K):
                moved[k] = s[k] + distances[k]
        of_rows[1, i] = value_of(loss, moved, y[i], K, margin_left, better)
        loss.prox(g, moved, y[i], K, larger(rho, loss.tiny * (greatest + margin)), margin_left, better)
        height = squared = 0
        for k in range(K):
            out[i, k] = <real>better[k]
            better[k] = out[i, k]
            height += better[k] * s[k]
            squared += (better[k] - g[k]) * (better[k] - g[k])
        linear = margin_left * loss.dual_value(better, y[i], K)
        if loss.costs != NULL:
            linear = inner_of(K, better, distances)
        of_rows[0, i], of_rows[2, i] = height + linear - 0.5 * rho * squared, squared
        of_rows[1, i] -= linear
