# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""What takes the time of a fit, compiled: minibatch steps, Newton systems, products and losses; nothing else.

`sweep` makes the steps that `DualAscent._step` specifies, batch after batch, without Python in between. The files that are
included have the losses a second time, row by row in float64 (`_row_losses.pxi`), the products with single rows of X
(`_row_products.pxi`), what is computed from all rows (`_whole_rows.pxi`), and the Newton systems (`_entries.pxi`).
"""

import time

import numpy as np

from libc.math cimport fabs

cdef extern from *:
    """
    #ifdef _OPENMP
    #include <omp.h>
    #define MAX_THREADS omp_get_max_threads()
    #else
    #define MAX_THREADS 1
    #endif
    """
    int MAX_THREADS

include "_row_loops.pxi"
include "_row_losses.pxi"
include "_row_products.pxi"
include "_entries.pxi"
include "_whole_rows.pxi"


def max_threads():
    """How many threads OpenMP would use; 1 without it."""
    return MAX_THREADS


cdef struct Sums:
    # Of one row or of a batch: the rise ω ⟨δ, S⟩ + ω Δ c(δ), ⟨V, U⟩, the lengths ω (‖x‖² + σ²) ‖δ‖².
    double rise, along, lengths


cdef class State:
    """What the steps read of a `DualAscent` and change in it, in float64, and what they work in.

    Parameters
    ----------
    ascent : DualAscent
    size : int
        Most rows of a batch.
    n_threads : int
    """

    cdef Py_ssize_t K
    cdef bint fit_intercept
    cdef double alpha, margin, mean_norm, sigma2, beta, beta_memory
    cdef const int64_t[::1] y
    cdef const double[::1] weights, norms, on_mean
    cdef double[::1] row_gaps, imbalance, raw_on_mean, pull
    cdef double[::1] level, slope, total, on_center
    cdef double[:, ::1] work, sums

    def __init__(self, ascent, Py_ssize_t size, int n_threads):
        problem = ascent.problem
        self.K, self.fit_intercept = problem.n_scores, problem.fit_intercept
        self.alpha, self.margin = problem.alpha, problem.margin
        self.mean_norm, self.sigma2 = ascent.mean_norm, ascent.sigma2
        self.beta, self.beta_memory = -1 if ascent.beta is None else ascent.beta, ascent.beta_memory
        self.y, self.weights, self.norms = np.asarray(problem.y, dtype=np.int64), problem.weights, ascent.norms
        self.on_mean, self.row_gaps, self.imbalance = ascent.on_mean, ascent.row_gaps, ascent.imbalance
        self.raw_on_mean, self.pull = ascent.raw_on_mean, ascent.pull
        self.level, self.slope, self.total, self.on_center = np.empty((4, self.K))
        self.work, self.sums = np.empty((n_threads, 4 * self.K)), np.empty((size, 3))

    cdef void set_offsets(self) noexcept nogil:
        """To the scores come level + ⟨x_i, μ⟩ slope: `DualAscent._offsets`."""
        cdef Py_ssize_t k
        for k in range(self.K):
            self.slope[k] = self.imbalance[k] / self.alpha
            self.level[k] = self.intercept(k) - self.raw_on_mean[k] - self.mean_norm * self.slope[k]

    cdef double intercept(self, Py_ssize_t k) noexcept nogil:
        """b of the centred rows, c − (σ²/alpha) v."""
        return self.pull[k] - self.sigma2 / self.alpha * self.imbalance[k]

    cdef double spread(self, const int64_t* rows, Py_ssize_t n_rows) noexcept nogil:
        """β, before the first step the weight of the batch."""
        cdef Py_ssize_t i
        cdef double total = 0
        if self.beta >= 0:
            return self.beta
        for i in range(n_rows):
            total += self.weights[rows[i]]
        return total

    cdef double step_length(self, Sums sums, double squared) noexcept nogil:
        """η, for ‖U‖² = ``squared`` of the rows as they are; β follows."""
        cdef double curvature = squared, resemblance = 0
        cdef Py_ssize_t k
        for k in range(self.K):
            curvature += (self.mean_norm + self.sigma2) * self.total[k] * self.total[k]
            curvature -= 2 * self.total[k] * self.on_center[k]
        curvature = larger(curvature, 0) / self.alpha
        if sums.lengths > 0:
            resemblance = curvature * self.alpha / sums.lengths
        if resemblance > self.beta:
            self.beta = resemblance
        else:
            self.beta = self.beta_memory * self.beta + (1 - self.beta_memory) * resemblance
        return smaller(sums.rise / curvature, 1) if curvature > 0 else 1


cdef Sums improve_row(
    State at, RowLoss loss, Py_ssize_t row, double rho, const real* dual, const real* raw, double* work, real* step,
    real* weighted
) noexcept nogil:
    """δ_i and ω_i δ_i of one row, what it adds to the sums, and its gap."""
    cdef Py_ssize_t K = at.K, y = at.y[row]
    cdef double* g = work
    cdef double* s = work + K
    cdef double* delta = work + 2 * K
    cdef double weight = at.weights[row]
    cdef Sums sums
    begin_row(K, dual, raw, &at.level[0], &at.slope[0], at.on_mean[row], g, s)
    at.row_gaps[row] = loss.value(s, y, K, at.margin) - inner_of(K, g, s) - at.margin * loss.dual_value(g, y, K)
    loss.prox(g, s, y, K, larger(rho, loss.tiny * (greatest_size_of(K, s) + at.margin)), at.margin, delta)
    end_row(K, dual, raw, weight, delta, g, step, weighted)
    sums.rise = weight * (inner_of(K, delta, s) + at.margin * loss.dual_value(delta, y, K))
    sums.along = weight * inner_of(K, delta, g)
    sums.lengths = weight * at.norms[row] * inner_of(K, delta, delta)
    return sums


cdef void improve_range(
    State at, RowLoss loss, const int64_t* rows, Py_ssize_t first, Py_ssize_t last, double spread, real[:, ::1] dual,
    real[:, ::1] raw, real[:, ::1] steps, real[:, ::1] weighted, double* work
) noexcept nogil:
    cdef Py_ssize_t i
    cdef Sums* of_rows = <Sums*>&at.sums[0, 0]
    for i in range(first, last):
        of_rows[i] = improve_row(
            at, loss, rows[i], <double><real>(spread / at.alpha * at.norms[rows[i]]), &dual[rows[i], 0], &raw[i, 0],
            work, &steps[i, 0], &weighted[i, 0],
        )


cdef Sums improve_rows(
    State at, RowLoss loss, const int64_t* rows, Py_ssize_t n_rows, real[:, ::1] dual, real[:, ::1] raw,
    real[:, ::1] steps, real[:, ::1] weighted, int n_threads
) noexcept nogil:
    """δ_B and ω_B δ_B, and their sums: also s and Σ_B ω_i ⟨x_i, μ⟩ δ_i, in `State`."""
    cdef double spread = at.spread(rows, n_rows)
    cdef Sums sums
    cdef Sums* of_rows = <Sums*>&at.sums[0, 0]
    cdef Py_ssize_t i, k, row
    if n_threads == 1:
        improve_range(at, loss, rows, 0, n_rows, spread, dual, raw, steps, weighted, &at.work[0, 0])
    else:
        for i in prange(n_threads, num_threads=n_threads, schedule="static"):
            improve_range(
                at, loss, rows, n_rows * i // n_threads, n_rows * (i + 1) // n_threads, spread, dual, raw, steps,
                weighted, &at.work[i, 0],
            )
    sums.rise = sums.along = sums.lengths = 0
    at.total[:] = 0
    at.on_center[:] = 0
    for i in range(n_rows):
        row = rows[i]
        sums.rise += of_rows[i].rise
        sums.along += of_rows[i].along
        sums.lengths += of_rows[i].lengths
        for k in range(at.K):
            at.total[k] += at.weights[row] * steps[i, k]
            at.on_center[k] += at.on_mean[row] * at.weights[row] * steps[i, k]
    return sums


cdef void fetch_rows(
    Rows X, const int64_t* places, const int64_t* rows, Py_ssize_t n_rows, const real[:, ::1] dual
) noexcept nogil:
    """Bring what the next batch needs, which lies anywhere: of a row of X the beginning, the rest follows."""
    cdef Py_ssize_t i, begin, n
    for i in range(n_rows):
        begin, n = X.begin(places[i]), min(X.n_entries(places[i]), FETCHED_ENTRIES)
        fetch(<const real*>X.data + begin, n * sizeof(real))
        if X.is_sparse:
            if X.is_wide:
                fetch(<const int64_t*>X.indices + begin, n * sizeof(int64_t))
            else:
                fetch(<const int32_t*>X.indices + begin, n * sizeof(int32_t))
        fetch(&dual[rows[i], 0], dual.shape[1] * sizeof(real))


cdef void take_step(
    State at, const int64_t* rows, Py_ssize_t n_rows, double eta, real[:, ::1] steps, real[:, ::1] dual
) noexcept nogil:
    """g_B += η δ, v += η s and what follows the coefficients."""
    cdef Py_ssize_t i, k
    for i in range(n_rows):
        for k in range(at.K):
            dual[rows[i], k] += <real>eta * steps[i, k]
    for k in range(at.K):
        at.raw_on_mean[k] -= eta / at.alpha * at.on_center[k]
        if at.fit_intercept:
            at.imbalance[k] += eta * at.total[k]


def sweep(ascent, RowLoss loss, Rows X, real[:, ::1] W, const int64_t[::1] rows, const int64_t[::1] places,
          int most_threads, mean=None):
    """Minibatch steps over these rows, in this order, each as `DualAscent._step` makes it.

    Parameters
    ----------
    ascent : DualAscent
        What its `_step` changes is changed here.
    loss : RowLoss
    X : Rows
    W : ndarray of shape (n_features, width)
        The memory of ``ascent.raw``, its rows filled up with zeros.
    rows, places : ndarray of shape (n_rows,)
        The rows of the problem, and where they are in X.
    most_threads : int
    mean : RunningMean, optional
        Hears of every step.
    """
    cdef Py_ssize_t size = min(<Py_ssize_t>ascent.batch_size, rows.shape[0]), width = W.shape[1]
    cdef State at = State(ascent, size, most_threads)
    cdef Memory memory = Memory(X, places, size)
    # Rows are filled up to whole groups.
    cdef real[:, ::1] raw = np.zeros((size + ROW_GROUP, width), np.asarray(W).dtype)
    cdef real[:, ::1] steps = np.zeros_like(raw), weighted = np.zeros_like(raw), dual = ascent.dual
    cdef bint averaging = mean is not None
    cdef real[:, ::1] lag = mean.lag_memory if averaging else W
    cdef double[::1] mean_intercept = mean.intercept if averaging else at.pull
    cdef double[::1] mean_imbalance = mean.imbalance if averaging else at.pull
    cdef Py_ssize_t n_seen = mean.n_steps if averaging else 0
    cdef Py_ssize_t first = 0, i, k, n, n_multiplications
    cdef int n_threads
    cdef double eta, squared
    cdef Sums sums
    with nogil:
        while first < rows.shape[0]:
            n = min(size, rows.shape[0] - first)
            if first + n < rows.shape[0]:
                fetch_rows(X, &places[first + n], &rows[first + n], min(size, rows.shape[0] - first - n), dual)
            n_multiplications = 0
            for i in range(n):
                n_multiplications += X.n_entries(places[first + i]) * width
            n_threads = worth_threads(n_multiplications // EXCHANGE, most_threads)
            score_rows(X, &places[first], n, &W[0, 0], width, n_threads, &raw[0, 0])
            at.set_offsets()
            sums = improve_rows(at, loss, &rows[first], n, dual, raw, steps, weighted, n_threads)
            eta = 0
            if sums.rise > 0:
                # The whole step is made at once: η is known afterwards, and seldom less than one. Of sparse rows,
                # ‖V − U/alpha‖² = ‖V‖² − 2 ⟨V, U⟩/alpha + ‖U‖²/alpha² tells ‖U‖².
                squared = add_rows(
                    X, &places[first], n, &weighted[0, 0], width, -1 / at.alpha, n_threads, memory, &W[0, 0]
                )
                if X.is_sparse:
                    squared = at.alpha * (at.alpha * squared + 2 * sums.along)
                eta = at.step_length(sums, squared)
                if eta < 1:
                    add_rows(
                        X, &places[first], n, &weighted[0, 0], width, (1 - eta) / at.alpha, n_threads, memory, &W[0, 0]
                    )
                take_step(at, &rows[first], n, eta, steps, dual)
            if averaging:
                add_rows(
                    X, &places[first], n, &weighted[0, 0], width, -eta / at.alpha * n_seen, n_threads, memory,
                    &lag[0, 0],
                )
                n_seen += 1
                for k in range(at.K):
                    mean_intercept[k] += (at.intercept(k) - mean_intercept[k]) / n_seen
                    mean_imbalance[k] += (at.imbalance[k] - mean_imbalance[k]) / n_seen
            first += size
    ascent.beta = at.beta if at.beta >= 0 else None
    ascent.t += (rows.shape[0] + size - 1) // size
    if averaging:
        mean.n_steps = n_seen
