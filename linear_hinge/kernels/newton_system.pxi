# Newton systems over entries.

from cpython.exc cimport PyErr_CheckSignals


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
