# A thread's slice of the products of a batch: some of the features of dense rows, or some of the classes of sparse rows.
# No entry of W is ever read by one thread and written by another.

# Addresses that a thread needs for every row of a batch: of the row and of its subgradient.
cdef Py_ssize_t ADDRESSES = 2


cdef struct Slice:
    # The blocks of features, or the classes, from first to last.
    Py_ssize_t first, last


cdef Py_ssize_t n_slices(Rows X, Py_ssize_t width, Py_ssize_t itemsize) noexcept nogil:
    """Return how many slices there can be: blocks of features of dense rows, or some lines of a row of W for sparse."""
    if not X.is_sparse:
        return n_blocks_of(X)
    return max(1, width * itemsize // (SHARED_LINES * LINE_BYTES))


cdef Slice slice_of(Rows X, Py_ssize_t width, Py_ssize_t itemsize, int thread, int n_threads) noexcept nogil:
    cdef Slice mine
    cdef Py_ssize_t n = n_slices(X, width, itemsize), classes = SHARED_LINES * LINE_BYTES // itemsize
    mine.first, mine.last = n * thread // n_threads, n * (thread + 1) // n_threads
    if X.is_sparse:
        mine.first, mine.last = mine.first * classes, width if thread == n_threads - 1 else mine.last * classes
    return mine


cdef Py_ssize_t n_squares_of(Rows X, Py_ssize_t width) noexcept nogil:
    """Return the number of sums of squares: one for every block of features of dense rows, or every class of sparse."""
    return width if X.is_sparse else n_blocks_of(X)


cdef double total_square(Rows X, Py_ssize_t width, const double* squares) noexcept nogil:
    """Add up the sums of squares of all slices, in an order that does not depend on their number."""
    cdef Py_ssize_t i
    cdef double total = 0
    for i in range(n_squares_of(X, width)):
        total += squares[i]
    return total


cdef void score_slice(
    Rows X, const int64_t* rows, Py_ssize_t n_rows, Py_ssize_t n_next, const real* W, Py_ssize_t width, Slice mine,
    real* scores
) noexcept nogil:
    """Compute a slice of the scores of the first n_rows rows, while the rows after them are fetched. For sparse rows these
    are the scores of some classes; for dense rows the part of the scores of some blocks of features, in an array of shape
    (n_blocks, whole groups of rows, width)."""
    cdef Py_ssize_t block, n_groups = (n_rows + ROW_GROUP - 1) // ROW_GROUP
    if X.is_sparse:
        score_sparse_rows(X, rows, n_rows, W, width, mine.first, mine.last, scores)
        return
    for block in range(mine.first, mine.last):
        score_block(X, rows, n_rows, n_next, W, width, block, scores + block * n_groups * ROW_GROUP * width)


cdef void score_block(
    Rows X, const int64_t* rows, Py_ssize_t n_rows, Py_ssize_t n_next, const real* W, Py_ssize_t width, Py_ssize_t block,
    real* scores
) noexcept nogil:
    cdef Py_ssize_t i, first = block * BLOCK, last = min(first + BLOCK, X.n_features)
    for i in range(n_rows):
        if i < n_next:
            fetch(<const real*>X.data + X.begin(rows[n_rows + i]) + first, (last - first) * sizeof(real))
        if i % ROW_GROUP == 0:
            score_dense_group(X, rows, i, n_rows, W, width, first, last, scores + i * width)


cdef void add_up_scores(
    Rows X, Py_ssize_t n_rows, Py_ssize_t width, Py_ssize_t first_row, Py_ssize_t last_row, real* scores
) noexcept nogil:
    """Add up the scores of dense rows, in the place of the first block."""
    cdef Py_ssize_t block, size = (n_rows + ROW_GROUP - 1) // ROW_GROUP * ROW_GROUP * width
    if X.is_sparse:
        return
    for block in range(1, n_blocks_of(X)):
        add_row((last_row - first_row) * width, scores + block * size + first_row * width, scores + first_row * width)


cdef void add_slice(
    Rows X, const int64_t* rows, Py_ssize_t n_rows, const real* G, Py_ssize_t width, double scale, Slice mine,
    intptr_t* addresses, double* squares, real* W
) noexcept nogil:
    """W += scale · U with U = Σ_i g_i x_iᵀ. To squares comes ‖U‖² of every block of features of dense rows, or the growth
    of ‖W‖² in every block of classes of sparse rows. Rows with g_i = 0 are left out."""
    if X.is_sparse:
        add_classes(X, rows, n_rows, G, width, scale, mine, squares, W)
    else:
        add_features(X, rows, n_rows, G, width, scale, mine, addresses, squares, W)


cdef void add_features(
    Rows X, const int64_t* rows, Py_ssize_t n_rows, const real* G, Py_ssize_t width, double scale, Slice mine,
    intptr_t* addresses, double* squares, real* W
) noexcept nogil:
    cdef const real** x = <const real**>addresses
    cdef const real** D = <const real**>(addresses + n_rows)
    cdef Py_ssize_t i, block, last, n_moved = 0
    for i in range(n_rows):
        if any_nonzero(G + i * width, width):
            x[n_moved], D[n_moved] = <const real*>X.data + X.begin(rows[i]), G + i * width
            n_moved += 1
    for block in range(mine.first, mine.last):
        last = min((block + 1) * BLOCK, X.n_features)
        squares[block] = dense_add(n_moved, x, D, width, <real>scale, block * BLOCK, last, W)


cdef void add_classes(
    Rows X, const int64_t* rows, Py_ssize_t n_rows, const real* G, Py_ssize_t width, double scale, Slice mine,
    double* growth, real* W
) noexcept nogil:
    if X.is_wide:
        add_indexed_rows(
            rows, n_rows, <const real*>X.data, <const int64_t*>X.indices, <const int64_t*>X.indptr, G, width, scale, mine,
            growth, W,
        )
    else:
        add_indexed_rows(
            rows, n_rows, <const real*>X.data, <const int32_t*>X.indices, <const int32_t*>X.indptr, G, width, scale, mine,
            growth, W,
        )


cdef void add_indexed_rows(
    const int64_t* rows, Py_ssize_t n_rows, const real* data, const index* columns, const index* indptr, const real* G,
    Py_ssize_t width, double scale, Slice mine, double* growth, real* W
) noexcept nogil:
    cdef Py_ssize_t i, begin
    if width == 1:
        growth[0] = sparse_single_add(n_rows, rows, data, columns, indptr, G, <real>scale, W)
        return
    memset(growth + mine.first, 0, (mine.last - mine.first) * sizeof(double))
    for i in range(n_rows):
        if any_nonzero(G + i * width + mine.first, mine.last - mine.first):
            begin = indptr[rows[i]]
            sparse_add(
                indptr[rows[i] + 1] - begin, data + begin, columns + begin, G + i * width, width, <real>scale, mine.first,
                mine.last, W, growth,
            )
