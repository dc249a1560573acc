# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The minibatch steps of `_dual_steps` and the products of `_products`, compiled; nothing else.

`sweep` makes the steps that `DualAscent._step` specifies, batch after batch, without Python in between: `_row_losses.pxi`
has the losses a second time, row by row in float64, `_row_products.pxi` the products with X.
"""

import numpy as np

from cython.parallel cimport threadid
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

include "_row_losses.pxi"
include "_row_loops.pxi"
include "_row_products.pxi"


def max_threads():
    """How many threads OpenMP would use; 1 without it."""
    return MAX_THREADS


def product(Rows X, const real[:, ::1] W, int n_threads):
    """X W of shape (n_samples, width), for W of shape (n_features, width)."""
    cdef Py_ssize_t n = X.n_rows, width = W.shape[1]
    cdef const int64_t[::1] rows = np.arange(n)
    scores = np.empty((n + ROW_GROUP, width), dtype=np.asarray(W).dtype)
    cdef real[:, ::1] S = scores
    with nogil:
        if n > 0:
            score_rows(X, &rows[0], n, &W[0, 0], width, n_threads, &S[0, 0])
    return scores[:n]


def transposed_product(Rows X, const real[:, ::1] G, int n_threads):
    """Xᵀ G of shape (n_features, width), for G of shape (n_samples, width)."""
    cdef Py_ssize_t n = X.n_rows, width = G.shape[1], size = 64, first = 0
    cdef const int64_t[::1] rows = np.arange(n)
    sums = np.zeros((X.n_features, width), dtype=np.asarray(G).dtype)
    cdef real[:, ::1] U = sums
    cdef Memory memory = Memory(X, rows, size, width)
    with nogil:
        while first < n:
            add_rows(X, &rows[first], min(size, n - first), &G[first, 0], width, 1, n_threads, memory, &U[0, 0])
            first += size
    return sums


cdef class Memory:
    """What `add_rows` works in, for batches of ``size`` of these rows."""

    cdef intptr_t[::1] addresses
    cdef double[::1] numbers

    def __init__(self, Rows X, const int64_t[::1] rows, Py_ssize_t size, Py_ssize_t width):
        cdef Py_ssize_t i, n = 0, most = X.n_features // BLOCK + 1
        self.addresses = np.empty(2 * size, np.intp)
        if X.is_sparse:
            for i in range(rows.shape[0]):
                n = X.n_entries(rows[i]) + (n if i % size else 0)
                most = max(most, n)
        self.numbers = np.empty(most)


cdef double add_rows(
    Rows X, const int64_t* rows, Py_ssize_t n_rows, const real* G, Py_ssize_t width, double scale, int n_threads,
    Memory memory, real* W
) noexcept nogil:
    """W += scale · U, U = Σ_i g_i x_iᵀ; ‖U‖² of dense rows, the growth of ‖W‖² of sparse ones."""
    if X.is_sparse:
        return add_sparse_rows(X, rows, n_rows, G, width, scale, n_threads, &memory.numbers[0], W)
    return add_dense_rows(
        X, rows, n_rows, G, width, scale, n_threads, &memory.addresses[0], &memory.numbers[0], W
    )


cdef struct RowSums:
    double rise, along, lengths, gap


cdef RowSums improve_row(
    RowLoss loss, Py_ssize_t y, double weight, double norm, double rho, double tiny, double margin, Py_ssize_t K, const real* dual,
    const real* raw, const double* offset, double* work, real* step, real* weighted
) noexcept nogil:
    """δ_i and ω_i δ_i; what the row adds to the rise, to ⟨V, U⟩ and to the lengths, and its gap."""
    cdef double* g = work
    cdef double* s = work + K
    cdef double* delta = work + 2 * K
    cdef double greatest = 0
    cdef RowSums sums
    cdef Py_ssize_t k
    sums.rise = sums.along = sums.lengths = sums.gap = 0
    for k in range(K):
        g[k] = dual[k]
        s[k] = <real>(raw[k] + <real>offset[k])
        greatest = larger(greatest, fabs(s[k]))
        sums.gap -= g[k] * s[k]
    sums.gap += loss.value(s, y, K, margin) - margin * loss.dual_value(g, y, K)
    loss.prox(g, s, y, K, larger(rho, tiny * (greatest + margin)), margin, delta)
    for k in range(K):
        step[k] = <real>delta[k] - dual[k]
        delta[k] = step[k]
        weighted[k] = <real>(weight * step[k])
        sums.rise += delta[k] * s[k]
        sums.along += weighted[k] * <double>raw[k]
        sums.lengths += delta[k] * delta[k]
    sums.rise = weight * (sums.rise + margin * loss.dual_value(delta, y, K))
    sums.lengths *= weight * norm
    return sums


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
    problem, dtype = ascent.problem, np.asarray(W).dtype
    cdef bint averaging = mean is not None, fit_intercept = problem.fit_intercept
    cdef Py_ssize_t K = problem.n_scores, width = W.shape[1], size = min(<Py_ssize_t>ascent.batch_size, rows.shape[0])
    cdef double alpha = problem.alpha, margin = problem.margin, mean_norm = ascent.mean_norm, sigma2 = ascent.sigma2
    cdef double tiny = problem.loss.smallest_curvature
    cdef double beta = -1 if ascent.beta is None else ascent.beta, beta_memory = ascent.beta_memory
    cdef const int64_t[::1] y = np.asarray(problem.y, dtype=np.int64)
    cdef const double[::1] weights = problem.weights, norms = ascent.norms, on_mean = ascent.on_mean
    cdef real[:, ::1] dual = ascent.dual, lag = mean.lag_memory if averaging else W
    cdef double[::1] row_gaps = ascent.row_gaps
    cdef double[::1] imbalance = ascent.imbalance, raw_on_mean = ascent.raw_on_mean, pull = ascent.pull
    cdef double[::1] mean_intercept = mean.intercept if averaging else pull
    cdef double[::1] mean_imbalance = mean.imbalance if averaging else pull
    cdef Py_ssize_t n_seen = mean.n_steps if averaging else 0

    # What one batch needs; its rows are filled up to whole groups.
    cdef Memory memory = Memory(X, places, size, width)
    cdef real[:, ::1] raw = np.zeros((size + ROW_GROUP, width), dtype), steps = np.zeros_like(raw)
    cdef real[:, ::1] weighted = np.zeros_like(raw)
    cdef double[:, ::1] work = np.empty((most_threads, 4 * K))
    cdef double[::1] level = np.empty(K), slope = np.empty(K), total = np.empty(K), on_center = np.empty(K)
    sums_memory = np.empty((size, 4))
    cdef double[:, ::1] sums_numbers = sums_memory
    cdef RowSums* sums = <RowSums*>&sums_numbers[0, 0]

    cdef Py_ssize_t first = 0, i, k, row, n_rows, n_multiplications
    cdef int n_threads
    cdef double spread, rise, along, lengths, curvature, eta, resemblance, moved
    with nogil:
        while first < rows.shape[0]:
            n_rows = min(size, rows.shape[0] - first)
            spread = 0
            n_multiplications = 0
            for i in range(n_rows):
                spread += weights[rows[first + i]]
                n_multiplications += X.n_entries(places[first + i]) * width
            if beta >= 0:
                spread = beta
            n_threads = worth_threads(n_multiplications, most_threads)
            score_rows(X, &places[first], n_rows, &W[0, 0], width, n_threads, &raw[0, 0])

            # To the scores come level + ⟨x_i, μ⟩ slope: `DualAscent._offsets`.
            for k in range(K):
                slope[k] = imbalance[k] / alpha
                level[k] = pull[k] - sigma2 / alpha * imbalance[k] - raw_on_mean[k] - mean_norm * slope[k]
            for i in prange(n_rows, num_threads=n_threads, schedule="static"):
                row = rows[first + i]
                for k in range(K):
                    work[threadid(), 3 * K + k] = level[k] + on_mean[row] * slope[k]
                sums[i] = improve_row(
                    loss, y[row], weights[row], norms[row], <double><real>(spread / alpha * norms[row]), tiny, margin, K,
                    &dual[row, 0], &raw[i, 0], &work[threadid(), 3 * K], &work[threadid(), 0], &steps[i, 0],
                    &weighted[i, 0],
                )
                row_gaps[row] = sums[i].gap

            rise = along = lengths = 0
            total[:] = 0
            on_center[:] = 0
            for i in range(n_rows):
                row = rows[first + i]
                rise += sums[i].rise
                along += sums[i].along
                lengths += sums[i].lengths
                for k in range(K):
                    total[k] += weights[row] * steps[i, k]
                    on_center[k] += on_mean[row] * weights[row] * steps[i, k]
            if rise > 0:
                # The whole step is made at once: η is known afterwards, and seldom less than one.
                moved = add_rows(
                    X, &places[first], n_rows, &weighted[0, 0], width, -1 / alpha, n_threads, memory, &W[0, 0]
                )
                curvature = alpha * (alpha * moved + 2 * along) if X.is_sparse else moved
                for k in range(K):
                    curvature += (mean_norm + sigma2) * total[k] * total[k] - 2 * total[k] * on_center[k]
                curvature = larger(curvature, 0) / alpha
                eta = smaller(rise / curvature, 1) if curvature > 0 else 1
                if eta < 1:
                    add_rows(
                        X, &places[first], n_rows, &weighted[0, 0], width, (1 - eta) / alpha, n_threads, memory,
                        &W[0, 0],
                    )
                if averaging:
                    add_rows(
                        X, &places[first], n_rows, &weighted[0, 0], width, -eta / alpha * n_seen, n_threads, memory,
                        &lag[0, 0],
                    )
                for i in range(n_rows):
                    for k in range(K):
                        dual[rows[first + i], k] += <real>eta * steps[i, k]
                for k in range(K):
                    raw_on_mean[k] -= eta / alpha * on_center[k]
                    if fit_intercept:
                        imbalance[k] += eta * total[k]
                resemblance = curvature * alpha / lengths if lengths > 0 else 0
                beta = resemblance if resemblance > beta else beta_memory * beta + (1 - beta_memory) * resemblance
            if averaging:
                n_seen += 1
                for k in range(K):
                    mean_intercept[k] += (pull[k] - sigma2 / alpha * imbalance[k] - mean_intercept[k]) / n_seen
                    mean_imbalance[k] += (imbalance[k] - mean_imbalance[k]) / n_seen
            first += size
    ascent.beta = beta if beta >= 0 else None
    ascent.t += (rows.shape[0] + size - 1) // size
    if averaging:
        mean.n_steps = n_seen
