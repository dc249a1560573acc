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
    #define INDEX int32_t
    #include "_row_loops.h"
    #undef INDEX
    #define INDEX int64_t
    #include "_row_loops.h"
    #undef INDEX
    #undef REAL
    #define REAL double
    #include "_row_loops.h"
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


cdef inline void dense_scores(
    Py_ssize_t n_features, const real** x, const real* W, Py_ssize_t width, real* scores
) noexcept nogil:
    if real is float:
        dense_scores_float(n_features, <const float* const*>x, W, width, scores)
    else:
        dense_scores_double(n_features, <const double* const*>x, W, width, scores)


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
