# The loops of row_loops.h and newton_system_loops.h for the fused type real.

from libc.stdint cimport int32_t, int64_t

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
    #include "vectors.h"
    #define REAL float
    #include "row_loops.h"
    #include "newton_system_loops.h"
    #undef REAL
    #define REAL double
    #include "row_loops.h"
    #include "newton_system_loops.h"
    #undef REAL
    """
    int ROW_GROUP
    Py_ssize_t LINE_BYTES
    double dense_norm_float(Py_ssize_t, const float*) noexcept nogil
    double dense_norm_double(Py_ssize_t, const double*) noexcept nogil
    void dense_scores_float(Py_ssize_t, const float* const*, const float*, Py_ssize_t, float*) noexcept nogil
    void dense_scores_double(Py_ssize_t, const double* const*, const double*, Py_ssize_t, double*) noexcept nogil
    double dense_add_float(
        Py_ssize_t, const float* const*, const float* const*, Py_ssize_t, float, Py_ssize_t, Py_ssize_t, float*
    ) noexcept nogil
    double dense_add_double(
        Py_ssize_t, const double* const*, const double* const*, Py_ssize_t, double, Py_ssize_t, Py_ssize_t, double*
    ) noexcept nogil
    void add_row_float(Py_ssize_t, const float*, float*) noexcept nogil
    void take_step_float(Py_ssize_t, float, const float*, float*) noexcept nogil
    void add_step_float(Py_ssize_t, double, double, const float*, double*, double*) noexcept nogil
    void add_row_double(Py_ssize_t, const double*, double*) noexcept nogil
    void take_step_double(Py_ssize_t, double, const double*, double*) noexcept nogil
    void add_step_double(Py_ssize_t, double, double, const double*, double*, double*) noexcept nogil
    void begin_row_float(
        Py_ssize_t, const float*, const float*, const double*, const double*, double, double*, double*, double*, double*
    ) noexcept nogil
    void end_row_float(
        Py_ssize_t, const float*, const float*, const double*, double, double*, float*, float*, double*
    ) noexcept nogil
    void begin_row_double(
        Py_ssize_t, const double*, const double*, const double*, const double*, double, double*, double*, double*, double*
    ) noexcept nogil
    void end_row_double(
        Py_ssize_t, const double*, const double*, const double*, double, double*, double*, double*, double*
    ) noexcept nogil
    void entry_changes_float(
        Py_ssize_t, Py_ssize_t, Py_ssize_t, const float*, Py_ssize_t, const int64_t*, const int64_t*, const int64_t*,
        const float*, const double*, const double*, int, double*
    ) noexcept nogil
    void entry_sums_float(
        int, Py_ssize_t, Py_ssize_t, const float*, Py_ssize_t, const int64_t*, const int64_t*, const double*, double*
    ) noexcept nogil
    void entry_squares_float(
        Py_ssize_t, Py_ssize_t, const float*, Py_ssize_t, const int64_t*, const int64_t*, const double*, double*
    ) noexcept nogil
    void entry_squares_double(
        Py_ssize_t, Py_ssize_t, const double*, Py_ssize_t, const int64_t*, const int64_t*, const double*, double*
    ) noexcept nogil
    void entry_changes_double(
        Py_ssize_t, Py_ssize_t, Py_ssize_t, const double*, Py_ssize_t, const int64_t*, const int64_t*, const int64_t*,
        const double*, const double*, const double*, int, double*
    ) noexcept nogil
    void entry_sums_double(
        int, Py_ssize_t, Py_ssize_t, const double*, Py_ssize_t, const int64_t*, const int64_t*, const double*, double*
    ) noexcept nogil


cdef inline void dense_scores(
    Py_ssize_t n_features, const real** x, const real* W, Py_ssize_t width, real* scores
) noexcept nogil:
    if real is float:
        dense_scores_float(n_features, <const float* const*>x, W, width, scores)
    else:
        dense_scores_double(n_features, <const double* const*>x, W, width, scores)


cdef inline void begin_row(
    Py_ssize_t K, const real* dual, const real* raw_scores, const double* level, const double* slope, double on_mean, double* g,
    double* s, double* inner, double* greatest
) noexcept nogil:
    if K == 1:  # not worth a call
        g[0], s[0] = dual[0], <real>(raw_scores[0] + <real>(level[0] + on_mean * slope[0]))
        inner[0], greatest[0] = g[0] * s[0], fabs(s[0])
    elif real is float:
        begin_row_float(K, dual, raw_scores, level, slope, on_mean, g, s, inner, greatest)
    else:
        begin_row_double(K, dual, raw_scores, level, slope, on_mean, g, s, inner, greatest)


cdef inline void end_row(
    Py_ssize_t K, const real* dual, const real* raw_scores, const double* s, double weight, double* better, real* step,
    real* weighted, double* sums
) noexcept nogil:
    if K == 1:
        step[0] = <real>better[0] - dual[0]
        better[0], weighted[0] = step[0], <real>(weight * step[0])
        sums[0], sums[1], sums[2] = better[0] * s[0], better[0] * raw_scores[0], better[0] * better[0]
    elif real is float:
        end_row_float(K, dual, raw_scores, s, weight, better, step, weighted, sums)
    else:
        end_row_double(K, dual, raw_scores, s, weight, better, step, weighted, sums)


cdef inline void add_row(Py_ssize_t n, const real* a, real* out) noexcept nogil:
    if real is float:
        add_row_float(n, a, out)
    else:
        add_row_double(n, a, out)


cdef inline void take_step(Py_ssize_t K, real eta, const real* step, real* dual) noexcept nogil:
    if K == 1:
        dual[0] += eta * step[0]
    elif real is float:
        take_step_float(K, eta, step, dual)
    else:
        take_step_double(K, eta, step, dual)


cdef inline void add_step(
    Py_ssize_t K, double weight, double on_mean, const real* step, double* total, double* total_on_mean
) noexcept nogil:
    if K == 1:
        total[0] += weight * step[0]
        total_on_mean[0] += on_mean * weight * step[0]
    elif real is float:
        add_step_float(K, weight, on_mean, step, total, total_on_mean)
    else:
        add_step_double(K, weight, on_mean, step, total, total_on_mean)


cdef inline double dense_add(
    Py_ssize_t n_rows, const real** x, const real** D, Py_ssize_t width, real scale, Py_ssize_t first, Py_ssize_t last,
    real* W
) noexcept nogil:
    if real is float:
        return dense_add_float(
            n_rows, <const float* const*>x, <const float* const*>D, width, scale, first, last, W
        )
    else:
        return dense_add_double(
            n_rows, <const double* const*>x, <const double* const*>D, width, scale, first, last, W
        )


cdef inline void entry_changes(
    Py_ssize_t first, Py_ssize_t last, Py_ssize_t n_features, const real* X, Py_ssize_t stride, const int64_t* rows,
    const int64_t* starts, const int64_t* classes, const real* D, const double* b, const double* stiffness, int is_centred,
    double* changes
) noexcept nogil:
    if real is float:
        entry_changes_float(
            first, last, n_features, X, stride, rows, starts, classes, D, b, stiffness, is_centred, changes
        )
    else:
        entry_changes_double(
            first, last, n_features, X, stride, rows, starts, classes, D, b, stiffness, is_centred, changes
        )


cdef inline void entry_sums(
    int is_squared, Py_ssize_t n_entries, Py_ssize_t n, const real* X, Py_ssize_t stride, const int64_t* rows,
    const int64_t* entries, const double* G, double* sums
) noexcept nogil:
    if real is float:
        entry_sums_float(is_squared, n_entries, n, X, stride, rows, entries, G, sums)
    else:
        entry_sums_double(is_squared, n_entries, n, X, stride, rows, entries, G, sums)
