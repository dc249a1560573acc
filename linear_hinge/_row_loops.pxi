# The loops of _row_loops.h for the fused types: real, and index for the features of sparse entries.

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
    #define REAL float
    #include "_row_loops.h"
    #include "_entry_loops.h"
    #define INDEX int32_t
    #include "_row_loops.h"
    #undef INDEX
    #define INDEX int64_t
    #include "_row_loops.h"
    #undef INDEX
    #undef REAL
    #define REAL double
    #include "_row_loops.h"
    #include "_entry_loops.h"
    #define INDEX int32_t
    #include "_row_loops.h"
    #undef INDEX
    #define INDEX int64_t
    #include "_row_loops.h"
    #undef INDEX
    #undef REAL
    """
    int ROW_GROUP
    void dense_scores_float(Py_ssize_t, const float* const*, const float*, Py_ssize_t, float*) noexcept nogil
    void dense_scores_double(Py_ssize_t, const double* const*, const double*, Py_ssize_t, double*) noexcept nogil
    double dense_add_float(
        Py_ssize_t, const float* const*, const float* const*, Py_ssize_t, float, Py_ssize_t, Py_ssize_t, float*
    ) noexcept nogil
    double dense_add_double(
        Py_ssize_t, const double* const*, const double* const*, Py_ssize_t, double, Py_ssize_t, Py_ssize_t, double*
    ) noexcept nogil
    void begin_row_float(
        Py_ssize_t, const float*, const float*, const double*, const double*, double, double*, double*
    ) noexcept nogil
    void end_row_float(Py_ssize_t, const float*, const float*, double, double*, double*, float*, float*) noexcept nogil
    void begin_row_double(
        Py_ssize_t, const double*, const double*, const double*, const double*, double, double*, double*
    ) noexcept nogil
    void end_row_double(Py_ssize_t, const double*, const double*, double, double*, double*, double*, double*) noexcept nogil
    void entry_changes_float(
        Py_ssize_t, Py_ssize_t, Py_ssize_t, const float*, Py_ssize_t, const int64_t*, const int64_t*, const int64_t*,
        const float*, const double*, const double*, int, double*
    ) noexcept nogil
    void entry_sums_float(
        int, Py_ssize_t, Py_ssize_t, const float*, Py_ssize_t, const int64_t*, const int64_t*, const double*, double*
    ) noexcept nogil
    void entry_changes_double(
        Py_ssize_t, Py_ssize_t, Py_ssize_t, const double*, Py_ssize_t, const int64_t*, const int64_t*, const int64_t*,
        const double*, const double*, const double*, int, double*
    ) noexcept nogil
    void entry_sums_double(
        int, Py_ssize_t, Py_ssize_t, const double*, Py_ssize_t, const int64_t*, const int64_t*, const double*, double*
    ) noexcept nogil
    void sparse_scores_float_int32_t(
        Py_ssize_t, const float*, const int32_t*, const float*, Py_ssize_t, float*
    ) noexcept nogil
    void sparse_scores_float_int64_t(
        Py_ssize_t, const float*, const int64_t*, const float*, Py_ssize_t, float*
    ) noexcept nogil
    void sparse_scores_double_int32_t(
        Py_ssize_t, const double*, const int32_t*, const double*, Py_ssize_t, double*
    ) noexcept nogil
    void sparse_scores_double_int64_t(
        Py_ssize_t, const double*, const int64_t*, const double*, Py_ssize_t, double*
    ) noexcept nogil
    void sparse_add_float_int32_t(
        Py_ssize_t, const float*, const int32_t*, const float*, Py_ssize_t, float, Py_ssize_t, Py_ssize_t, float*, double*
    ) noexcept nogil
    void sparse_add_float_int64_t(
        Py_ssize_t, const float*, const int64_t*, const float*, Py_ssize_t, float, Py_ssize_t, Py_ssize_t, float*, double*
    ) noexcept nogil
    void sparse_add_double_int32_t(
        Py_ssize_t, const double*, const int32_t*, const double*, Py_ssize_t, double, Py_ssize_t, Py_ssize_t, double*,
        double*
    ) noexcept nogil
    void sparse_add_double_int64_t(
        Py_ssize_t, const double*, const int64_t*, const double*, Py_ssize_t, double, Py_ssize_t, Py_ssize_t, double*,
        double*
    ) noexcept nogil

    void sparse_sum_float_int32_t(
        Py_ssize_t, const float*, const int32_t*, const double*, Py_ssize_t, int, Py_ssize_t, Py_ssize_t, double*
    ) noexcept nogil
    double sparse_norm_float_int32_t(Py_ssize_t, const float*, const int32_t*, double*) noexcept nogil
    void sparse_sum_float_int64_t(
        Py_ssize_t, const float*, const int64_t*, const double*, Py_ssize_t, int, Py_ssize_t, Py_ssize_t, double*
    ) noexcept nogil
    double sparse_norm_float_int64_t(Py_ssize_t, const float*, const int64_t*, double*) noexcept nogil
    void sparse_sum_double_int32_t(
        Py_ssize_t, const double*, const int32_t*, const double*, Py_ssize_t, int, Py_ssize_t, Py_ssize_t, double*
    ) noexcept nogil
    double sparse_norm_double_int32_t(Py_ssize_t, const double*, const int32_t*, double*) noexcept nogil
    void sparse_sum_double_int64_t(
        Py_ssize_t, const double*, const int64_t*, const double*, Py_ssize_t, int, Py_ssize_t, Py_ssize_t, double*
    ) noexcept nogil
    double sparse_norm_double_int64_t(Py_ssize_t, const double*, const int64_t*, double*) noexcept nogil


cdef inline void dense_scores(
    Py_ssize_t n_features, const real** x, const real* W, Py_ssize_t width, real* scores
) noexcept nogil:
    if real is float:
        dense_scores_float(n_features, <const float* const*>x, W, width, scores)
    else:
        dense_scores_double(n_features, <const double* const*>x, W, width, scores)


cdef inline void begin_row(
    Py_ssize_t K, const real* dual, const real* raw, const double* level, const double* slope, double on_mean, double* g,
    double* s
) noexcept nogil:
    if real is float:
        begin_row_float(K, dual, raw, level, slope, on_mean, g, s)
    else:
        begin_row_double(K, dual, raw, level, slope, on_mean, g, s)


cdef inline void end_row(
    Py_ssize_t K, const real* dual, const real* raw, double weight, double* better, double* wide_raw, real* step,
    real* weighted
) noexcept nogil:
    if real is float:
        end_row_float(K, dual, raw, weight, better, wide_raw, step, weighted)
    else:
        end_row_double(K, dual, raw, weight, better, wide_raw, step, weighted)


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


cdef inline void sparse_scores(
    Py_ssize_t n, const real* data, const index* columns, const real* W, Py_ssize_t width, real* scores
) noexcept nogil:
    if real is float:
        if index is int32_t:
            sparse_scores_float_int32_t(n, data, columns, W, width, scores)
        else:
            sparse_scores_float_int64_t(n, data, columns, W, width, scores)
    else:
        if index is int32_t:
            sparse_scores_double_int32_t(n, data, columns, W, width, scores)
        else:
            sparse_scores_double_int64_t(n, data, columns, W, width, scores)


cdef inline void sparse_add(
    Py_ssize_t n, const real* data, const index* columns, const real* D, Py_ssize_t width, real scale, Py_ssize_t first,
    Py_ssize_t last, real* W, double* growth
) noexcept nogil:
    if real is float:
        if index is int32_t:
            sparse_add_float_int32_t(n, data, columns, D, width, scale, first, last, W, growth)
        else:
            sparse_add_float_int64_t(n, data, columns, D, width, scale, first, last, W, growth)
    else:
        if index is int32_t:
            sparse_add_double_int32_t(n, data, columns, D, width, scale, first, last, W, growth)
        else:
            sparse_add_double_int64_t(n, data, columns, D, width, scale, first, last, W, growth)


cdef inline void sparse_sum(
    Py_ssize_t n, const real* data, const index* columns, const double* g, Py_ssize_t width, int is_squared,
    Py_ssize_t first, Py_ssize_t last, double* sums
) noexcept nogil:
    if real is float:
        if index is int32_t:
            sparse_sum_float_int32_t(n, data, columns, g, width, is_squared, first, last, sums)
        else:
            sparse_sum_float_int64_t(n, data, columns, g, width, is_squared, first, last, sums)
    else:
        if index is int32_t:
            sparse_sum_double_int32_t(n, data, columns, g, width, is_squared, first, last, sums)
        else:
            sparse_sum_double_int64_t(n, data, columns, g, width, is_squared, first, last, sums)


cdef inline double sparse_norm(Py_ssize_t n, const real* data, const index* columns, double* feature_sums) noexcept nogil:
    if real is float:
        if index is int32_t:
            return sparse_norm_float_int32_t(n, data, columns, feature_sums)
        else:
            return sparse_norm_float_int64_t(n, data, columns, feature_sums)
    else:
        if index is int32_t:
            return sparse_norm_double_int32_t(n, data, columns, feature_sums)
        else:
            return sparse_norm_double_int64_t(n, data, columns, feature_sums)
