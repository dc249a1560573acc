# The sparse rows of one batch of a stream: their Gram matrix, and their sum in coefficients.


def gram(Rows X):
    """Compute X Xᵀ of few sparse rows, in float64.

    Parameters
    ----------
    X : Rows
        The rows, which are sparse.

    Returns
    -------
    ndarray of shape (n_rows, n_rows), dtype=float64
        The Gram matrix.
    """
    products, dense = np.empty((X.n_rows, X.n_rows)), np.zeros(X.n_features + 1)
    cdef double[:, ::1] K = products
    cdef double[::1] x = dense
    _require(X.is_sparse)
    if X.n_rows == 0:
        return products
    with nogil:
        if X.is_double and X.is_wide:
            gram_of(X, <const double*>X.data, <const int64_t*>X.indices, <const int64_t*>X.indptr, &x[0], &K[0, 0])
        elif X.is_double:
            gram_of(X, <const double*>X.data, <const int32_t*>X.indices, <const int32_t*>X.indptr, &x[0], &K[0, 0])
        elif X.is_wide:
            gram_of(X, <const float*>X.data, <const int64_t*>X.indices, <const int64_t*>X.indptr, &x[0], &K[0, 0])
        else:
            gram_of(X, <const float*>X.data, <const int32_t*>X.indices, <const int32_t*>X.indptr, &x[0], &K[0, 0])
    return products


cdef void gram_of(
    Rows X, const real* data, const index* columns, const index* indptr, double* dense, double* products
) noexcept nogil:
    """``dense``, as long as a row and zero, holds one row at a time."""
    cdef Py_ssize_t i, j, p, n = X.n_rows
    cdef double total
    for i in range(n):
        for p in range(indptr[i], indptr[i + 1]):
            dense[columns[p]] += data[p]
        for j in range(i + 1):
            total = 0
            for p in range(indptr[j], indptr[j + 1]):
                total += data[p] * dense[columns[p]]
            products[i * n + j] = products[j * n + i] = total
        for p in range(indptr[i], indptr[i + 1]):
            dense[columns[p]] = 0


def add_rows(Rows X, const real[:, ::1] G, double scale, real[:, ::1] coef):
    """Add a multiple of Xᵀ G, over few sparse rows, to coefficients.

    Parameters
    ----------
    X : Rows
        The rows, which are sparse.
    G : ndarray of shape (n_rows, n_scores)
        The factor.
    scale : float
        The multiple.
    coef : ndarray of shape (n_features, n_scores)
        The transposed coefficients, changed in place.
    """
    cdef Py_ssize_t K = coef.shape[1]
    _require(X.is_sparse and X.is_double == (sizeof(real) == sizeof(double)))
    _require(G.shape[0] == X.n_rows and G.shape[1] == K and coef.shape[0] == X.n_features)
    if X.n_rows == 0 or K == 0 or X.n_features == 0:
        return
    with nogil:
        if X.is_wide:
            add_rows_of(
                X, <const real*>X.data, <const int64_t*>X.indices, <const int64_t*>X.indptr, &G[0, 0], K, <real>scale,
                &coef[0, 0],
            )
        else:
            add_rows_of(
                X, <const real*>X.data, <const int32_t*>X.indices, <const int32_t*>X.indptr, &G[0, 0], K, <real>scale,
                &coef[0, 0],
            )


cdef void add_rows_of(
    Rows X, const real* data, const index* columns, const index* indptr, const real* G, Py_ssize_t K, real scale, real* coef
) noexcept nogil:
    cdef Py_ssize_t i, k, p
    cdef real factor
    cdef real* sums
    for i in range(X.n_rows):
        if any_nonzero(G + i * K, K):
            for p in range(indptr[i], indptr[i + 1]):
                factor, sums = scale * data[p], coef + <Py_ssize_t>columns[p] * K
                for k in range(K):
                    sums[k] += factor * G[i * K + k]
