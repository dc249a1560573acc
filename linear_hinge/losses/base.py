"""The hinge losses: what each one punishes, its subgradients, its dual and its prox step.

Conventions, the same everywhere in this package:

=============  ======================  =====================================================
``scores``     (n_samples, n_scores)   S = X Wᵀ + b; ``n_scores`` is 1 with two classes
``y``          (n_samples,)            integer codes 0 … n_classes − 1
``dual``       (n_samples, n_scores)   g_i, one remembered subgradient of the loss per row
``margin``     float                   Δ, the distance that the hinge asks for
=============  ======================  =====================================================

Every loss is the maximum of linear functions over a polytope D_y,

    ℓ(s, y) = max_{g ∈ D_y} ⟨g, s⟩ + Δ c(g),

and the maximisers are its subgradients in s. The losses hold no state, and they return values in the dtype
of the scores. Adding a loss is one class in this folder, its line in `LOSSES`, and its tests.
"""

from abc import ABC, abstractmethod

import numpy as np


class HingeLoss(ABC):
    """What the losses have in common: the maximum over a polytope, seen from its two sides.

    Attributes
    ----------
    sums_to_zero : bool
        Whether Σ_k g_ik = 0 for every g_i ∈ D_y: the loss looks at differences of scores only.
    collapses : bool
        Whether the solution is a constant classifier where no class is likelier than all others together.
    row_kernel : str or None
        The compiled class that computes one row, with the contract of `RowLoss`. Without one, steps are those of NumPy.
    nearest_in_linear_svc : {"crammer_singer", "one_vs_rest"}
        The loss of :class:`sklearn.svm.LinearSVC` that is this one, or comes closest.
    smallest_curvature : float
        Of a prox step, in parts of the scores.
    """

    sums_to_zero: bool
    collapses = False
    row_kernel = None
    nearest_in_linear_svc = "one_vs_rest"
    # A row without a single non-zero has no curvature and would divide by zero; any positive number sends it to the
    # vertex that maximises the dual, and this one does not overflow.
    smallest_curvature = 1e-20

    @abstractmethod
    def n_scores(self, n_classes):
        """Number of scores of a row, which is the number of rows of ``coef_``."""

    @abstractmethod
    def values(self, scores, y, margin, rest=None):
        """ℓ(s_i, y_i) of every row, shape (n_samples,).

        Where Δ and the scores cancel, s_i may be given more exactly, as the sum of ``scores`` and a small ``rest`` of
        the same shape.
        """

    @abstractmethod
    def subgradients(self, scores, y, margin):
        """One subgradient of ℓ(·, y_i) at s_i for every row, shape (n_samples, n_scores).

        It is a vertex of D_y. At a kink, where many are valid, the choice is deterministic: a hinge at margin
        exactly Δ counts as not violated, and of equal scores the first class counts as the greatest.
        """

    @abstractmethod
    def dual_values(self, dual, y):
        """c(g_i) of every row, shape (n_samples,): the part of ℓ that is linear in Δ."""

    @abstractmethod
    def prox(self, dual, scores, y, curvature, margin):
        """The better subgradient of every row, shape (n_samples, n_scores).

        argmax_{g ∈ D_y} ⟨g, s_i⟩ + Δ c(g) − ρ_i/2 ‖g − g_i‖²

        Parameters
        ----------
        dual : ndarray of shape (n_samples, n_scores)
            g_i, from which the step starts. It lies in D_y.
        scores : ndarray of shape (n_samples, n_scores)
        y : ndarray of shape (n_samples,)
        curvature : ndarray of shape (n_samples,)
            ρ_i ≥ 0.
        margin : float
            Δ.
        """

    @abstractmethod
    def free(self, dual, y):
        """Which entries of a prox step can move: where its Jacobian in ρ_i g_i + s_i does not vanish.

        The Jacobian of the projection onto D_y is the identity on the free entries, less their mean if
        `sums_to_zero`. Boolean, shape (n_samples, n_scores).
        """

    @abstractmethod
    def with_signs(self, dual, y):
        """A float64 copy in which rounding has left no entry on the wrong side of zero and no row unbalanced."""

    @abstractmethod
    def violations(self, dual, y):
        """The smallest t_i ≥ 0 such that g_i / t_i ∈ D_y, shape (n_samples,); inf where there is none."""

    @abstractmethod
    def balanced(self, dual, y, weights):
        """A copy of ``dual``, close to it, with Σ_i ω_i g_i = 0 up to rounding.

        The rows may leave D_y by a factor, which `violations` returns; dividing all rows by a common factor keeps
        the balance. This is what a certificate with an unregularised intercept needs.

        Parameters
        ----------
        dual : ndarray of shape (n_samples, n_scores)
        y : ndarray of shape (n_samples,)
        weights : ndarray of shape (n_samples,)
            ω_i, summing to one.
        """

    @abstractmethod
    def intercept_bounds(self, y, weights, lengths, objective, n_scores):
        """r ≥ 0 of shape (n_scores,) with ⟨v, b*⟩ ≥ −Σ_k |v_k| r_k for the b* of every solution.

        v is any vector that Σ_i ω_i g_i can be. Where the losses of a class have no more than the whole objective, its
        scores are bounded on the average, and so are the intercepts.

        Parameters
        ----------
        y : ndarray of shape (n_samples,)
        weights : ndarray of shape (n_samples,)
            ω_i, summing to one.
        lengths : ndarray of shape (n_samples,)
            Upper bounds of ‖W*‖ ‖x_i‖.
        objective : float
            An upper bound of P(W*, b*).
        n_scores : int
        """

    def _positive(self, curvature, scores, margin):
        return np.maximum(curvature, self.smallest_curvature * (np.abs(scores).max(axis=1) + float(margin)))


def mean_bounds(weights, sums, objective):
    """(P* + sums)/π for every π of ``weights``; what it is without any weight is not known."""
    with np.errstate(divide="ignore", over="ignore"):
        return np.where(weights > 0, (objective + sums) / weights, np.inf)
