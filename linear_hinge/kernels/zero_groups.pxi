# Dense rows in which many groups of features are zero: computations with the other groups only, which the bits of
# zero_group_loops.h mark.

cdef extern from *:
    Py_ssize_t OCCUPIED_BLOCK
    double dense_norm_float(Py_ssize_t, const float*, uint32_t*) noexcept nogil
    double dense_norm_double(Py_ssize_t, const double*, uint32_t*) noexcept nogil
    void occupied_scores_float(Py_ssize_t, uint32_t, const float*, const float*, Py_ssize_t, float*) noexcept nogil
    void occupied_scores_double(Py_ssize_t, uint32_t, const double*, const double*, Py_ssize_t, double*) noexcept nogil
    void fetch_occupied_float(uint32_t, const float*) noexcept nogil
    void fetch_occupied_double(uint32_t, const double*) noexcept nogil
    double occupied_add_float(
        Py_ssize_t, const float**, const float**, const intptr_t*, Py_ssize_t, float, Py_ssize_t, Py_ssize_t, float*
    ) noexcept nogil
    double occupied_add_double(
        Py_ssize_t, const double**, const double**, const intptr_t*, Py_ssize_t, double, Py_ssize_t, Py_ssize_t, double*
    ) noexcept nogil


def dense_norms(
    Rows X, Py_ssize_t first, Py_ssize_t last, int most_threads, double[::1] norms, uint32_t[:, ::1] occupied
):
    """Compute ‖x_i‖² of the dense rows from first to last, and their bits.

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
    occupied : ndarray of shape (n_samples, n_blocks), dtype=uint32
        Place for the bits; they are not wanted if there are no rows in it.
    """
    cdef Py_ssize_t i
    cdef int n_threads = worth_threads(X.n_between(first, last), most_threads)
    for i in prange(first, last, num_threads=n_threads, schedule="static", nogil=True):
        if X.is_double:
            norms[i] = norm_of_dense_row(X, <const double*>X.data, i, occupied)
        else:
            norms[i] = norm_of_dense_row(X, <const float*>X.data, i, occupied)


cdef inline double norm_of_dense_row(
    Rows X, const real* data, Py_ssize_t row, uint32_t[:, ::1] occupied
) noexcept nogil:
    cdef uint32_t* bits = &occupied[row, 0] if occupied.shape[0] > 0 else NULL
    if real is float:
        return dense_norm_float(X.n_features, data + X.begin(row), bits)
    else:
        return dense_norm_double(X.n_features, data + X.begin(row), bits)


cdef void score_occupied_row(
    Rows X, Py_ssize_t row, const real* W, Py_ssize_t width, Py_ssize_t first_block, Py_ssize_t last_block, real* scores
) noexcept nogil:
    """Compute the part of the scores of a row that some blocks of features contribute."""
    cdef Py_ssize_t block, first, n
    cdef const real* x = <const real*>X.data + X.begin(row)
    memset(scores, 0, width * sizeof(real))
    for block in range(first_block, last_block):
        first = block * BLOCK
        n = min(BLOCK, X.n_features - first)
        if real is float:
            occupied_scores_float(n, X.bits(row, block), x + first, W + first * width, width, scores)
        else:
            occupied_scores_double(n, X.bits(row, block), x + first, W + first * width, width, scores)


cdef inline void fetch_block(Rows X, Py_ssize_t row, Py_ssize_t block, const real* data) noexcept nogil:
    """Fetch the memory of a row's block of features that will be needed soon."""
    cdef const real* x = data + X.begin(row) + block * BLOCK
    if X.occupied == NULL:
        fetch(x, min(BLOCK, X.n_features - block * BLOCK) * sizeof(real))
    elif real is float:
        fetch_occupied_float(X.bits(row, block), x)
    else:
        fetch_occupied_double(X.bits(row, block), x)


cdef inline double occupied_add(
    Py_ssize_t n_rows, const real** x, const real** D, const intptr_t* bits, Py_ssize_t width, real scale, Py_ssize_t first,
    Py_ssize_t last, real* W
) noexcept nogil:
    if real is float:
        return occupied_add_float(n_rows, <const float**>x, <const float**>D, bits, width, scale, first, last, W)
    else:
        return occupied_add_double(n_rows, <const double**>x, <const double**>D, bits, width, scale, first, last, W)
