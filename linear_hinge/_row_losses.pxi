# The losses of `_losses`, one row at a time in float64: g, s and their K entries, y the code of the true class.

# fmax and fmin are calls where the compiler must mind NaN.
cdef inline double larger(double a, double b) noexcept nogil:
    return a if a > b else b


cdef inline double smaller(double a, double b) noexcept nogil:
    return a if a < b else b


cdef class RowLoss:
    """A loss, one row at a time: g, s and their K entries in float64, y the code of the true class."""

    cdef double value(self, const double* s, Py_ssize_t y, Py_ssize_t K, double margin) noexcept nogil:
        return 0

    cdef double dual_value(self, const double* g, Py_ssize_t y, Py_ssize_t K) noexcept nogil:
        return 0

    cdef void prox(
        self, const double* g, const double* s, Py_ssize_t y, Py_ssize_t K, double rho, double margin, double* out
    ) noexcept nogil:
        pass


cdef class _SignedHinge(RowLoss):

    cdef double sign(self, Py_ssize_t k, Py_ssize_t y) noexcept nogil:
        return 1

    cdef double value(self, const double* s, Py_ssize_t y, Py_ssize_t K, double margin) noexcept nogil:
        cdef double total = 0
        cdef Py_ssize_t k
        for k in range(K):
            total += larger(margin - self.sign(k, y) * s[k], 0)
        return total

    cdef double dual_value(self, const double* g, Py_ssize_t y, Py_ssize_t K) noexcept nogil:
        cdef double total = 0
        cdef Py_ssize_t k
        for k in range(K):
            total -= self.sign(k, y) * g[k]
        return total

    cdef void prox(
        self, const double* g, const double* s, Py_ssize_t y, Py_ssize_t K, double rho, double margin, double* out
    ) noexcept nogil:
        cdef double z
        cdef Py_ssize_t k
        for k in range(K):
            z = self.sign(k, y)
            out[k] = -z * smaller(larger((margin - z * s[k]) / rho - z * g[k], 0), 1)


cdef class BinaryHinge(_SignedHinge):

    cdef double sign(self, Py_ssize_t k, Py_ssize_t y) noexcept nogil:
        return 1 if y == 1 else -1


cdef class OneVsRest(_SignedHinge):

    cdef double sign(self, Py_ssize_t k, Py_ssize_t y) noexcept nogil:
        return 1 if y == k else -1


cdef class CrammerSinger(RowLoss):

    cdef double value(self, const double* s, Py_ssize_t y, Py_ssize_t K, double margin) noexcept nogil:
        cdef double worst = 0
        cdef Py_ssize_t k
        for k in range(K):
            if k != y:
                worst = larger(worst, margin + s[k] - s[y])
        return worst

    cdef double dual_value(self, const double* g, Py_ssize_t y, Py_ssize_t K) noexcept nogil:
        return -g[y]

    cdef void prox(
        self, const double* g, const double* s, Py_ssize_t y, Py_ssize_t K, double rho, double margin, double* out
    ) noexcept nogil:
        cdef Py_ssize_t k
        for k in range(K):
            out[k] = s[k] / rho + g[k]
        out[y] += 1 - margin / rho
        project_simplex(out, K)
        out[y] -= 1


cdef class WestonWatkins(RowLoss):

    cdef double value(self, const double* s, Py_ssize_t y, Py_ssize_t K, double margin) noexcept nogil:
        cdef double total = 0
        cdef Py_ssize_t k
        for k in range(K):
            if k != y:
                total += larger(margin + s[k] - s[y], 0)
        return total

    cdef double dual_value(self, const double* g, Py_ssize_t y, Py_ssize_t K) noexcept nogil:
        return -g[y]

    cdef void prox(
        self, const double* g, const double* s, Py_ssize_t y, Py_ssize_t K, double rho, double margin, double* out
    ) noexcept nogil:
        cdef Py_ssize_t k
        for k in range(K):
            out[k] = s[k] / rho + g[k]
        out[y] -= margin / rho
        project_weston_watkins(out, y, K)


cdef void project_simplex(double* a, Py_ssize_t K) noexcept nogil:
    """Project onto {p ≥ 0, Σ p = 1}: the level τ rises until no entry leaves any more (Michelot 1986)."""
    cdef double greatest = a[0], total, tau = -1
    cdef Py_ssize_t k, n_above, n_active = K + 1
    for k in range(1, K):
        greatest = larger(greatest, a[k])
    # Measured from the greatest entry, so that a huge common level does not swallow the differences. No entry that is
    # smaller by 1 can stay.
    for k in range(K):
        a[k] -= greatest
    while True:
        total = 0
        n_above = 0
        for k in range(K):
            if a[k] > tau:
                total += a[k]
                n_above += 1
        if n_above == n_active or n_above == 0:
            break
        n_active = n_above
        tau = (total - 1) / n_above
    for k in range(K):
        a[k] = larger(a[k] - tau, 0)


cdef void project_weston_watkins(double* a, Py_ssize_t y, Py_ssize_t K) noexcept nogil:
    """Project onto {g_k ∈ [0, 1] for k ≠ y, g_y = −Σ_{k≠y} g_k}.

    The root of h(τ) = Σ_{k≠y} clip(a_k − τ, 0, 1) + a_y − τ lies in [a_y, a_y + K − 1]; Newton's method on the
    piecewise linear h ends on the piece of the root, and bisection keeps it inside.
    """
    cdef double low = a[y], high = a[y] + (K - 1), tau = a[y], trial, height, part
    cdef Py_ssize_t k, n_free, iteration
    for iteration in range(200):
        height = a[y] - tau
        n_free = 0
        for k in range(K):
            if k != y:
                part = a[k] - tau
                if part >= 1:
                    height += 1
                elif part > 0:
                    height += part
                    n_free += 1
        if height > 0:
            low = tau
        else:
            high = tau
        trial = tau + height / (1 + n_free)
        if trial == tau or height == 0:
            break
        if not low < trial < high:
            trial = 0.5 * (low + high)
            if trial == low or trial == high:
                break
        tau = trial
    height = 0
    for k in range(K):
        if k != y:
            a[k] = smaller(larger(a[k] - tau, 0), 1)
            height += a[k]
    a[y] = -height
