# Accelerated prox steps on one batch of a stream, with its Gram matrix in place of the features.

from cpython.exc cimport PyErr_CheckSignals


def climb(
    RowLoss loss, const double[:, ::1] gram, const double[:, ::1] start, const int64_t[::1] y, const double[::1] weights,
    double alpha, double margin, limits
):
    """Make the steps of `batch_climb.climb`, in float64.

    Parameters
    ----------
    loss : RowLoss
        The row kernel of the loss.
    gram : ndarray of shape (n_rows, n_rows), dtype=float64
        The Gram matrix K.
    start : ndarray of shape (n_rows, n_scores), dtype=float64
        The scores S(0).
    y : ndarray of shape (n_rows,), dtype=int64
        Codes of the classes.
    weights : ndarray of shape (n_rows,), dtype=float64
        The weights ω.
    alpha, margin : float
        The constants α and Δ.
    limits : tuple (n_powers, safety, most_steps, accuracy)
        The power iterations for ρ, the factor that makes up for their error, the number of steps at most, and the share
        of the gap that ends them.

    Returns
    -------
    ndarray of shape (n_rows, n_scores), dtype=float64
        The subgradients G.
    """
    cdef Py_ssize_t n = start.shape[0], K = start.shape[1]
    cdef Limits its_limits = limits_of(limits)
    cdef double[:, :, ::1] held = np.empty((5, n, K))
    cdef double[::1] work = np.empty(3 * (n + K))
    held[0] = start
    climb_batch(loss, n, K, &gram[0, 0], &held[0, 0, 0], &y[0], &weights[0], alpha, margin, &its_limits, &work[0])
    return np.asarray(held[2])


cdef struct Limits:
    Py_ssize_t n_powers, most_steps
    double safety, accuracy


cdef Limits limits_of(limits):
    cdef Limits found
    found.n_powers, found.safety, found.most_steps, found.accuracy = limits
    return found


cdef int climb_batch(
    RowLoss loss, Py_ssize_t n, Py_ssize_t K, const double* gram, double* held, const int64_t* y, const double* weights,
    double alpha, double margin, const Limits* limits, double* work
) except -1:
    """Make the steps. Of the 5 n K numbers held, the first n K are S(0) before and the third n K are G afterwards."""
    cdef Py_ssize_t i, step
    cdef double gap, first_gap = 0, last_speed, speed = 1
    cdef Climb at
    at.n, at.K, at.margin = n, K, margin
    at.rho = limits.safety * largest_eigenvalue(n, gram, weights, limits.n_powers, work) / alpha
    at.scores, at.last_scores, at.dual = held, held + n * K, held + 2 * n * K
    at.last_dual, at.change = held + 3 * n * K, held + 4 * n * K
    if loss.costs != NULL:
        for i in range(n):
            loss.add_distances(y[i], K, margin, at.scores + i * K)
        at.margin = 0
    memcpy(at.last_scores, at.scores, n * K * sizeof(double))
    memset(at.dual, 0, 3 * n * K * sizeof(double))
    for step in range(limits.most_steps):
        PyErr_CheckSignals()
        gap = gap_of_batch(loss, &at, y, weights, work)
        if step == 0:
            first_gap = gap
        elif gap <= limits.accuracy * first_gap:
            break
        last_speed, speed = speed, (1 + sqrt(1 + 4 * speed * speed)) / 2
        with nogil:
            step_of_batch(loss, &at, y, weights, (last_speed - 1) / speed, work)
            subtract_product(n, K, gram, at.change, 1 / alpha, at.scores)
    return 0


cdef double largest_eigenvalue(
    Py_ssize_t n, const double* gram, const double* weights, Py_ssize_t n_powers, double* work
) noexcept nogil:
    """Return the length of the last vector of the power method on Ω^½ K Ω^½; work space is 3 n numbers."""
    cdef Py_ssize_t i, power
    cdef double value
    cdef double* roots = work
    cdef double* vector = work + n
    cdef double* scaled = work + 2 * n
    for i in range(n):
        roots[i] = vector[i] = sqrt(weights[i])
    for power in range(n_powers):
        value = larger(sqrt(inner_of(n, vector, vector)), 1e-300)
        for i in range(n):
            scaled[i] = roots[i] * vector[i] / value
        for i in range(n):
            vector[i] = roots[i] * inner_of(n, gram + i * n, scaled)
    return sqrt(inner_of(n, vector, vector))


cdef struct Climb:
    Py_ssize_t n, K
    double rho, margin
    double* scores
    double* last_scores
    double* dual
    double* last_dual
    double* change  # Ω (G − last G)


cdef double gap_of_batch(
    RowLoss loss, const Climb* at, const int64_t* y, const double* weights, double* work
) noexcept nogil:
    """Return Σ_i ω_i (ℓ(s_i) − ⟨g_i, s_i⟩ − Δ c(g_i))."""
    cdef Py_ssize_t i, K = at.K
    cdef double gap = 0
    cdef const double* s
    cdef const double* g
    for i in range(at.n):
        s, g = at.scores + i * K, at.dual + i * K
        gap += weights[i] * (
            value_of(loss, s, y[i], K, at.margin, work) - inner_of(K, g, s) - at.margin * loss.dual_value(g, y[i], K)
        )
    return gap


cdef void step_of_batch(
    RowLoss loss, const Climb* at, const int64_t* y, const double* weights, double theta, double* work
) noexcept nogil:
    """Make the prox step of every row, from the point that θ extrapolates."""
    cdef Py_ssize_t i, k, j, K = at.K
    cdef double* ahead = at.change  # until it is overwritten, row by row
    cdef double* better = work
    cdef double* scores_ahead = work + 2 * K
    cdef double old_dual, old_score, greatest, rho
    for i in range(at.n):
        greatest = 0
        for k in range(K):
            j = i * K + k
            old_dual, old_score = at.dual[j], at.scores[j]
            ahead[j] = old_dual + theta * (old_dual - at.last_dual[j])
            scores_ahead[k] = old_score + theta * (old_score - at.last_scores[j])
            at.last_dual[j], at.last_scores[j] = old_dual, old_score
            greatest = larger(fabs(scores_ahead[k]), greatest)
        rho = larger(at.rho, loss.tiny * (greatest + at.margin))
        loss.prox(ahead + i * K, scores_ahead, y[i], K, rho, at.margin, better)
        for k in range(K):
            j = i * K + k
            at.change[j] = weights[i] * (better[k] - at.last_dual[j])
            at.dual[j] = better[k]
