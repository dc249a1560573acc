# Entries, which are pairs of a row and a class, and products for them: for a few classes of each row.


cdef class Entries:
    """Entries, which are pairs of a row and a class, in the order of the rows.

    Parameters
    ----------
    X : Rows
        The rows of X, without duplicate entries if sums of squares are asked for.
    mask : ndarray of shape (n_rows, n_classes), dtype=bool
        The pairs.
    rows : ndarray of shape (n_rows,)
        The numbers of the rows in X.
    most_threads : int
        Number of threads at most.

    Attributes
    ----------
    counts : ndarray of shape (n_rows,)
        The number of entries of every row.
    """

    cdef Rows X
    cdef Py_ssize_t n_classes, n_features
    cdef int n_threads
    cdef readonly object counts
    cdef const int64_t[::1] rows, starts, classes, class_starts, class_rows, class_entries
    cdef object narrow

    def __init__(self, Rows X, mask, rows, int most_threads):
        self.X, self.n_classes, self.n_features = X, mask.shape[1], X.n_features
        counts, class_counts = np.zeros(len(rows), np.int64), np.zeros(self.n_classes, np.int64)
        cdef const uint8_t[:, ::1] pairs = np.ascontiguousarray(mask).view(np.uint8)
        count_pairs(pairs, counts, class_counts)
        self.counts, self.starts, self.class_starts = counts, _starts_of(counts), _starts_of(class_counts)
        self.rows = rows
        classes, class_rows, class_entries = np.empty((3, self.starts[len(rows)]), np.int64)
        list_pairs(pairs, rows, np.array(self.class_starts), classes, class_rows, class_entries)
        self.classes, self.class_rows, self.class_entries = classes, class_rows, class_entries
        self.n_threads = worth_threads(len(classes) * X.n_between(0, X.n_rows) // max(1, X.n_rows), most_threads)
        # Coefficients in the precision of X: a product of float32 with float64 would convert every entry again.
        self.narrow = np.empty((1 if X.is_double else self.n_classes, self.n_features), np.float32)

    def totals(self, G):
        """Compute Σ_i g_ik of every class k.

        Parameters
        ----------
        G : ndarray of shape (n_entries,)
            The g_ik of the entries.

        Returns
        -------
        ndarray of shape (n_classes,)
            The sums.
        """
        return np.bincount(self.classes, weights=G, minlength=self.n_classes)

    def sums(self, const double[::1] G, bint is_squared=False):
        """Compute Σ_i g_ik x_i of every class k.

        Parameters
        ----------
        G : ndarray of shape (n_entries,)
            The g_ik of the entries.
        is_squared : bool
            Whether the entries of x_i are squared.

        Returns
        -------
        ndarray of shape (n_classes, n_features)
            The sums.
        """
        sums = np.zeros((self.n_classes, self.n_features))
        cdef double[:, ::1] out = sums
        sum_entries(self, G, is_squared, out)
        return sums


def _starts_of(counts):
    """Compute where runs of these lengths begin and end."""
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


cdef void count_pairs(const uint8_t[:, ::1] pairs, int64_t[::1] counts, int64_t[::1] class_counts) noexcept:
    cdef Py_ssize_t i, k
    for i in range(pairs.shape[0]):
        for k in range(pairs.shape[1]):
            counts[i] += pairs[i, k]
            class_counts[k] += pairs[i, k]


cdef void list_pairs(
    const uint8_t[:, ::1] pairs, const int64_t[::1] rows, int64_t[::1] next_of_class, int64_t[::1] classes,
    int64_t[::1] class_rows, int64_t[::1] class_entries
) noexcept:
    """List the classes of the entries, and the rows and the entries of every class."""
    cdef Py_ssize_t i, k, entry = 0
    for i in range(pairs.shape[0]):
        for k in range(pairs.shape[1]):
            if pairs[i, k]:
                classes[entry] = k
                class_rows[next_of_class[k]], class_entries[next_of_class[k]] = rows[i], entry
                next_of_class[k] += 1
                entry += 1


cdef void change_entries(
    Entries at, const double[:, ::1] D, const double[::1] b, const double[::1] stiffness, bint is_centred,
    double[::1] changes
):
    cdef Py_ssize_t i, n = at.rows.shape[0], n_parts = (n + ENTRY_ROWS - 1) // ENTRY_ROWS
    cdef float[:, ::1] narrow = at.narrow
    if changes.shape[0] == 0:
        return
    if not at.X.is_double:
        at.narrow[:] = D
    if at.n_threads == 1:
        with nogil:
            change_part(at, 0, n, &D[0, 0], &narrow[0, 0], &b[0], &stiffness[0], is_centred, &changes[0])
        return
    for i in prange(n_parts, num_threads=at.n_threads, schedule="dynamic", nogil=True):
        change_part(
            at, i * ENTRY_ROWS, min((i + 1) * ENTRY_ROWS, n), &D[0, 0], &narrow[0, 0], &b[0], &stiffness[0], is_centred,
            &changes[0],
        )


cdef void change_part(
    Entries at, Py_ssize_t first, Py_ssize_t last, const double* D, const float* narrow, const double* b,
    const double* stiffness, bint is_centred, double* changes
) noexcept nogil:
    if at.X.is_double:
        change_entries_of(at, <const double*>at.X.data, first, last, D, b, stiffness, is_centred, changes)
    else:
        change_entries_of(at, <const float*>at.X.data, first, last, narrow, b, stiffness, is_centred, changes)


cdef void change_entries_of(
    Entries at, const real* data, Py_ssize_t first, Py_ssize_t last, const real* D, const double* b,
    const double* stiffness, bint is_centred, double* changes
) noexcept nogil:
    cdef const int64_t* rows = &at.rows[0]
    cdef const int64_t* starts = &at.starts[0]
    cdef const int64_t* classes = &at.classes[0]
    if not at.X.is_sparse:
        entry_changes(
            first, last, at.n_features, data, at.X.stride, rows, starts, classes, D, b, stiffness, is_centred, changes
        )
    elif at.X.is_wide:
        sparse_entry_changes(
            first, last, at.n_features, data, <const int64_t*>at.X.indices, <const int64_t*>at.X.indptr, rows, starts,
            classes, D, b, stiffness, is_centred, changes,
        )
    else:
        sparse_entry_changes(
            first, last, at.n_features, data, <const int32_t*>at.X.indices, <const int32_t*>at.X.indptr, rows, starts,
            classes, D, b, stiffness, is_centred, changes,
        )


cdef void sum_entries(Entries at, const double[::1] G, bint is_squared, double[:, ::1] sums):
    cdef Py_ssize_t i, n_blocks = 1 if at.X.is_sparse else n_blocks_of(at.X)
    if G.shape[0] == 0:
        return
    if at.n_threads == 1:
        with nogil:
            for i in range(at.n_classes * n_blocks):
                sum_part(at, i // n_blocks, i % n_blocks * BLOCK, is_squared, &G[0], &sums[i // n_blocks, 0])
        return
    for i in prange(at.n_classes * n_blocks, num_threads=at.n_threads, schedule="dynamic", nogil=True):
        sum_part(at, i // n_blocks, i % n_blocks * BLOCK, is_squared, &G[0], &sums[i // n_blocks, 0])


cdef void sum_part(
    Entries at, Py_ssize_t k, Py_ssize_t j, bint is_squared, const double* G, double* sums
) noexcept nogil:
    """The sums of one class: of dense rows a block of features, from j on, of sparse rows all of them."""
    if at.class_starts[k + 1] == at.class_starts[k]:
        return
    if at.X.is_double:
        sum_entries_of(at, <const double*>at.X.data, k, j, is_squared, G, sums)
    else:
        sum_entries_of(at, <const float*>at.X.data, k, j, is_squared, G, sums)


cdef void sum_entries_of(
    Entries at, const real* data, Py_ssize_t k, Py_ssize_t j, bint is_squared, const double* G, double* sums
) noexcept nogil:
    cdef Py_ssize_t n = at.class_starts[k + 1] - at.class_starts[k]
    cdef const int64_t* rows = &at.class_rows[at.class_starts[k]]
    cdef const int64_t* entries = &at.class_entries[at.class_starts[k]]
    if not at.X.is_sparse:
        entry_sums(is_squared, n, min(BLOCK, at.n_features - j), data + j, at.X.stride, rows, entries, G, sums + j)
    elif at.X.is_wide:
        sparse_entry_sums(
            is_squared, n, data, <const int64_t*>at.X.indices, <const int64_t*>at.X.indptr, rows, entries, G, sums
        )
    else:
        sparse_entry_sums(
            is_squared, n, data, <const int32_t*>at.X.indices, <const int32_t*>at.X.indptr, rows, entries, G, sums
        )
