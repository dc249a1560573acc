# The loops of sparse_loops.h for the fused types: real, and index for the features of sparse entries.

cdef extern from *:
    """
    #define REAL float
    #define INDEX int32_t
    #include "sparse_loops.h"
    #undef INDEX
    #define INDEX int64_t
    #include "sparse_loops.h"
    #undef INDEX
    #undef REAL
    #define REAL double
    #define INDEX int32_t
    #include "sparse_loops.h"
    #undef INDEX
    #define INDEX int64_t
    #include "sparse_loops.h"
    #undef INDEX
    #undef REAL
    """
    void sparse_scores_float_int32_t(
        Py_ssize_t, const float*, const int32_t*, const float*, Py_ssize_t, Py_ssize_t, Py_ssize_t, float*
    ) noexcept nogil
    void sparse_scores_float_int64_t(
        Py_ssize_t, const float*, const int64_t*, const float*, Py_ssize_t, Py_ssize_t, Py_ssize_t, float*
    ) noexcept nogil
    void sparse_scores_double_int32_t(
        Py_ssize_t, const double*, const int32_t*, const double*, Py_ssize_t, Py_ssize_t, Py_ssize_t, double*
    ) noexcept nogil
    void sparse_scores_double_int64_t(
        Py_ssize_t, const double*, const int64_t*, const double*, Py_ssize_t, Py_ssize_t, Py_ssize_t, double*
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
    void sparse_single_scores_float_int32_t(
        Py_ssize_t, const int64_t*, const float*, const int32_t*, const int32_t*, const float*, float*
    ) noexcept nogil
    double sparse_single_add_float_int32_t(
        Py_ssize_t, const int64_t*, const float*, const int32_t*, const int32_t*, const float*, float, float*
    ) noexcept nogil
    void sparse_single_scores_float_int64_t(
        Py_ssize_t, const int64_t*, const float*, const int64_t*, const int64_t*, const float*, float*
    ) noexcept nogil
    double sparse_single_add_float_int64_t(
        Py_ssize_t, const int64_t*, const float*, const int64_t*, const int64_t*, const float*, float, float*
    ) noexcept nogil
    void sparse_single_scores_double_int32_t(
        Py_ssize_t, const int64_t*, const double*, const int32_t*, const int32_t*, const double*, double*
    ) noexcept nogil
    double sparse_single_add_double_int32_t(
        Py_ssize_t, const int64_t*, const double*, const int32_t*, const int32_t*, const double*, double, double*
    ) noexcept nogil
    void sparse_single_scores_double_int64_t(
        Py_ssize_t, const int64_t*, const double*, const int64_t*, const int64_t*, const double*, double*
    ) noexcept nogil
    double sparse_single_add_double_int64_t(
        Py_ssize_t, const int64_t*, const double*, const int64_t*, const int64_t*, const double*, double, double*
    ) noexcept nogil
    void sparse_entry_changes_float_int32_t(
        Py_ssize_t, Py_ssize_t, Py_ssize_t, const float*, const int32_t*, const int32_t*, const int64_t*, const int64_t*,
        const int64_t*, const float*, const double*, const double*, int, double*
    ) noexcept nogil
    void sparse_entry_sums_float_int32_t(
        int, Py_ssize_t, const float*, const int32_t*, const int32_t*, const int64_t*, const int64_t*, const double*, double*
    ) noexcept nogil
    void sparse_entry_changes_float_int64_t(
        Py_ssize_t, Py_ssize_t, Py_ssize_t, const float*, const int64_t*, const int64_t*, const int64_t*, const int64_t*,
        const int64_t*, const float*, const double*, const double*, int, double*
    ) noexcept nogil
    void sparse_entry_sums_float_int64_t(
        int, Py_ssize_t, const float*, const int64_t*, const int64_t*, const int64_t*, const int64_t*, const double*, double*
    ) noexcept nogil
    void sparse_entry_changes_double_int32_t(
        Py_ssize_t, Py_ssize_t, Py_ssize_t, const double*, const int32_t*, const int32_t*, const int64_t*, const int64_t*,
        const int64_t*, const double*, const double*, const double*, int, double*
    ) noexcept nogil
    void sparse_entry_sums_double_int32_t(
        int, Py_ssize_t, const double*, const int32_t*, const int32_t*, const int64_t*, const int64_t*, const double*, double*
    ) noexcept nogil
    void sparse_entry_changes_double_int64_t(
        Py_ssize_t, Py_ssize_t, Py_ssize_t, const double*, const int64_t*, const int64_t*, const int64_t*, const int64_t*,
        const int64_t*, const double*, const double*, const double*, int, double*
    ) noexcept nogil
    void sparse_entry_sums_double_int64_t(
        int, Py_ssize_t, const double*, const int64_t*, const int64_t*, const int64_t*, const int64_t*, const double*, double*
    ) noexcept nogil
    void sparse_sum_float_int32_t(Py_ssize_t, const float*, const int32_t*, const double*, Py_ssize_t, int, double*) noexcept nogil
    double sparse_norm_float_int32_t(Py_ssize_t, const float*, const int32_t*, int64_t, int64_t*, double*) noexcept nogil
    void sparse_sum_float_int64_t(Py_ssize_t, const float*, const int64_t*, const double*, Py_ssize_t, int, double*) noexcept nogil
    double sparse_norm_float_int64_t(Py_ssize_t, const float*, const int64_t*, int64_t, int64_t*, double*) noexcept nogil
    void sparse_sum_double_int32_t(Py_ssize_t, const double*, const int32_t*, const double*, Py_ssize_t, int, double*) noexcept nogil
    double sparse_norm_double_int32_t(Py_ssize_t, const double*, const int32_t*, int64_t, int64_t*, double*) noexcept nogil
    void sparse_sum_double_int64_t(Py_ssize_t, const double*, const int64_t*, const double*, Py_ssize_t, int, double*) noexcept nogil
    double sparse_norm_double_int64_t(Py_ssize_t, const double*, const int64_t*, int64_t, int64_t*, double*) noexcept nogil


cdef inline void sparse_scores(
    Py_ssize_t n, const real* data, const index* columns, const real* W, Py_ssize_t width, Py_ssize_t first,
    Py_ssize_t last, real* scores
) noexcept nogil:
    if real is float:
        if index is int32_t:
            sparse_scores_float_int32_t(n, data, columns, W, width, first, last, scores)
        else:
            sparse_scores_float_int64_t(n, data, columns, W, width, first, last, scores)
    else:
        if index is int32_t:
            sparse_scores_double_int32_t(n, data, columns, W, width, first, last, scores)
        else:
            sparse_scores_double_int64_t(n, data, columns, W, width, first, last, scores)


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


cdef inline void sparse_single_scores(
    Py_ssize_t n_rows, const int64_t* rows, const real* data, const index* columns, const index* indptr, const real* W,
    real* scores
) noexcept nogil:
    if real is float:
        if index is int32_t:
            sparse_single_scores_float_int32_t(n_rows, rows, data, columns, indptr, W, scores)
        else:
            sparse_single_scores_float_int64_t(n_rows, rows, data, columns, indptr, W, scores)
    else:
        if index is int32_t:
            sparse_single_scores_double_int32_t(n_rows, rows, data, columns, indptr, W, scores)
        else:
            sparse_single_scores_double_int64_t(n_rows, rows, data, columns, indptr, W, scores)


cdef inline double sparse_single_add(
    Py_ssize_t n_rows, const int64_t* rows, const real* data, const index* columns, const index* indptr, const real* d,
    real scale, real* W
) noexcept nogil:
    if real is float:
        if index is int32_t:
            return sparse_single_add_float_int32_t(n_rows, rows, data, columns, indptr, d, scale, W)
        else:
            return sparse_single_add_float_int64_t(n_rows, rows, data, columns, indptr, d, scale, W)
    else:
        if index is int32_t:
            return sparse_single_add_double_int32_t(n_rows, rows, data, columns, indptr, d, scale, W)
        else:
            return sparse_single_add_double_int64_t(n_rows, rows, data, columns, indptr, d, scale, W)


cdef inline void sparse_sum(
    Py_ssize_t n, const real* data, const index* columns, const double* g, Py_ssize_t width, int is_squared,
    double* sums
) noexcept nogil:
    if real is float:
        if index is int32_t:
            sparse_sum_float_int32_t(n, data, columns, g, width, is_squared, sums)
        else:
            sparse_sum_float_int64_t(n, data, columns, g, width, is_squared, sums)
    else:
        if index is int32_t:
            sparse_sum_double_int32_t(n, data, columns, g, width, is_squared, sums)
        else:
            sparse_sum_double_int64_t(n, data, columns, g, width, is_squared, sums)


cdef inline double sparse_norm(
    Py_ssize_t n, const real* data, const index* columns, int64_t row, int64_t* last_rows, double* feature_sums
) noexcept nogil:
    if real is float:
        if index is int32_t:
            return sparse_norm_float_int32_t(n, data, columns, row, last_rows, feature_sums)
        else:
            return sparse_norm_float_int64_t(n, data, columns, row, last_rows, feature_sums)
    else:
        if index is int32_t:
            return sparse_norm_double_int32_t(n, data, columns, row, last_rows, feature_sums)
        else:
            return sparse_norm_double_int64_t(n, data, columns, row, last_rows, feature_sums)


cdef inline void sparse_entry_changes(
    Py_ssize_t first, Py_ssize_t last, Py_ssize_t n_features, const real* data, const index* columns, const index* indptr,
    const int64_t* rows, const int64_t* starts, const int64_t* classes, const real* D, const double* b,
    const double* stiffness, int is_centred, double* changes
) noexcept nogil:
    if real is float:
        if index is int32_t:
            sparse_entry_changes_float_int32_t(
                first, last, n_features, data, columns, indptr, rows, starts, classes, D, b, stiffness, is_centred,
                changes,
            )
        else:
            sparse_entry_changes_float_int64_t(
                first, last, n_features, data, columns, indptr, rows, starts, classes, D, b, stiffness, is_centred,
                changes,
            )
    else:
        if index is int32_t:
            sparse_entry_changes_double_int32_t(
                first, last, n_features, data, columns, indptr, rows, starts, classes, D, b, stiffness, is_centred,
                changes,
            )
        else:
            sparse_entry_changes_double_int64_t(
                first, last, n_features, data, columns, indptr, rows, starts, classes, D, b, stiffness, is_centred,
                changes,
            )


cdef inline void sparse_entry_sums(
    int is_squared, Py_ssize_t n_entries, const real* data, const index* columns, const index* indptr, const int64_t* rows,
    const int64_t* entries, const double* G, double* sums
) noexcept nogil:
    if real is float:
        if index is int32_t:
            sparse_entry_sums_float_int32_t(
                is_squared, n_entries, data, columns, indptr, rows, entries, G, sums,
            )
        else:
            sparse_entry_sums_float_int64_t(
                is_squared, n_entries, data, columns, indptr, rows, entries, G, sums,
            )
    else:
        if index is int32_t:
            sparse_entry_sums_double_int32_t(
                is_squared, n_entries, data, columns, indptr, rows, entries, G, sums,
            )
        else:
            sparse_entry_sums_double_int64_t(
                is_squared, n_entries, data, columns, indptr, rows, entries, G, sums,
            )
