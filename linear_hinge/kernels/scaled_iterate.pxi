# The iterate of the methods for streams, whose coefficients lie close together, and products with a few sparse rows.

# How far ahead the coefficients of an entry are fetched.
cdef Py_ssize_t FETCHED_AHEAD = 16

# The numbers of an iterate that its steps change.
cdef enum:
    SCALE, SCALE_SUM, N_AVERAGED, ITERATE_NUMBERS


cdef void shrink(
    double factor, double largest_scale, double* numbers, Py_ssize_t n_coefficients, real* coef, real* lag
) noexcept nogil:
    """`Iterate.shrink`; ``lag`` is NULL where there is no average."""
    cdef Py_ssize_t i
    cdef real scale, scale_sum
    numbers[SCALE] *= factor
    if 1 / largest_scale < fabs(numbers[SCALE]) < largest_scale:
        return
    scale, scale_sum = <real>numbers[SCALE], <real>numbers[SCALE_SUM]
    for i in range(n_coefficients):
        if lag != NULL:
            lag[i] -= scale_sum * coef[i]
        coef[i] *= scale
    numbers[SCALE], numbers[SCALE_SUM] = 1, 0


cdef void move(
    const int64_t* rows, Py_ssize_t n, const real* data, const index* columns, const index* indptr, const real* G,
    Py_ssize_t K, double length, const double* numbers, real* coef, real* lag
) noexcept nogil:
    """`Iterate.move`."""
    length /= numbers[SCALE]
    add_rows_of(rows, n, data, columns, indptr, G, K, <real>length, coef)
    if lag != NULL:
        add_rows_of(rows, n, data, columns, indptr, G, K, <real>(length * numbers[SCALE_SUM]), lag)


cdef void add_to_average(double* numbers, Py_ssize_t K, const real* intercept, real* average) noexcept nogil:
    """`Iterate.add_to_average`."""
    cdef Py_ssize_t k
    numbers[N_AVERAGED] += 1
    numbers[SCALE_SUM] += numbers[N_AVERAGED] * numbers[SCALE]
    for k in range(K):
        average[k] += <real>(2 / (numbers[N_AVERAGED] + 1)) * (intercept[k] - average[k])


cdef void score_rows_of(
    const int64_t* rows, Py_ssize_t n, const real* data, const index* columns, const index* indptr, const real* coef,
    Py_ssize_t K, real* scores
) noexcept nogil:
    """Compute the scores W x_i of some rows."""
    cdef Py_ssize_t i, k, p, last
    cdef const real* coefs
    if K == 1:
        sparse_single_scores(n, rows, data, columns, indptr, coef, scores)
        return
    memset(scores, 0, n * K * sizeof(real))
    for i in range(n):
        last = indptr[rows[i] + 1]
        for p in range(indptr[rows[i]], last):
            coefs = coef + <Py_ssize_t>columns[p] * K
            if p + FETCHED_AHEAD < last:
                fetch(coef + <Py_ssize_t>columns[p + FETCHED_AHEAD] * K, K * sizeof(real))
            for k in range(K):
                scores[i * K + k] += data[p] * coefs[k]


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
    cdef const int64_t[::1] rows = np.arange(X.n_rows)
    _require(X.is_sparse and X.is_double == (sizeof(real) == sizeof(double)))
    _require(G.shape[0] == X.n_rows and G.shape[1] == K and coef.shape[0] == X.n_features)
    if X.n_rows == 0 or K == 0 or X.n_features == 0:
        return
    with nogil:
        if X.is_wide:
            add_rows_of(
                &rows[0], X.n_rows, <const real*>X.data, <const int64_t*>X.indices, <const int64_t*>X.indptr, &G[0, 0],
                K, <real>scale, &coef[0, 0],
            )
        else:
            add_rows_of(
                &rows[0], X.n_rows, <const real*>X.data, <const int32_t*>X.indices, <const int32_t*>X.indptr, &G[0, 0],
                K, <real>scale, &coef[0, 0],
            )


cdef void add_rows_of(
    const int64_t* rows, Py_ssize_t n, const real* data, const index* columns, const index* indptr, const real* G,
    Py_ssize_t K, real scale, real* coef
) noexcept nogil:
    cdef Py_ssize_t i, k, p, last
    cdef real factor
    cdef real* sums
    for i in range(n):
        if any_nonzero(G + i * K, K):
            last = indptr[rows[i] + 1]
            for p in range(indptr[rows[i]], last):
                factor, sums = scale * data[p], coef + <Py_ssize_t>columns[p] * K
                if p + FETCHED_AHEAD < last:
                    fetch(coef + <Py_ssize_t>columns[p + FETCHED_AHEAD] * K, K * sizeof(real))
                for k in range(K):
                    sums[k] += factor * G[i * K + k]
