# Products with the rows of X and sums of them, shared by threads: every number is written by one thread, in an order
# that does not depend on how many there are.

from cython.parallel cimport prange, threadid
from libc.stdint cimport intptr_t

# Products with fewer multiplications than this are not worth waking a second thread for, as long as nobody sets it.
cdef Py_ssize_t worth = 1 << 19

# What one thread writes into W in a step, the others read in the next: threads are worth so many times less there.
cdef Py_ssize_t EXCHANGE = 8

# What a loss costs for every score, in multiplications, and rows that a thread works on at a time.
cdef Py_ssize_t LOSS_COST = 16
cdef Py_ssize_t LOSS_ROWS = 256

# Entries of a row that are fetched before its batch begins.
cdef Py_ssize_t FETCHED_ENTRIES = 32

# Rows whose entries one thread works on at a time.
cdef Py_ssize_t ENTRY_ROWS = 256

# Features that one squared norm is summed over: fixed, so that the sum does not depend on the number of threads.
cdef Py_ssize_t BLOCK = 128


cdef class Rows:
    """The rows of X, dense with contiguous rows or CSR, without Python in between.

    Parameters
    ----------
    X : ndarray or CSR array of shape (n_samples, n_features), float32 or float64
    """

    cdef bint is_sparse, is_wide, is_double
    cdef Py_ssize_t n_rows, n_features, stride
    cdef const void* data
    cdef const void* indices
    cdef const void* indptr
    cdef tuple kept

    def __init__(self, X):
        self.n_rows, self.n_features = X.shape
        self.is_sparse, self.is_double = hasattr(X, "indptr"), X.dtype.itemsize == 8
        if self.is_sparse:
            self.is_wide = X.indices.dtype.itemsize == 8
            self.kept = (X.data, X.indices, X.indptr.astype(X.indices.dtype, copy=False))
            self.indices, self.indptr = address(self.kept[1]), address(self.kept[2])
        else:
            self.stride = X.strides[0] // X.itemsize
            self.kept = (X,)
        self.data = address(self.kept[0])

    cdef Py_ssize_t begin(self, Py_ssize_t row) noexcept nogil:
        """Where the entries of a row begin in the data."""
        if not self.is_sparse:
            return row * self.stride
        if self.is_wide:
            return (<const int64_t*>self.indptr)[row]
        return (<const int32_t*>self.indptr)[row]

    cdef Py_ssize_t n_entries(self, Py_ssize_t row) noexcept nogil:
        return self.begin(row + 1) - self.begin(row) if self.is_sparse else self.n_features


    cdef Py_ssize_t n_between(self, Py_ssize_t first, Py_ssize_t last) noexcept nogil:
        """How many entries these rows have."""
        return self.begin(last) - self.begin(first) if self.is_sparse else (last - first) * self.n_features


cdef void* address(array):
    return <void*><intptr_t>array.ctypes.data


def set_worth_threads(Py_ssize_t n_multiplications):
    """From how many multiplications on more than one thread is used."""
    global worth
    worth = n_multiplications


def team_seconds(int n_threads):
    """How long it takes to wake so many threads and to wait for them, in seconds; once they are started."""
    cdef double start = 0
    cdef int i, attempt
    cdef double[::1] done = np.zeros(n_threads)
    for attempt in range(4):
        if attempt == 1:
            start = time.perf_counter()
        for i in prange(n_threads, num_threads=n_threads, schedule="static", nogil=True):
            done[i] = attempt
    return (time.perf_counter() - start) / 3


cdef int worth_threads(Py_ssize_t n_multiplications, int n_threads) noexcept nogil:
    return n_threads if n_multiplications > worth else 1


cdef void score_rows(
    Rows X, const int64_t* rows, Py_ssize_t n_rows, const real* W, Py_ssize_t width, int n_threads, real* scores
) noexcept nogil:
    """S = X_B Wᵀ; of dense rows, also the numbers that fill up the last ROW_GROUP."""
    cdef Py_ssize_t i, n_groups = (n_rows + ROW_GROUP - 1) // ROW_GROUP
    # A team of one thread is not free: it is not asked for.
    if n_threads == 1:
        score_groups(X, rows, 0, n_groups, n_rows, W, width, scores)
        return
    for i in prange(n_threads, num_threads=n_threads, schedule="static"):
        score_groups(X, rows, n_groups * i // n_threads, n_groups * (i + 1) // n_threads, n_rows, W, width, scores)


cdef void score_groups(
    Rows X, const int64_t* rows, Py_ssize_t first, Py_ssize_t last, Py_ssize_t n_rows, const real* W, Py_ssize_t width,
    real* scores
) noexcept nogil:
    cdef Py_ssize_t i
    if X.is_sparse:
        for i in range(first * ROW_GROUP, min(last * ROW_GROUP, n_rows)):
            score_sparse_row(X, rows[i], W, width, scores + i * width)
    else:
        for i in range(first, last):
            score_dense_group(X, rows, i * ROW_GROUP, n_rows, W, width, scores + i * ROW_GROUP * width)


cdef void score_sparse_row(Rows X, Py_ssize_t row, const real* W, Py_ssize_t width, real* scores) noexcept nogil:
    cdef Py_ssize_t begin = X.begin(row), n = X.n_entries(row)
    if X.is_wide:
        sparse_scores(n, <const real*>X.data + begin, <const int64_t*>X.indices + begin, W, width, scores)
    else:
        sparse_scores(n, <const real*>X.data + begin, <const int32_t*>X.indices + begin, W, width, scores)


cdef void score_dense_group(
    Rows X, const int64_t* rows, Py_ssize_t first, Py_ssize_t n_rows, const real* W, Py_ssize_t width, real* scores
) noexcept nogil:
    cdef const real* x[4]
    cdef Py_ssize_t i
    for i in range(ROW_GROUP):
        x[i] = <const real*>X.data + X.begin(rows[min(first + i, n_rows - 1)])
    dense_scores(X.n_features, x, W, width, scores)


cdef bint any_nonzero(const real* numbers, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t k
    for k in range(n):
        if numbers[k] != 0:
            return True
    return False


cdef double add_dense_rows(
    Rows X, const int64_t* rows, Py_ssize_t n_rows, const real* G, Py_ssize_t width, double scale, int n_threads,
    intptr_t* addresses, double* squares, real* W
) noexcept nogil:
    """W += scale · U, U = Σ_i g_i x_iᵀ; ‖U‖². Rows with g_i = 0 are left out."""
    cdef const real** x = <const real**>addresses
    cdef const real** D = <const real**>(addresses + n_rows)
    cdef Py_ssize_t i, n_moved = 0, n_blocks = (X.n_features + BLOCK - 1) // BLOCK
    cdef double squared = 0
    for i in range(n_rows):
        if any_nonzero(G + i * width, width):
            x[n_moved] = <const real*>X.data + X.begin(rows[i])
            D[n_moved] = G + i * width
            n_moved += 1
    if n_threads == 1:
        add_blocks(x, D, n_moved, width, scale, 0, n_blocks, X.n_features, squares, W)
    else:
        for i in prange(n_threads, num_threads=n_threads, schedule="static"):
            add_blocks(
                x, D, n_moved, width, scale, n_blocks * i // n_threads, n_blocks * (i + 1) // n_threads, X.n_features,
                squares, W,
            )
    for i in range(n_blocks):
        squared += squares[i]
    return squared


cdef void add_blocks(
    const real** x, const real** D, Py_ssize_t n_rows, Py_ssize_t width, double scale, Py_ssize_t first, Py_ssize_t last,
    Py_ssize_t n_features, double* squares, real* W
) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(first, last):
        squares[i] = dense_add(n_rows, x, D, width, <real>scale, i * BLOCK, min((i + 1) * BLOCK, n_features), W)


cdef double add_sparse_rows(
    Rows X, const int64_t* rows, Py_ssize_t n_rows, const real* G, Py_ssize_t width, double scale, int n_threads,
    double* growth, real* W
) noexcept nogil:
    """W += scale · Σ_i g_i x_iᵀ; how much ‖W‖² grows."""
    cdef Py_ssize_t i, p, n = 0
    cdef double total = 0
    if n_threads == 1:
        add_sparse_features(X, rows, n_rows, G, width, scale, 0, X.n_features, growth, W)
    else:
        # Each thread looks at all entries and adds those of its features.
        for i in prange(n_threads, num_threads=n_threads, schedule="static"):
            add_sparse_features(
                X, rows, n_rows, G, width, scale, X.n_features * i // n_threads, X.n_features * (i + 1) // n_threads,
                growth, W,
            )
    for i in range(n_rows):
        if any_nonzero(G + i * width, width):
            for p in range(X.n_entries(rows[i])):
                total += growth[n + p]
            n += X.n_entries(rows[i])
    return total


cdef void add_sparse_features(
    Rows X, const int64_t* rows, Py_ssize_t n_rows, const real* G, Py_ssize_t width, double scale, Py_ssize_t first,
    Py_ssize_t last, double* growth, real* W
) noexcept nogil:
    cdef Py_ssize_t i, begin, n
    cdef const real* data = <const real*>X.data
    for i in range(n_rows):
        if any_nonzero(G + i * width, width):
            begin, n = X.begin(rows[i]), X.n_entries(rows[i])
            if X.is_wide:
                sparse_add(
                    n, data + begin, <const int64_t*>X.indices + begin, G + i * width, width, <real>scale, first, last,
                    W, growth,
                )
            else:
                sparse_add(
                    n, data + begin, <const int32_t*>X.indices + begin, G + i * width, width, <real>scale, first, last,
                    W, growth,
                )
            growth += n


cdef class Memory:
    """What `add_rows` works in, for batches of ``size`` of these rows."""

    cdef intptr_t[::1] addresses
    cdef double[::1] numbers

    def __init__(self, Rows X, const int64_t[::1] rows, Py_ssize_t size):
        cdef Py_ssize_t i, n = 0, most = X.n_features // BLOCK + 1
        self.addresses = np.empty(2 * size, np.intp)
        if X.is_sparse:
            for i in range(rows.shape[0]):
                n = X.n_entries(rows[i]) + (n if i % size else 0)
                most = max(most, n)
        self.numbers = np.empty(most)


cdef double add_rows(
    Rows X, const int64_t* rows, Py_ssize_t n_rows, const real* G, Py_ssize_t width, double scale, int n_threads,
    Memory memory, real* W
) noexcept nogil:
    """W += scale · U, U = Σ_i g_i x_iᵀ; ‖U‖² of dense rows, the growth of ‖W‖² of sparse ones."""
    if X.is_sparse:
        return add_sparse_rows(X, rows, n_rows, G, width, scale, n_threads, &memory.numbers[0], W)
    return add_dense_rows(
        X, rows, n_rows, G, width, scale, n_threads, &memory.addresses[0], &memory.numbers[0], W
    )
