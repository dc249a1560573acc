# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The minibatch steps of `_dual_steps`, compiled; nothing else.

`sweep` makes the steps that `DualAscent._step` specifies, batch after batch, without Python in between. The losses are
here a second time, row by row in float64, under the names that they have in `_losses`: prox, value, dual_value.

Threads share the rows of a batch for the scores, and the features that occur in it for the updates: every number is
written by one thread, in an order that does not depend on how many there are.
"""

import numpy as np

from linear_hinge import _losses

from cython.parallel cimport prange, threadid
from libc.math cimport fabs, fmax, fmin
from libc.stdint cimport int32_t, int64_t, intptr_t
from libc.string cimport memset

ctypedef fused real:
    float
    double

ctypedef fused index:
    int32_t
    int64_t

cdef extern from *:
    """
    #include <stddef.h>
    #include <stdint.h>
    #define REAL float
    #include "_row_loops.h"
    #undef REAL
    #define REAL double
    #include "_row_loops.h"
    #undef REAL
    #ifdef _OPENMP
    #include <omp.h>
    #define MAX_THREADS omp_get_max_threads()
    #else
    #define MAX_THREADS 1
    #endif
    """
    int MAX_THREADS
    int ROW_GROUP
    void sparse_scores_float(Py_ssize_t, const float*, const int64_t*, const float*, Py_ssize_t, float*) noexcept nogil
    void sparse_scores_double(Py_ssize_t, const double*, const int64_t*, const double*, Py_ssize_t, double*) noexcept nogil
    void sparse_add_float(Py_ssize_t, const float*, const int64_t*, const float*, Py_ssize_t, Py_ssize_t, Py_ssize_t, float*) noexcept nogil
    void sparse_add_double(Py_ssize_t, const double*, const int64_t*, const double*, Py_ssize_t, Py_ssize_t, Py_ssize_t, double*) noexcept nogil
    void dense_scores_float(Py_ssize_t, const float* const*, const float*, Py_ssize_t, float*) noexcept nogil
    void dense_scores_double(Py_ssize_t, const double* const*, const double*, Py_ssize_t, double*) noexcept nogil
    void dense_add_float(Py_ssize_t, Py_ssize_t, const float* const*, const float* const*, Py_ssize_t, float*) noexcept nogil
    void dense_add_double(Py_ssize_t, Py_ssize_t, const double* const*, const double* const*, Py_ssize_t, double*) noexcept nogil
    double squared_norm_float(const float*, Py_ssize_t) noexcept nogil
    double squared_norm_double(const double*, Py_ssize_t) noexcept nogil
    void add_scaled_float(float*, const float*, float, Py_ssize_t) noexcept nogil
    void add_scaled_double(double*, const double*, double, Py_ssize_t) noexcept nogil


def max_threads():
    """How many threads OpenMP would use; 1 without it."""
    return MAX_THREADS


# A batch whose products need fewer multiplications than this is not worth waking a second thread for.
cdef Py_ssize_t WORTH_THREADS = 1 << 16

# Rows of U that one squared norm is summed over: fixed, so that the sum does not depend on the number of threads.
cdef Py_ssize_t BLOCK = 512

cdef double TINY_CURVATURE = _losses.TINY_CURVATURE


include "_row_losses.pxi"


cdef inline void sparse_scores(
    Py_ssize_t n, const real* data, const int64_t* columns, const real* W, Py_ssize_t width, real* scores
) noexcept nogil:
    if real is float:
        sparse_scores_float(n, data, columns, W, width, scores)
    else:
        sparse_scores_double(n, data, columns, W, width, scores)


cdef inline void sparse_add(
    Py_ssize_t n, const real* data, const int64_t* slots, const real* D, Py_ssize_t width, Py_ssize_t first,
    Py_ssize_t last, real* U
) noexcept nogil:
    if real is float:
        sparse_add_float(n, data, slots, D, width, first, last, U)
    else:
        sparse_add_double(n, data, slots, D, width, first, last, U)


cdef inline void dense_scores(
    Py_ssize_t n_features, const real** x, const real* W, Py_ssize_t width, real* scores
) noexcept nogil:
    if real is float:
        dense_scores_float(n_features, <const float* const*>x, W, width, scores)
    else:
        dense_scores_double(n_features, <const double* const*>x, W, width, scores)


cdef inline void dense_add(
    Py_ssize_t first, Py_ssize_t last, const real** x, const real** D, Py_ssize_t width, real* U
) noexcept nogil:
    if real is float:
        dense_add_float(first, last, <const float* const*>x, <const float* const*>D, width, U)
    else:
        dense_add_double(first, last, <const double* const*>x, <const double* const*>D, width, U)


cdef inline double squared_norm(const real* U, Py_ssize_t n) noexcept nogil:
    if real is float:
        return squared_norm_float(U, n)
    else:
        return squared_norm_double(U, n)


cdef inline void add_scaled(real* target, const real* U, double scale, Py_ssize_t n) noexcept nogil:
    if real is float:
        add_scaled_float(target, U, <float>scale, n)
    else:
        add_scaled_double(target, U, scale, n)


cdef struct Batch:
    # The rows of a batch and, of sparse ones, their entries: entry p of row i is data[begins[i] + p] and stands at
    # firsts[i] + p in `columns`, its feature, and `slots`, the number of that feature among those that occur.
    Py_ssize_t n_rows, n_slots, n_features, width
    bint is_sparse
    int n_threads
    int64_t* begins
    int64_t* firsts
    int64_t* columns
    int64_t* slots
    int64_t* features  # of every slot
    int64_t* slot_of  # of every feature; -1 if it does not occur


cdef Py_ssize_t most_entries_of_a_batch(const int64_t[::1] n_entries, Py_ssize_t size):
    """The greatest sum of ``size`` consecutive numbers of entries, batch by batch; at least 1."""
    cdef Py_ssize_t i, total = 0, most = 1
    for i in range(n_entries.shape[0]):
        total = n_entries[i] + (total if i % size else 0)
        most = max(most, total)
    return most


cdef void take_sparse_rows(
    Batch* batch, const int64_t* rows, const index[::1] indices, const index[::1] indptr
) noexcept nogil:
    """Note where the entries of these rows are, and number the features that occur."""
    cdef Py_ssize_t i, p, n_entries = 0
    cdef int64_t column
    for i in range(batch.n_slots):
        batch.slot_of[batch.features[i]] = -1
    batch.n_slots = 0
    for i in range(batch.n_rows):
        batch.begins[i] = indptr[rows[i]]
        for p in range(indptr[rows[i]], indptr[rows[i] + 1]):
            column = indices[p]
            if batch.slot_of[column] < 0:
                batch.slot_of[column] = batch.n_slots
                batch.features[batch.n_slots] = column
                batch.n_slots += 1
            batch.columns[n_entries] = column
            batch.slots[n_entries] = batch.slot_of[column]
            n_entries += 1
        batch.firsts[i + 1] = n_entries


cdef void take_dense_rows(
    Batch* batch, const int64_t* rows, const real[:, :] X, real[:, ::1] copies, const real** x
) noexcept nogil:
    """Note where these rows begin, the last one again to fill a group; copy them if their entries are apart."""
    cdef Py_ssize_t i, j
    for i in range(batch.n_rows):
        x[i] = &X[rows[i], 0]
        if X.strides[1] != sizeof(real):
            for j in range(batch.n_features):
                copies[i, j] = X[rows[i], j]
            x[i] = &copies[i, 0]
    for i in range(batch.n_rows, batch.n_rows + ROW_GROUP):
        x[i] = x[batch.n_rows - 1]


cdef void score_rows(Batch* batch, const real* data, const real** x, const real* W, real* scores) noexcept nogil:
    """S = X_B Wᵀ."""
    cdef Py_ssize_t i, width = batch.width
    if batch.is_sparse:
        for i in prange(batch.n_rows, num_threads=batch.n_threads, schedule="static"):
            sparse_scores(
                batch.firsts[i + 1] - batch.firsts[i], data + batch.begins[i], batch.columns + batch.firsts[i], W,
                width, scores + i * width,
            )
    else:
        for i in prange(
            (batch.n_rows + ROW_GROUP - 1) // ROW_GROUP, num_threads=batch.n_threads, schedule="static"
        ):
            dense_scores(batch.n_features, x + i * ROW_GROUP, W, width, scores + i * ROW_GROUP * width)


cdef void improve_row(
    RowLoss loss, Py_ssize_t y, double weight, double norm, double rho, double margin, Py_ssize_t K, const real* dual,
    const real* scores, double* work, real* step, real* weighted, double* sums, double* gap
) noexcept nogil:
    """δ_i and ω_i δ_i, what they add to the rise and to the lengths, and the gap of the row."""
    cdef double* g = work
    cdef double* s = work + K
    cdef double* delta = work + 2 * K
    cdef double greatest = 0, along = 0, rise = 0, squared = 0
    cdef Py_ssize_t k
    for k in range(K):
        g[k] = dual[k]
        s[k] = scores[k]
        greatest = fmax(greatest, fabs(s[k]))
        along += g[k] * s[k]
    gap[0] = loss.value(s, y, K, margin) - along - margin * loss.dual_value(g, y, K)
    loss.prox(g, s, y, K, fmax(rho, TINY_CURVATURE * (greatest + margin)), margin, delta)
    for k in range(K):
        step[k] = <real>delta[k] - dual[k]
        delta[k] = step[k]
        weighted[k] = <real>(weight * step[k])
        rise += delta[k] * s[k]
        squared += delta[k] * delta[k]
    sums[0] = weight * (rise + margin * loss.dual_value(delta, y, K))
    sums[1] = weight * norm * squared


cdef bint any_nonzero(const real* numbers, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t k
    for k in range(n):
        if numbers[k] != 0:
            return True
    return False


cdef void add_rows_to_slots(
    Batch* batch, Py_ssize_t first, Py_ssize_t last, Py_ssize_t n_moved, const real* data, const real** x,
    const real** D, const real* weighted, real* U
) noexcept nogil:
    """U = Σ_i ω_i δ_i x_iᵀ in the slots [first, last)."""
    cdef Py_ssize_t i, width = batch.width
    memset(U + first * width, 0, (last - first) * width * sizeof(real))
    if batch.is_sparse:
        for i in range(batch.n_rows):
            if any_nonzero(weighted + i * width, width):
                sparse_add(
                    batch.firsts[i + 1] - batch.firsts[i], data + batch.begins[i], batch.slots + batch.firsts[i],
                    weighted + i * width, width, first, last, U,
                )
    else:
        for i in range((n_moved + ROW_GROUP - 1) // ROW_GROUP):
            dense_add(first, last, x + i * ROW_GROUP, D + i * ROW_GROUP, width, U)


cdef double add_rows(
    Batch* batch, const real* data, const real** x, const real** D, const real* weighted, const real* zeros, real* U,
    double* squares
) noexcept nogil:
    """U = Σ_i ω_i δ_i x_iᵀ; ‖U‖²."""
    cdef Py_ssize_t i, n_moved = 0, n_blocks = (batch.n_slots + BLOCK - 1) // BLOCK
    # Each thread looks at all entries of sparse rows, so that there are as many parts as threads. Dense ones have
    # parts that stay in the cache; rows without a step are left out of the groups.
    cdef Py_ssize_t n_parts = batch.n_threads if batch.is_sparse else n_blocks
    cdef double squared = 0
    if not batch.is_sparse:
        for i in range(batch.n_rows):
            if any_nonzero(weighted + i * batch.width, batch.width):
                x[n_moved] = x[i]
                D[n_moved] = weighted + i * batch.width
                n_moved += 1
        for i in range(n_moved, n_moved + ROW_GROUP):
            x[i] = x[0]
            D[i] = zeros
    for i in prange(n_parts, num_threads=batch.n_threads, schedule="static"):
        add_rows_to_slots(
            batch, batch.n_slots * i // n_parts, batch.n_slots * (i + 1) // n_parts, n_moved, data, x, D, weighted, U
        )
    for i in prange(n_blocks, num_threads=batch.n_threads, schedule="static"):
        squares[i] = squared_norm(
            U + i * BLOCK * batch.width, min(BLOCK, batch.n_slots - i * BLOCK) * batch.width
        )
    for i in range(n_blocks):
        squared += squares[i]
    return squared


cdef void add_direction(Batch* batch, double scale, const real* U, real* target) noexcept nogil:
    """target += scale · U."""
    cdef Py_ssize_t i, width = batch.width
    if batch.is_sparse:
        for i in prange(batch.n_slots, num_threads=batch.n_threads, schedule="static"):
            add_scaled(target + batch.features[i] * width, U + i * width, scale, width)
    else:
        for i in prange((batch.n_slots + BLOCK - 1) // BLOCK, num_threads=batch.n_threads, schedule="static"):
            add_scaled(
                target + i * BLOCK * width, U + i * BLOCK * width, scale,
                min(BLOCK, batch.n_slots - i * BLOCK) * width,
            )


def sweep(ascent, RowLoss loss, real[:, ::1] W, const int64_t[::1] rows, int n_threads, mean=None):
    """Minibatch steps over these rows, in this order, each as `DualAscent._step` makes it.

    Parameters
    ----------
    ascent : DualAscent
        What its `_step` changes is changed here.
    loss : RowLoss
    W : ndarray of shape (n_features, width)
        The memory of ``ascent.raw``, its rows filled up with zeros.
    rows : ndarray of shape (n_rows,)
    n_threads : int
    mean : RunningMean, optional
        Hears of every step.
    """
    problem, X, dtype = ascent.problem, ascent.problem.X, np.asarray(W).dtype
    cdef bint averaging = mean is not None, fit_intercept = problem.fit_intercept, is_wide = False
    cdef Py_ssize_t K = problem.n_scores, size = min(<Py_ssize_t>ascent.batch_size, rows.shape[0]), n_entries = 1
    cdef double alpha = problem.alpha, margin = problem.margin, mean_norm = ascent.mean_norm, sigma2 = ascent.sigma2
    cdef double beta = -1 if ascent.beta is None else ascent.beta, beta_memory = ascent.beta_memory
    cdef const int64_t[::1] y = np.asarray(problem.y, dtype=np.int64)
    cdef const double[::1] weights = problem.weights, norms = ascent.norms, on_mean = ascent.on_mean
    cdef real[:, ::1] dual = ascent.dual, lag = mean.lag_memory if averaging else W
    cdef double[::1] row_gaps = ascent.row_gaps
    cdef double[::1] imbalance = ascent.imbalance, raw_on_mean = ascent.raw_on_mean, pull = ascent.pull
    cdef double[::1] mean_intercept = mean.intercept if averaging else pull
    cdef double[::1] mean_imbalance = mean.imbalance if averaging else pull
    cdef Py_ssize_t n_seen = mean.n_steps if averaging else 0

    cdef Batch batch
    batch.n_features = batch.n_slots = W.shape[0]
    batch.width = W.shape[1]
    batch.is_sparse = hasattr(X, "indptr")
    cdef const real[:, :] dense
    cdef const real[::1] data
    cdef const int32_t[::1] indices32, indptr32
    cdef const int64_t[::1] indices64, indptr64
    cdef const real* entries = NULL
    if batch.is_sparse:
        data, is_wide = X.data, X.indices.dtype == np.int64
        if is_wide:
            indices64, indptr64 = X.indices, X.indptr.astype(np.int64, copy=False)
        else:
            indices32, indptr32 = X.indices, X.indptr.astype(np.int32, copy=False)
        n_entries = most_entries_of_a_batch(np.diff(X.indptr)[np.asarray(rows)].astype(np.int64), size)
        batch.n_slots = 0
        entries = &data[0] if data.shape[0] else NULL
    else:
        dense = X

    # What one batch needs; rows are filled up to whole groups.
    cdef Py_ssize_t n_padded = size + ROW_GROUP, most_slots = min(batch.n_features, n_entries)
    if not batch.is_sparse:
        most_slots = batch.n_features
    cdef Py_ssize_t n_copies = 0 if batch.is_sparse or dense.strides[1] == sizeof(real) else n_padded
    cdef int64_t[:, ::1] of_entries = np.empty((2, n_entries), np.int64), of_rows = np.zeros((2, n_padded), np.int64)
    cdef int64_t[::1] features = np.empty(most_slots, np.int64), slot_of = np.full(batch.n_features, -1, np.int64)
    cdef real[:, ::1] copies = np.zeros((n_copies, batch.n_features), dtype)
    cdef intptr_t[:, ::1] addresses = np.zeros((2, n_padded), np.intp)
    cdef real[:, ::1] scores = np.zeros((n_padded, batch.width), dtype), steps = np.zeros_like(scores)
    cdef real[:, ::1] weighted = np.zeros_like(scores), U = np.empty((most_slots, batch.width), dtype)
    cdef double[:, ::1] work = np.empty((n_threads, 3 * K)), sums = np.empty((size, 2))
    cdef double[::1] squares = np.empty(most_slots // BLOCK + 1)
    cdef double[::1] level = np.empty(K), slope = np.empty(K), total = np.empty(K), on_center = np.empty(K)
    batch.columns, batch.slots, batch.features = &of_entries[0, 0], &of_entries[1, 0], &features[0]
    batch.begins, batch.firsts, batch.slot_of = &of_rows[0, 0], &of_rows[1, 0], &slot_of[0]
    cdef const real** x = <const real**>&addresses[0, 0]
    cdef const real** D = <const real**>&addresses[1, 0]

    cdef Py_ssize_t first = 0, i, k, row, n_multiplications, n_steps = 0
    cdef double spread, rise, lengths, curvature, eta, resemblance
    with nogil:
        while first < rows.shape[0]:
            batch.n_rows = min(size, rows.shape[0] - first)
            if not batch.is_sparse:
                take_dense_rows(&batch, &rows[first], dense, copies, x)
                n_multiplications = batch.n_rows * batch.n_features * batch.width
            else:
                if is_wide:
                    take_sparse_rows(&batch, &rows[first], indices64, indptr64)
                else:
                    take_sparse_rows(&batch, &rows[first], indices32, indptr32)
                n_multiplications = batch.firsts[batch.n_rows] * batch.width
            batch.n_threads = n_threads if n_multiplications > WORTH_THREADS else 1
            score_rows(&batch, entries, x, &W[0, 0], &scores[0, 0])

            # To the scores come level + ⟨x_i, μ⟩ slope: `DualAscent._offsets`.
            for k in range(K):
                slope[k] = imbalance[k] / alpha
                level[k] = pull[k] - sigma2 / alpha * imbalance[k] - raw_on_mean[k] - mean_norm * slope[k]
            spread = beta
            if beta < 0:
                spread = 0
                for i in range(batch.n_rows):
                    spread += weights[rows[first + i]]
            for i in prange(batch.n_rows, num_threads=batch.n_threads, schedule="static"):
                row = rows[first + i]
                for k in range(K):
                    scores[i, k] += <real>(level[k] + on_mean[row] * slope[k])
                improve_row(
                    loss, y[row], weights[row], norms[row], <double><real>(spread / alpha * norms[row]), margin, K,
                    &dual[row, 0], &scores[i, 0], &work[threadid(), 0], &steps[i, 0], &weighted[i, 0], &sums[i, 0],
                    &row_gaps[row],
                )

            rise = lengths = 0
            total[:] = 0
            on_center[:] = 0
            for i in range(batch.n_rows):
                row = rows[first + i]
                rise += sums[i, 0]
                lengths += sums[i, 1]
                for k in range(K):
                    total[k] += weights[row] * steps[i, k]
                    on_center[k] += on_mean[row] * weights[row] * steps[i, k]
            if rise > 0:
                curvature = add_rows(
                    &batch, entries, x, D, &weighted[0, 0], &weighted[size, 0], &U[0, 0], &squares[0]
                )
                for k in range(K):
                    curvature += (mean_norm + sigma2) * total[k] * total[k] - 2 * total[k] * on_center[k]
                curvature = fmax(curvature, 0) / alpha
                eta = fmin(rise / curvature, 1) if curvature > 0 else 1
                add_direction(&batch, -eta / alpha, &U[0, 0], &W[0, 0])
                if averaging:
                    add_direction(&batch, -eta / alpha * n_seen, &U[0, 0], &lag[0, 0])
                for i in range(batch.n_rows):
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
            n_steps += 1
            first += size
    ascent.beta = beta if beta >= 0 else None
    ascent.t += n_steps
    if averaging:
        mean.n_steps = n_seen
