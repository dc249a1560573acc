# Products for a few classes of each row, and the Newton systems that are made of them.

from cpython.exc cimport PyErr_CheckSignals


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


cdef class System:
    """A Newton system over entries, with the matrix of `NumpySystem.apply` and the work space of its solution.

    Inside, vectors are of shape (n_classes, n_features), with the intercepts apart.

    Parameters
    ----------
    entries : Entries
        The free entries.
    stiffness : ndarray of shape (n_rows,)
        The stiffness ω_i/ρ of every row of the entries.
    mean : ndarray of shape (n_features,)
        The mean μ, which is subtracted from the rows.
    alpha, damping : float
        What is added to the diagonal: for the features, and for the intercepts.
    sums_to_zero, fit_intercept : bool
        Whether subgradients sum to zero, and whether there is an intercept.
    """

    cdef Entries entries
    cdef double alpha, damping
    cdef bint sums_to_zero, fit_intercept
    cdef const double[::1] stiffness, mean
    cdef double[::1] changes, offset, rest

    def __init__(
        self, Entries entries, stiffness, mean, double alpha, double damping, bint sums_to_zero, bint fit_intercept
    ):
        self.entries = entries
        self.alpha, self.damping, self.sums_to_zero, self.fit_intercept = alpha, damping, sums_to_zero, fit_intercept
        self.stiffness, self.mean = stiffness.astype(np.float64), mean.astype(np.float64)
        self.changes, self.offset = np.empty(len(entries.classes)), np.empty(entries.n_classes)
        self.rest = np.empty(entries.n_features + 1)

    cdef multiply(self, const double[:, ::1] D, const double[::1] b, double[:, ::1] image, double[::1] image_b):
        cdef Entries at = self.entries
        cdef Py_ssize_t k, j
        cdef double total
        for k in range(at.n_classes):
            self.offset[k] = b[k] - inner_of(at.n_features, &D[k, 0], &self.mean[0])
        image[:] = 0
        change_entries(at, D, self.offset, self.stiffness, self.sums_to_zero, self.changes)
        sum_entries(at, self.changes, False, image)
        for k in range(at.n_classes):
            total = 0
            for j in range(at.class_starts[k], at.class_starts[k + 1]):
                total += self.changes[at.class_entries[j]]
            for j in range(at.n_features):
                image[k, j] += self.alpha * D[k, j] - self.mean[j] * total
            image_b[k] = (total + self.damping * b[k]) * self.fit_intercept

    def apply(self, direction):
        """Compute `System.apply` of `newton_system.py`, in float64.

        Parameters
        ----------
        direction : ndarray of shape (n_features + 1, n_scores)
            (dW, db), transposed.

        Returns
        -------
        ndarray of shape (n_features + 1, n_scores), dtype=float64
            The left-hand sides of the system.
        """
        coef, intercept = np.array(direction[:-1].T, np.float64, order="C"), np.array(direction[-1], np.float64)
        image, image_b = np.empty_like(coef), np.empty_like(intercept)
        self.multiply(coef, intercept, image, image_b)
        return np.vstack([image.T, image_b])

    cdef void without_common(self, double[::1] b) noexcept:
        cdef Py_ssize_t k, K = b.shape[0]
        cdef double mean
        if self.sums_to_zero:
            mean = sum_of(K, &b[0]) / K
            for k in range(K):
                b[k] -= mean

    cdef void precondition(
        self, const double[:, ::1] residual, const double[::1] residual_b, const double[:, ::1] scale,
        const double[::1] scale_b, const double[:, :, ::1] factors, double[:, ::1] z, double[::1] z_b
    ) noexcept:
        """Apply the factors of the class blocks, if there are any, otherwise the inverse of the diagonal."""
        cdef Py_ssize_t k, j, d = residual.shape[1], K = residual.shape[0]
        if factors.shape[0] == 0:
            multiply(d * K, &residual[0, 0], &scale[0, 0], &z[0, 0])
            multiply(K, &residual_b[0], &scale_b[0], &z_b[0])
        else:
            for k in range(K):
                for j in range(d):
                    self.rest[j] = residual[k, j]
                self.rest[d] = residual_b[k]
                solve_block(d + 1, &factors[k, 0, 0], &self.rest[0])
                for j in range(d):
                    z[k, j] = self.rest[j]
                z_b[k] = self.rest[d]
        self.without_common(z_b)

    def solve(self, rhs, start, diagonal, factors, double accuracy, Py_ssize_t most_steps):
        """Compute `System.solve` of `newton_system.py`, in float64.

        Parameters
        ----------
        rhs, start : ndarray of shape (n_features + 1, n_scores)
            The right-hand sides R, and where the iteration starts.
        diagonal : ndarray of shape (n_features + 1, n_scores)
            The diagonal of the system.
        factors : ndarray of shape (n_scores, n_features + 1, n_features + 1) or None
            The factors of the class blocks, which precondition the system; None for its diagonal.
        accuracy : float
            The energy norm of the residual that ends the iteration, relative to that of ``rhs``.
        most_steps : int
            The number of steps that ends it in any case.

        Returns
        -------
        solution : ndarray of shape (n_features + 1, n_scores)
            (dW, db), transposed.
        n_steps : int
            Number of steps.
        """
        coef, intercept = np.array(start[:-1].T, np.float64, order="C"), np.array(start[-1], np.float64)
        cdef const double[:, :, ::1] blocks = np.empty((0, 0, 0)) if factors is None else factors
        cdef double[:, ::1] residual = np.array(rhs[:-1].T, np.float64, order="C")
        cdef double[::1] residual_b = np.array(rhs[-1], np.float64)
        cdef const double[:, ::1] scale = np.array(1 / diagonal[:-1].T, np.float64, order="C")
        cdef const double[::1] scale_b = np.array(1 / diagonal[-1], np.float64)
        cdef double[:, ::1] solution = coef, z = np.empty_like(coef), p = np.zeros_like(coef), image = np.empty_like(coef)
        cdef double[::1] solution_b = intercept, z_b = np.empty_like(intercept)
        cdef double[::1] p_b = np.zeros_like(intercept), image_b = np.empty_like(intercept)
        cdef Py_ssize_t n = coef.size, K = intercept.size, n_steps = 0
        cdef double energy = 0, last_energy = 0, first_energy = 0, quadratic, length
        self.without_common(residual_b)
        cdef bint is_restart = start.any()
        if is_restart:
            self.precondition(residual, residual_b, scale, scale_b, blocks, z, z_b)
            first_energy = inner_of(n, &residual[0, 0], &z[0, 0]) + inner_of(K, &residual_b[0], &z_b[0])
            self.multiply(solution, solution_b, image, image_b)
            self.without_common(image_b)
            add_scaled(n, -1, &image[0, 0], 1, &residual[0, 0])
            add_scaled(K, -1, &image_b[0], 1, &residual_b[0])
        while True:
            self.precondition(residual, residual_b, scale, scale_b, blocks, z, z_b)
            last_energy = energy
            energy = inner_of(n, &residual[0, 0], &z[0, 0]) + inner_of(K, &residual_b[0], &z_b[0])
            if n_steps == 0 and not is_restart:
                first_energy = energy
            if n_steps == most_steps or not energy > accuracy * accuracy * first_energy:
                break
            add_scaled(n, 1, &z[0, 0], energy / last_energy if n_steps else 0, &p[0, 0])
            add_scaled(K, 1, &z_b[0], energy / last_energy if n_steps else 0, &p_b[0])
            self.multiply(p, p_b, image, image_b)
            self.without_common(image_b)
            quadratic = inner_of(n, &p[0, 0], &image[0, 0]) + inner_of(K, &p_b[0], &image_b[0])
            if not quadratic > 0:
                break
            length = energy / quadratic
            add_scaled(n, length, &p[0, 0], 1, &solution[0, 0])
            add_scaled(K, length, &p_b[0], 1, &solution_b[0])
            add_scaled(n, -length, &image[0, 0], 1, &residual[0, 0])
            add_scaled(K, -length, &image_b[0], 1, &residual_b[0])
            n_steps += 1
            PyErr_CheckSignals()
        return np.vstack([coef.T, intercept]), n_steps
