# The losses of `losses`, one row at a time in float64: g and s have K entries, and y is the code of the true class.

cimport cython
from libc.string cimport memcpy, memset

cdef extern from *:
    """
    #include "row_losses.h"
    """
    void fetch(const void*, Py_ssize_t) noexcept nogil
    double larger(double, double) noexcept nogil
    double smaller(double, double) noexcept nogil
    double greatest_of(Py_ssize_t, const double*) noexcept nogil
    double sum_of(Py_ssize_t, const double*) noexcept nogil
    double inner_of(Py_ssize_t, const double*, const double*) noexcept nogil
    double hinges_of(Py_ssize_t, const double*, double) noexcept nogil
    void add_hinges(Py_ssize_t, const double*, double, Py_ssize_t, const double*, double*) noexcept nogil
    double clipped_of(Py_ssize_t, const double*, double, double*) noexcept nogil
    void project_crammer_singer(Py_ssize_t, Py_ssize_t, double*, double*) noexcept nogil
    void proximal_point(Py_ssize_t, const double*, double, const double*, double*) noexcept nogil
    void multiply(Py_ssize_t, const double*, const double*, double*) noexcept nogil
    void add_scaled(Py_ssize_t, double, const double*, double, double*) noexcept nogil
    void subtract_product(Py_ssize_t, Py_ssize_t, const double*, const double*, double, double*) noexcept nogil
    void clip_all(Py_ssize_t, const double*, double, double*) noexcept nogil


cdef class RowLoss:
    """A row kernel: a loss, one row at a time. g and s have K entries in float64, y is the code of the true class.

    It promises the numbers a_j with ℓ(s, y) = Σ_j max(0, Δ + a_j), a subgradient, c(g), and the prox step
    argmax_{g⁺ ∈ D_y} ⟨g⁺, s⟩ + Δ c(g⁺) − ρ/2 ‖g⁺ − g‖² for ρ > 0. `of_row` computes all of them for one row.

    All that is for equal costs. Others become a part of the scores: with the numbers u(y) of `add_distances`, Δ c(g) is
    ⟨g, u(y)⟩ for every g ∈ D_y. Where ``costs`` is not NULL, callers add u(y) to s and call the methods with Δ = 0.

    Parameters
    ----------
    smallest_curvature : float
        The smallest ρ of a prox step, as a multiple of Δ + max_k |s_k|.
    costs : ndarray of shape (n_classes, n_classes) or None
        The costs κ; None where all are one.
    """

    cdef double tiny
    cdef bint is_binary
    cdef const double* costs
    cdef const double[:, ::1] held_costs

    def __init__(self, smallest_curvature, costs=None):
        self.tiny = smallest_curvature
        self.is_binary = isinstance(self, BinaryHinge)
        self.costs = NULL
        if costs is not None:
            self.held_costs = costs
            self.costs = &self.held_costs[0, 0]

    def of_row(self, const double[::1] g, const double[::1] s, Py_ssize_t y, double rho, double margin):
        """Compute ℓ(s, y), a subgradient of it, Δ c(g) and the prox step of one row.

        Parameters
        ----------
        g, s : ndarray of shape (n_scores,), dtype=float64
            The subgradient, where the prox step starts, and the scores.
        y : int
            The code of the true class.
        rho : float
            The curvature ρ > 0.
        margin : float
            The margin Δ.

        Returns
        -------
        value : float
            ℓ(s, y).
        subgradient : ndarray of shape (n_scores,)
            The vertex of D_y that `HingeLoss.subgradients` returns.
        linear : float
            Δ c(g).
        better : ndarray of shape (n_scores,)
            The prox step g⁺.
        """
        cdef Py_ssize_t K = len(s), n
        cdef double[::1] distances = np.zeros(K), scores = np.array(s), out = np.empty(3 * K)
        if self.costs != NULL:
            self.add_distances(y, K, margin, &distances[0])
            self.add_distances(y, K, margin, &scores[0])
            margin = 0
        self.prox(&g[0], &scores[0], y, K, rho, margin, &out[0])
        self.subgradient(&scores[0], y, K, margin, &out[2 * K])
        n = self.hinges(&scores[0], y, K)
        value = np.maximum(0, margin + np.asarray(scores)[:n]).sum()
        linear = margin * self.dual_value(&g[0], y, K) + np.dot(g, distances)
        return value, np.asarray(out)[2 * K :], linear, np.asarray(out)[:K]

    cdef void add_distances(self, Py_ssize_t y, Py_ssize_t K, double margin, double* s) noexcept nogil:
        """s += u(y), which is Δ κ(y, ·) for the losses of pairs."""
        add_scaled(K, margin, self.costs + y * K, 1, s)

    cdef Py_ssize_t hinges(self, double* s, Py_ssize_t y, Py_ssize_t K) noexcept nogil:
        """Write the numbers a_j with ℓ = Σ_j max(0, Δ + a_j) in the place of s; return how many they are."""
        return 0

    cdef void subgradient(
        self, const double* s, Py_ssize_t y, Py_ssize_t K, double margin, double* g
    ) noexcept nogil:
        """Write a vertex of D_y that maximises ⟨g, s⟩ + Δ c(g) into g; a hinge that is zero counts as not violated."""

    cdef double dual_value(self, const double* g, Py_ssize_t y, Py_ssize_t K) noexcept nogil:
        return 0

    cdef void prox(
        self, const double* g, const double* s, Py_ssize_t y, Py_ssize_t K, double rho, double margin, double* out
    ) noexcept nogil:
        """Write the prox step into K numbers, which are followed by K numbers of work space."""


@cython.final
cdef class BinaryHinge(RowLoss):

    cdef void add_distances(self, Py_ssize_t y, Py_ssize_t K, double margin, double* s) noexcept nogil:
        s[0] += (1 - 2 * y) * margin * self.costs[2 * y + 1 - y]

    cdef Py_ssize_t hinges(self, double* s, Py_ssize_t y, Py_ssize_t K) noexcept nogil:
        s[0] *= 1 - 2 * y
        return 1

    cdef void subgradient(
        self, const double* s, Py_ssize_t y, Py_ssize_t K, double margin, double* g
    ) noexcept nogil:
        g[0] = signed_subgradient(s[0], 2 * y - 1, margin)

    cdef double dual_value(self, const double* g, Py_ssize_t y, Py_ssize_t K) noexcept nogil:
        return (1 - 2 * y) * g[0]

    cdef void prox(
        self, const double* g, const double* s, Py_ssize_t y, Py_ssize_t K, double rho, double margin, double* out
    ) noexcept nogil:
        out[0] = signed_prox(g[0], s[0], 2 * y - 1, rho, margin)


ctypedef fused row_loss:
    # Calls to the methods of the first cost nothing. With a single score they would take most of the time.
    BinaryHinge
    RowLoss


cdef inline double value_of(
    row_loss loss, const double* s, Py_ssize_t y, Py_ssize_t K, double margin, double* work
) noexcept nogil:
    """Return ℓ(s, y); ``work`` is K numbers of work space."""
    cdef Py_ssize_t k
    for k in range(K):
        work[k] = s[k]
    if row_loss is BinaryHinge:
        loss.hinges(work, y, K)
        return larger(margin + work[0], 0)
    else:
        return hinges_of(loss.hinges(work, y, K), work, margin)


cdef class OneVsRest(RowLoss):

    cdef Py_ssize_t hinges(self, double* s, Py_ssize_t y, Py_ssize_t K) noexcept nogil:
        s[y] = -s[y]
        return K

    cdef void subgradient(
        self, const double* s, Py_ssize_t y, Py_ssize_t K, double margin, double* g
    ) noexcept nogil:
        cdef Py_ssize_t k
        for k in range(K):
            g[k] = signed_subgradient(s[k], -1, margin)
        g[y] = signed_subgradient(s[y], 1, margin)

    cdef double dual_value(self, const double* g, Py_ssize_t y, Py_ssize_t K) noexcept nogil:
        return sum_of(y, g) + sum_of(K - y - 1, g + y + 1) - g[y]

    cdef void prox(
        self, const double* g, const double* s, Py_ssize_t y, Py_ssize_t K, double rho, double margin, double* out
    ) noexcept nogil:
        proximal_point(K, s, rho, g, out)
        clip_all(K, out, margin / rho, out)
        out[y] = signed_prox(g[y], s[y], 1, rho, margin)


cdef inline double signed_prox(double g, double s, double z, double rho, double margin) noexcept nogil:
    """Return −z clip((Δ − z s)/ρ − z g, 0, 1)."""
    return -z * smaller(larger((margin - z * s) / rho - z * g, 0), 1)


cdef inline double signed_subgradient(double s, double z, double margin) noexcept nogil:
    """Return −z where the hinge Δ − z s is violated, else 0."""
    return -z if margin - z * s > 0 else 0


cdef class CrammerSinger(RowLoss):

    cdef Py_ssize_t hinges(self, double* s, Py_ssize_t y, Py_ssize_t K) noexcept nogil:
        s[0] = larger(greatest_of(y, s), greatest_of(K - y - 1, s + y + 1)) - s[y]
        return 1

    cdef void subgradient(
        self, const double* s, Py_ssize_t y, Py_ssize_t K, double margin, double* g
    ) noexcept nogil:
        cdef Py_ssize_t k, worst = y
        cdef double violated = 0
        memset(g, 0, K * sizeof(double))
        for k in range(K):
            if k != y and margin + s[k] - s[y] > violated:
                worst, violated = k, margin + s[k] - s[y]
        if worst != y:
            g[worst], g[y] = 1, -1

    cdef double dual_value(self, const double* g, Py_ssize_t y, Py_ssize_t K) noexcept nogil:
        return -g[y]

    cdef void prox(
        self, const double* g, const double* s, Py_ssize_t y, Py_ssize_t K, double rho, double margin, double* out
    ) noexcept nogil:
        proximal_point(K, s, rho, g, out)
        out[y] -= margin / rho
        project_crammer_singer(K, y, out, out + K)


cdef class WestonWatkins(RowLoss):

    cdef Py_ssize_t hinges(self, double* s, Py_ssize_t y, Py_ssize_t K) noexcept nogil:
        cdef Py_ssize_t k
        cdef double true_score = s[y]
        s[y] = s[K - 1]
        for k in range(K - 1):
            s[k] -= true_score
        return K - 1

    cdef void subgradient(
        self, const double* s, Py_ssize_t y, Py_ssize_t K, double margin, double* g
    ) noexcept nogil:
        cdef Py_ssize_t k
        cdef double n_violated = 0
        for k in range(K):
            g[k] = 1 if k != y and margin + s[k] - s[y] > 0 else 0
            n_violated += g[k]
        g[y] = -n_violated

    cdef double dual_value(self, const double* g, Py_ssize_t y, Py_ssize_t K) noexcept nogil:
        return -g[y]

    cdef void prox(
        self, const double* g, const double* s, Py_ssize_t y, Py_ssize_t K, double rho, double margin, double* out
    ) noexcept nogil:
        proximal_point(K, s, rho, g, out)
        out[y] -= margin / rho
        project_weston_watkins(out, y, K)


cdef void project_weston_watkins(double* a, Py_ssize_t y, Py_ssize_t K) noexcept nogil:
    """Project onto {g_k ∈ [0, 1] for k ≠ y, g_y = −Σ_{k≠y} g_k}.

    The root of h(τ) = Σ_{k≠y} clip(a_k − τ, 0, 1) + a_y − τ lies in [a_y, a_y + K − 1]. Newton's method on the
    piecewise linear h ends on the piece of the root, and bisection keeps it in the interval.
    """
    cdef double low = a[y], high = a[y] + (K - 1), tau = a[y], trial, height, n_below, n_above
    cdef Py_ssize_t n_free, iteration
    for iteration in range(200):
        height = a[y] - tau + clipped_of(y, a, tau, &n_below) + clipped_of(K - y - 1, a + y + 1, tau, &n_above)
        n_free = <Py_ssize_t>(n_below + n_above)
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
    clip_all(K, a, -tau, a)
    a[y] = 0
    a[y] = -sum_of(K, a)
