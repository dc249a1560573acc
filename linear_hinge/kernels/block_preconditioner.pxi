# The class blocks of a Newton system over entries, and their Cholesky factors.


def class_blocks(
    Entries at, const double[::1] own, const double[::1] mean, double alpha, double last, bint has_intercept,
    double smallest_pivot, int most_threads
):
    """Compute `block_factors` of `block_preconditioner.py`.

    Parameters
    ----------
    at : Entries
        The free entries.
    own : ndarray of shape (n_entries,)
        The numbers (ω_i/ρ) (J_i)_kk of the entries.
    mean : ndarray of shape (n_features,)
        The mean μ, which is subtracted from the rows.
    alpha, last : float
        What is added to the diagonal: for the features, and for the intercept.
    has_intercept : bool
        Whether there is an intercept.
    smallest_pivot : float
        The smallest pivot, relative to the diagonal.
    most_threads : int
        Number of threads at most.

    Returns
    -------
    ndarray of shape (n_classes, n_features + 1, n_features + 1)
        The Cholesky factors, in the lower triangles.
    """
    cdef Py_ssize_t k, D = at.n_features + 1
    factors = np.zeros((at.n_classes, D, D))
    cdef double[:, :, ::1] blocks = factors
    cdef int n_threads = worth_threads(own.shape[0] * D * D // 2 + at.n_classes * D * D * D // 6, most_threads)
    for k in prange(at.n_classes, num_threads=n_threads, schedule="dynamic", nogil=True):
        if at.class_starts[k + 1] > at.class_starts[k]:
            add_squares(at, k, &own[0], &blocks[k, 0, 0])
        centre_block(D, &mean[0], alpha, last, has_intercept, &blocks[k, 0, 0])
        factorise(D, smallest_pivot, &blocks[k, 0, 0])
    return factors


cdef void add_squares(Entries at, Py_ssize_t k, const double* own, double* block) noexcept nogil:
    """Add Σ_i own_i (x_i, 1)(x_i, 1)ᵀ of one class, in the lower triangle."""
    cdef Py_ssize_t start = at.class_starts[k], n = at.class_starts[k + 1] - start
    cdef const int64_t* rows = &at.class_rows[start]
    cdef const int64_t* entries = &at.class_entries[start]
    if at.X.is_double and not at.X.is_sparse:
        entry_squares_double(n, at.n_features, <const double*>at.X.data, at.X.stride, rows, entries, own, block)
    elif not at.X.is_sparse:
        entry_squares_float(n, at.n_features, <const float*>at.X.data, at.X.stride, rows, entries, own, block)
    elif at.X.is_double:
        add_sparse_squares(at, n, rows, entries, <const double*>at.X.data, own, block)
    else:
        add_sparse_squares(at, n, rows, entries, <const float*>at.X.data, own, block)


cdef void add_sparse_squares(
    Entries at, Py_ssize_t n, const int64_t* rows, const int64_t* entries, const real* data, const double* own,
    double* block
) noexcept nogil:
    cdef Py_ssize_t e
    for e in range(n):
        if at.X.is_wide:
            add_square(at.n_features, rows[e], data, <const int64_t*>at.X.indices, <const int64_t*>at.X.indptr,
                       own[entries[e]], block)
        else:
            add_square(at.n_features, rows[e], data, <const int32_t*>at.X.indices, <const int32_t*>at.X.indptr,
                       own[entries[e]], block)


cdef inline void add_square(
    Py_ssize_t n_features, Py_ssize_t row, const real* data, const index* columns, const index* indptr, double own,
    double* block
) noexcept nogil:
    """Add the term of a sparse row, whose columns are in order."""
    cdef Py_ssize_t p, q
    cdef double* line
    for p in range(indptr[row], indptr[row + 1]):
        line = block + columns[p] * (n_features + 1)
        for q in range(indptr[row], p + 1):
            line[columns[q]] += own * data[p] * data[q]
        block[n_features * (n_features + 1) + columns[p]] += own * data[p]
    block[(n_features + 1) * (n_features + 1) - 1] += own


cdef void centre_block(
    Py_ssize_t D, const double* mean, double alpha, double last, bint has_intercept, double* block
) noexcept nogil:
    """Turn the sums over (x_i, 1) into those over (x_i − μ, 1), and add to the diagonal."""
    cdef Py_ssize_t i, j, d = D - 1
    cdef double* sums = block + d * D
    cdef double total = sums[d]
    for i in range(d):
        for j in range(i + 1):
            block[i * D + j] += mean[i] * mean[j] * total - sums[i] * mean[j] - mean[i] * sums[j]
        block[i * D + i] = max(block[i * D + i], 0) + alpha
    for j in range(d):
        sums[j] = (sums[j] - mean[j] * total) * has_intercept
    sums[d] = total + last if has_intercept else last


cdef void factorise(Py_ssize_t D, double smallest_pivot, double* block) noexcept nogil:
    """Compute L with L Lᵀ the block, in its place."""
    cdef Py_ssize_t i, j
    cdef double least
    for i in range(D):
        least = smallest_pivot * block[i * D + i]
        for j in range(i):
            block[i * D + j] = (block[i * D + j] - inner_of(j, block + i * D, block + j * D)) / block[j * D + j]
        block[i * D + i] = sqrt(max(block[i * D + i] - inner_of(i, block + i * D, block + i * D), least))


cdef void solve_block(Py_ssize_t D, const double* factor, double* rest) noexcept nogil:
    """Compute L⁻ᵀ L⁻¹ r, in the place of r."""
    cdef Py_ssize_t j
    for j in range(D):
        rest[j] = (rest[j] - inner_of(j, factor + j * D, rest)) / factor[j * D + j]
    for j in range(D - 1, -1, -1):
        rest[j] /= factor[j * D + j]
        add_scaled(j, -rest[j], factor + j * D, 1, rest)
