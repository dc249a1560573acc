# The numbers that `dual_step.step` computes for the rows of its batch and for their sums, in float64.

cdef struct Sums:
    # For one row or a batch: the rise ω ⟨δ, S⟩ + ω Δ c(δ), ⟨V, U⟩, and the lengths ω (‖x‖² + σ²) ‖δ‖².
    double rise, along, lengths


cdef struct State:
    # The part of an `AscentState` that steps read and change, in float64. Every thread has one, and computes the same.
    Py_ssize_t K
    bint fit_intercept
    double alpha, margin, mean_norm, sigma2, beta, beta_memory
    const int64_t* y
    const double* weights
    const double* norms
    const double* on_mean
    const double* centre
    double* row_gaps
    double* imbalance
    double* raw_on_mean
    # `AscentState.offsets`, which is added to raw scores, is level + ⟨x_i, μ⟩ slope.
    double* level
    double* slope
    # s and Σ_B ω_i ⟨x_i, μ⟩ δ_i.
    double* total
    double* total_on_mean
    double* work


cdef double intercept_of(const State* at, Py_ssize_t k) noexcept nogil:
    """Return b = c − (σ²/alpha) v of the centred rows."""
    return at.centre[k] - at.sigma2 / at.alpha * at.imbalance[k]


cdef void set_offsets(State* at) noexcept nogil:
    cdef Py_ssize_t k
    for k in range(at.K):
        at.slope[k] = at.imbalance[k] / at.alpha
        at.level[k] = intercept_of(at, k) - at.raw_on_mean[k] - at.mean_norm * at.slope[k]


cdef double spread_of(const State* at, const int64_t* rows, Py_ssize_t n_rows) noexcept nogil:
    """Return β; before the first step it is the weight of the batch."""
    cdef Py_ssize_t i
    cdef double total = 0
    if at.beta >= 0:
        return at.beta
    for i in range(n_rows):
        total += at.weights[rows[i]]
    return total


cdef void improve_rows(
    const State* at, row_loss loss, const int64_t* rows, Py_ssize_t first, Py_ssize_t last, double beta, const real* dual,
    const real* raw_scores, Py_ssize_t width, real* steps, real* weighted, Sums* of_rows
) noexcept nogil:
    """Call `improve_row` for the rows of a batch from first to last."""
    cdef Py_ssize_t i
    for i in range(first, last):
        of_rows[i] = improve_row(
            at, loss, rows[i], <double><real>(beta / at.alpha * at.norms[rows[i]]), dual + rows[i] * at.K, raw_scores + i * width,
            steps + i * width, weighted + i * width,
        )


cdef inline Sums improve_row(
    const State* at, row_loss loss, Py_ssize_t row, double rho, const real* dual, const real* raw_scores, real* step,
    real* weighted
) noexcept nogil:
    """Compute δ_i and ω_i δ_i of one row, its gap, and its terms of the sums."""
    cdef Py_ssize_t k, K = at.K, y = at.y[row]
    cdef double* g = at.work
    cdef double* s = at.work + K
    cdef double* delta = at.work + 2 * K
    cdef double inner, greatest, weight = at.weights[row], margin = at.margin
    cdef double of_step[3]
    cdef Sums sums
    begin_row(K, dual, raw_scores, at.level, at.slope, at.on_mean[row], g, s, &inner, &greatest)
    if loss.costs != NULL:
        loss.add_distances(y, K, margin, s)
        inner, margin = inner_of(K, g, s), 0
    at.row_gaps[row] = value_of(loss, s, y, K, margin, delta) - inner - margin * loss.dual_value(g, y, K)
    if at.row_gaps[row] == 0:  # then no subgradient is better
        for k in range(K):
            step[k] = weighted[k] = 0
        sums.rise = sums.along = sums.lengths = 0
        return sums
    loss.prox(g, s, y, K, larger(rho, loss.tiny * (greatest + at.margin)), margin, delta)
    end_row(K, dual, raw_scores, s, weight, delta, step, weighted, of_step)
    sums.rise = weight * (of_step[0] + margin * loss.dual_value(delta, y, K))
    sums.along = weight * of_step[1]
    sums.lengths = weight * at.norms[row] * of_step[2]
    return sums


cdef double step_length(State* at, Sums sums, double squared) noexcept nogil:
    """Return η, given ‖U‖² = ``squared`` of the rows as they are, and let β follow."""
    cdef double quadratic = squared, resemblance = 0
    cdef Py_ssize_t k
    for k in range(at.K):
        quadratic += (at.mean_norm + at.sigma2) * at.total[k] * at.total[k] - 2 * at.total[k] * at.total_on_mean[k]
    quadratic = larger(quadratic, 0) / at.alpha
    if sums.lengths > 0:
        resemblance = quadratic * at.alpha / sums.lengths
    if resemblance > at.beta:
        at.beta = resemblance
    else:
        at.beta = at.beta_memory * at.beta + (1 - at.beta_memory) * resemblance
    return smaller(sums.rise / quadratic, 1) if quadratic > 0 else 1


cdef Sums add_up(State* at, const Sums* of_rows, const int64_t* rows, Py_ssize_t n_rows, const real* steps,
                 Py_ssize_t width) noexcept nogil:
    """Add up the terms of a batch, s and Σ_B ω_i ⟨x_i, μ⟩ δ_i."""
    cdef Py_ssize_t i
    cdef Sums sums
    sums.rise = sums.along = sums.lengths = 0
    memset(at.total, 0, 2 * at.K * sizeof(double))
    for i in range(n_rows):
        sums.rise += of_rows[i].rise
        sums.along += of_rows[i].along
        sums.lengths += of_rows[i].lengths
        if at.fit_intercept:
            add_step(at.K, at.weights[rows[i]], at.on_mean[rows[i]], steps + i * width, at.total, at.total_on_mean)
    return sums


cdef void follow(State* at, double eta) noexcept nogil:
    """v += η s, and update V μ."""
    cdef Py_ssize_t k
    for k in range(at.K):
        at.raw_on_mean[k] -= eta / at.alpha * at.total_on_mean[k]
        if at.fit_intercept:
            at.imbalance[k] += eta * at.total[k]
