# Products with the rows of X and sums of them, by several threads: every number is computed by one thread, in an order
# that does not depend on the number of threads.

cimport cython
from cython.parallel cimport parallel, prange, threadid
from libc.stdint cimport intptr_t, uint8_t

# The number of multiplications that is worth waking threads, which takes far less time than they do on an idle machine.
cdef Py_ssize_t worth = 2**17

# In a sweep threads stay awake and wait for each other in every step: they are worth this factor fewer multiplications.
cdef Py_ssize_t AWAKE = 4

# Steps that a team makes before its time is measured.
cdef Py_ssize_t STEPS_TOGETHER = 16

# Lines of memory of a row of W that are worth a thread where X is sparse. Rows begin anywhere in a line, so that two
# threads may have a line in common.
cdef Py_ssize_t SHARED_LINES = 1

# The cost of a loss for every score, in multiplications, and the rows that a thread works on at a time.
cdef Py_ssize_t LOSS_COST = 16
cdef Py_ssize_t LOSS_ROWS = 256

# Rows whose scores are in memory at a time, a multiple of ROW_GROUP.
cdef Py_ssize_t SCORED_ROWS = 64

# Entries of a row that are fetched before its batch begins.
cdef Py_ssize_t FETCHED_ENTRIES = 32

# Rows whose entries one thread works on at a time.
cdef Py_ssize_t ENTRY_ROWS = 256

# Features that one squared norm is summed over: fixed, so that the sum does not depend on the number of threads.
cdef Py_ssize_t BLOCK = 128


@cython.final
cdef class Rows:
    """The rows of X, dense with contiguous rows or CSR, as addresses that need no Python.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features), dtype=float32 or float64
        The data.
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
            _require_sparse(X, *self.kept)
            self.indices, self.indptr = address(self.kept[1]), address(self.kept[2])
        else:
            _require_dense(X)
            self.stride = X.strides[0] // X.itemsize
            self.kept = (X,)
        self.data = address(self.kept[0])

    cdef Py_ssize_t begin(self, Py_ssize_t row) noexcept nogil:
        """Return where the entries of a row begin in the data."""
        if not self.is_sparse:
            return row * self.stride
        if self.is_wide:
            return (<const int64_t*>self.indptr)[row]
        return (<const int32_t*>self.indptr)[row]

    cdef Py_ssize_t n_entries(self, Py_ssize_t row) noexcept nogil:
        return self.begin(row + 1) - self.begin(row) if self.is_sparse else self.n_features

    cdef Py_ssize_t n_between(self, Py_ssize_t first, Py_ssize_t last) noexcept nogil:
        """Return how many entries the rows from first to last have."""
        return self.begin(last) - self.begin(first) if self.is_sparse else (last - first) * self.n_features


cdef Py_ssize_t n_blocks_of(Rows X) noexcept nogil:
    """Return how many blocks of features there are."""
    return (X.n_features + BLOCK - 1) // BLOCK


def _require_sparse(X, data, indices, indptr):
    """Check what can be checked of CSR at once; `layout` has checked every index."""
    _require(X.format == "csr" and _is_native(data, "fd") and _is_native(indices, "ilq") and _is_native(indptr, "ilq"))
    _require(len(indptr) == X.shape[0] + 1 and indptr[0] == 0 and 0 <= indptr[-1] == X.indptr[-1])
    _require(indptr[-1] <= min(len(data), len(indices)))


def _require_dense(X):
    size = X.itemsize
    _require(X.ndim == 2 and X.dtype.char in "fd" and X.dtype.isnative and X.flags.aligned)
    # The stride of a dimension of length one is arbitrary.
    _require(X.shape[1] <= 1 or X.strides[1] == size)
    _require(X.shape[0] <= 1 or X.strides[0] % size == 0)


def _is_native(array, kinds):
    """Return whether an array is one piece of numbers of these types, in the byte order of the machine."""
    dtype = array.dtype
    return array.ndim == 1 and dtype.char in kinds and dtype.isnative and array.flags.c_contiguous and array.flags.aligned


def _require(is_valid):
    """Raise an error, rather than read memory out of bounds."""
    if not is_valid:
        raise ValueError("compiled code cannot read X: its layout was not checked")


cdef void* address(array):
    return <void*><intptr_t>array.__array_interface__["data"][0]


def set_worth_threads(Py_ssize_t n_multiplications):
    """Set the number of multiplications that is worth waking threads, for tests.

    Parameters
    ----------
    n_multiplications : int
        Tasks with more multiplications use more than one thread.

    Returns
    -------
    int
        The number that it was before.
    """
    global worth
    before, worth = worth, n_multiplications
    return before


cdef int worth_threads(Py_ssize_t n_multiplications, int n_threads) noexcept nogil:
    return n_threads if n_multiplications > worth else 1


cdef void score_rows(
    Rows X, const int64_t* rows, Py_ssize_t n_rows, const real* W, Py_ssize_t width, int n_threads, real* scores
) noexcept nogil:
    """Compute S = X_B Wᵀ. For dense rows the last ROW_GROUP is filled up, so that scores need room for it."""
    cdef Py_ssize_t i, n_groups = (n_rows + ROW_GROUP - 1) // ROW_GROUP
    # Even a team of one thread has a cost.
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
        i = first * ROW_GROUP
        score_sparse_rows(X, rows + i, min(last * ROW_GROUP, n_rows) - i, W, width, 0, width, scores + i * width)
    else:
        for i in range(first, last):
            score_dense_group(
                X, rows, i * ROW_GROUP, n_rows, W, width, 0, X.n_features, scores + i * ROW_GROUP * width
            )


cdef void score_sparse_rows(
    Rows X, const int64_t* rows, Py_ssize_t n_rows, const real* W, Py_ssize_t width, Py_ssize_t first, Py_ssize_t last,
    real* scores
) noexcept nogil:
    """Compute the scores of the classes from first to last."""
    if X.is_wide:
        score_indexed_rows(
            rows, n_rows, <const real*>X.data, <const int64_t*>X.indices, <const int64_t*>X.indptr, W, width, first, last,
            scores,
        )
    else:
        score_indexed_rows(
            rows, n_rows, <const real*>X.data, <const int32_t*>X.indices, <const int32_t*>X.indptr, W, width, first, last,
            scores,
        )


cdef void score_indexed_rows(
    const int64_t* rows, Py_ssize_t n_rows, const real* data, const index* columns, const index* indptr, const real* W,
    Py_ssize_t width, Py_ssize_t first, Py_ssize_t last, real* scores
) noexcept nogil:
    cdef Py_ssize_t i, begin
    if width == 1:
        sparse_single_scores(n_rows, rows, data, columns, indptr, W, scores)
        return
    for i in range(n_rows):
        begin = indptr[rows[i]]
        sparse_scores(
            indptr[rows[i] + 1] - begin, data + begin, columns + begin, W, width, first, last, scores + i * width
        )


cdef void score_dense_group(
    Rows X, const int64_t* rows, Py_ssize_t first_row, Py_ssize_t n_rows, const real* W, Py_ssize_t width,
    Py_ssize_t first, Py_ssize_t last, real* scores
) noexcept nogil:
    """Compute the part of the scores that the features from first to last contribute."""
    cdef const real* x[4]
    cdef Py_ssize_t i
    for i in range(ROW_GROUP):
        x[i] = <const real*>X.data + X.begin(rows[min(first_row + i, n_rows - 1)]) + first
    dense_scores(last - first, x, W + first * width, width, scores)


cdef bint any_nonzero(const real* numbers, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t k
    for k in range(n):
        if numbers[k] != 0:
            return True
    return False
