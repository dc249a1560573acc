"""The hinge losses: what each of them punishes, its subgradients, its dual and its prox step.

Conventions, the same everywhere in this package:

=============  ======================  =====================================================
``scores``     (n_samples, n_scores)   S = X Wᵀ + b; ``n_scores`` is 1 with two classes
``y``          (n_samples,)            integer codes 0 … n_classes − 1
``dual``       (n_samples, n_scores)   g_i, one remembered subgradient of the loss per row
``margin``     float                   Δ, the distance that the hinge asks for where κ = 1
=============  ======================  =====================================================

Every loss is the maximum of linear functions over a polytope D_y,

    ℓ(s, y) = max_{g ∈ D_y} ⟨g, s⟩ + Δ c(g),

and the maximisers are its subgradients in s. Where Δ depends on the classes, Δ(y, j) = Δ κ(y, j) is a part of c: the
costs κ are all that a loss knows beside its formula. Losses hold nothing that changes, and they return values in the
dtype of the scores. Adding a loss is one class in this folder, its line in `LOSSES`, and its tests.
"""

from abc import ABC, abstractmethod

import numpy as np

from linear_hinge.linalg.batches import cached_chunks


class HingeLoss(ABC):
    """The maximum of linear functions over a polytope: what all losses have in common.

    Parameters
    ----------
    costs : ndarray of shape (n_classes, n_classes), optional
        The costs κ ≥ 0 with a zero diagonal: between class y and class j the hinge asks for the distance Δ κ(y, j). All
        are one by default.

    Attributes
    ----------
    sums_to_zero : bool
        Whether Σ_k g_ik = 0 for every g_i ∈ D_y: the loss depends on differences of scores only.
    collapses : bool
        Whether the solution is a constant classifier where no class is likelier than all others together.
    row_kernel : str or None
        The compiled class that computes one row, with the contract of `RowLoss`. Without one, steps are those of NumPy.
    nearest_in_linear_svc : {"crammer_singer", "one_vs_rest"}
        The loss of :class:`sklearn.svm.LinearSVC` that is this one, or comes closest.
    smallest_curvature : float
        The smallest ρ_i of a prox step, as a multiple of Δ + max_k |s_ik|.
    """

    sums_to_zero: bool
    collapses = False
    row_kernel = None
    nearest_in_linear_svc = "one_vs_rest"
    # A row without a single non-zero has no curvature and would divide by zero; any positive number sends it to the
    # vertex that maximises the dual, and this one does not overflow.
    smallest_curvature = 1e-20

    def __init__(self, costs=None):
        self.costs = costs

    @abstractmethod
    def n_scores(self, n_classes):
        """Return the number of scores of a row, which is the number of rows of ``coef_``.

        Parameters
        ----------
        n_classes : int
            Number of classes, at least 2.

        Returns
        -------
        int
            1 for a binary loss, otherwise ``n_classes``.
        """

    @abstractmethod
    def values(self, scores, y, margin, rest=None, slack=0.0):
        """Compute the loss ℓ(s_i, y_i) of every row.

        Parameters
        ----------
        scores : ndarray of shape (n_samples, n_scores)
            S.
        y : ndarray of shape (n_samples,)
            Codes of the classes.
        margin : float
            Δ.
        rest : ndarray of shape (n_samples, n_scores), optional
            What the rounding of ``scores`` left out. Where Δ and the scores cancel, S is given as the sum of both.
        slack : float, default=0
            What is added to every distance, those of zero included.

        Returns
        -------
        ndarray of shape (n_samples,)
            The losses, in the units of the scores.
        """

    @abstractmethod
    def subgradients(self, scores, y, margin):
        """Compute a subgradient of ℓ(·, y_i) at s_i for every row.

        It is a vertex of D_y. At a kink, where many are valid, the choice is deterministic: a hinge whose margin is
        exactly Δ counts as not violated, and of equal scores the first class counts as the greatest.

        Parameters
        ----------
        scores : ndarray of shape (n_samples, n_scores)
            S.
        y : ndarray of shape (n_samples,)
            Codes of the classes.
        margin : float
            Δ.

        Returns
        -------
        ndarray of shape (n_samples, n_scores)
            G.
        """

    @abstractmethod
    def dual_values(self, dual, y):
        """Compute c(g_i) of every row, the factor of Δ in the linear function that g_i stands for.

        Parameters
        ----------
        dual : ndarray of shape (n_samples, n_scores)
            G.
        y : ndarray of shape (n_samples,)
            Codes of the classes.

        Returns
        -------
        ndarray of shape (n_samples,)
            The values c(g_i), which are linear in g_i.
        """

    @abstractmethod
    def prox(self, dual, scores, y, curvature, margin):
        """Compute a better subgradient for every row, its prox step.

        argmax_{g ∈ D_y} ⟨g, s_i⟩ + Δ c(g) − ρ_i/2 ‖g − g_i‖²

        Parameters
        ----------
        dual : ndarray of shape (n_samples, n_scores)
            G, where the steps start; each g_i lies in D_y.
        scores : ndarray of shape (n_samples, n_scores)
            S.
        y : ndarray of shape (n_samples,)
            Codes of the classes.
        curvature : ndarray of shape (n_samples,)
            The ρ_i, not negative.
        margin : float
            Δ.

        Returns
        -------
        ndarray of shape (n_samples, n_scores)
            G⁺, whose rows lie in D_y up to rounding.
        """

    @abstractmethod
    def free(self, dual, y):
        """Find the free entries of prox steps: those where the Jacobian of the projection onto D_y does not vanish.

        The Jacobian is the identity on the free entries, less their mean if `sums_to_zero`.

        Parameters
        ----------
        dual : ndarray of shape (n_samples, n_scores)
            G⁺, the result of prox steps.
        y : ndarray of shape (n_samples,)
            Codes of the classes.

        Returns
        -------
        ndarray of shape (n_samples, n_scores), dtype=bool
            Whether an entry is free.
        """

    @abstractmethod
    def with_signs(self, dual, y):
        """Return a copy in which rounding has left no entry on the wrong side of zero and no sum that must vanish.

        Parameters
        ----------
        dual : ndarray of shape (n_samples, n_scores)
            G, feasible up to rounding.
        y : ndarray of shape (n_samples,)
            Codes of the classes.

        Returns
        -------
        ndarray of shape (n_samples, n_scores), dtype=float64
            G with the signs of D_y, and with Σ_k g_ik = 0 if `sums_to_zero`.
        """

    @abstractmethod
    def violations(self, dual, y):
        """Compute the smallest t_i ≥ 0 with g_i / t_i ∈ D_y of every row.

        Parameters
        ----------
        dual : ndarray of shape (n_samples, n_scores)
            G.
        y : ndarray of shape (n_samples,)
            Codes of the classes.

        Returns
        -------
        ndarray of shape (n_samples,)
            The factors t_i: at most 1 where g_i is feasible, inf where no multiple of it is.
        """

    def balance(self, dual, y, weights):
        """Change G, but little, so that Σ_i ω_i g_i = 0 up to rounding.

        A certificate with an unregularised intercept needs this. Rows may leave D_y by a factor, which `violations`
        returns; dividing all rows by a common factor keeps the balance.

        Parameters
        ----------
        dual : ndarray of shape (n_samples, n_scores)
            G, with the signs of D_y. It may be large and is changed in place. Rows become zero where no positive
            factors can balance them.
        y : ndarray of shape (n_samples,)
            Codes of the classes.
        weights : ndarray of shape (n_samples,)
            The ω_i, which sum to one.
        """
        factors = self.balancing_factors(self.flows(dual, y, weights))
        for rows in cached_chunks(*dual.shape):
            dual[rows] = self.rescaled(dual[rows], y[rows], factors)

    def best_constants(self, weights, has_intercept):
        """Find the best equal scores b of all samples, for Δ = 1, and a subgradient g_y of every class that proves it.

        Σ_y π_y c(g_y) = min_b Σ_y π_y ℓ(b, y), with Σ_y π_y g_y = 0; b is zero without an intercept, and g_y any
        subgradients then.

        Parameters
        ----------
        weights : ndarray of shape (n_classes,)
            The weights π_y > 0 of the classes, which sum to one.
        has_intercept : bool
            Whether there is an intercept.

        Returns
        -------
        scores : ndarray of shape (n_scores,)
            The equal scores b.
        dual : ndarray of shape (n_classes, n_scores)
            The subgradients g_y, one row for every class.
        """
        dual = self._subgradients_at_zero(len(weights))
        return self._balanced_constants(weights, dual) if has_intercept else (np.zeros(dual.shape[1]), dual)

    def _subgradients_at_zero(self, n_classes):
        """Return a subgradient g_y of every class at scores of zero."""
        y = np.arange(n_classes)
        return self.subgradients(np.zeros((n_classes, self.n_scores(n_classes))), y, 1.0)

    @abstractmethod
    def _balanced_constants(self, weights, dual):
        """Compute `best_constants` with an intercept, ``dual`` being what it is without one."""

    @abstractmethod
    def flows(self, dual, y, weights):
        """Sum up what has to be balanced: numbers that add up over the rows.

        Parameters
        ----------
        dual : ndarray of shape (n_samples, n_scores)
            G, with the signs of D_y.
        y : ndarray of shape (n_samples,)
            Codes of the classes.
        weights : ndarray of shape (n_samples,)
            The ω_i.

        Returns
        -------
        ndarray of shape (n_scores or 2, n_scores)
            The sums, which `balancing_factors` takes.
        """

    @abstractmethod
    def balancing_factors(self, flows):
        """Compute the factors that balance these sums.

        Parameters
        ----------
        flows : ndarray of shape (n_scores or 2, n_scores)
            The sums of all rows.

        Returns
        -------
        ndarray of the same shape
            The factors.
        """

    @abstractmethod
    def rescaled(self, dual, y, factors):
        """Return a copy of G with every entry multiplied by its factor.

        Parameters
        ----------
        dual : ndarray of shape (n_samples, n_scores)
            G, with the signs of D_y.
        y : ndarray of shape (n_samples,)
            Codes of the classes.
        factors : ndarray of shape (n_scores or 2, n_scores)
            What `balancing_factors` returned.

        Returns
        -------
        ndarray of shape (n_samples, n_scores)
            The balanced G.
        """

    @abstractmethod
    def intercept_sums(self, y, weights, lengths, n_scores):
        """Sum up what `intercept_bounds` has to know: numbers that add up over the rows.

        Parameters
        ----------
        y : ndarray of shape (n_samples,)
            Codes of the classes.
        weights : ndarray of shape (n_samples,)
            The ω_i.
        lengths : ndarray of shape (n_samples,)
            The norms ‖x_i‖.
        n_scores : int
            Number of scores of a row.

        Returns
        -------
        ndarray of shape (2, n_sums)
            Sums of weights, and of weighted norms.
        """

    @abstractmethod
    def intercept_bounds(self, sums, length, objective):
        """Bound the intercepts of every solution: r ≥ 0 with ⟨v, b*⟩ ≥ −Σ_k |v_k| r_k.

        v is any vector that Σ_i ω_i g_i can be. The losses of a class are at most the whole objective; this bounds
        the mean of its scores, and so the intercepts.

        Parameters
        ----------
        sums : ndarray of shape (2, n_sums)
            What `intercept_sums` returned, for weights that sum to one.
        length : float
            An upper bound of ‖W*‖.
        objective : float
            An upper bound of P(W*, b*).

        Returns
        -------
        ndarray of shape (n_scores,)
            The bounds r, inf for scores whose intercept no row bounds.
        """

    def _distances(self, y, margin, slack=0.0):
        """Δ κ(y_i, ·) + slack, an array that broadcasts with the scores; a number where all are the same."""
        return float(margin) + slack if self.costs is None else float(margin) * self._costs_of(y) + slack

    def _costs_of(self, y):
        """κ(y_i, ·) of every row."""
        return self.costs[y]

    def _positive(self, curvature, scores, margin):
        return np.maximum(curvature, self.smallest_curvature * (np.abs(scores).max(axis=1) + float(margin)))


def mean_bounds(weights, sums, objective):
    """Compute (P* + m_k)/π_k of every score, the bound of a mean score.

    Parameters
    ----------
    weights : ndarray of shape (n_scores,)
        The π_k: the total weight of some rows of every score.
    sums : ndarray of shape (n_scores,)
        The m_k: the sums of ω_i ‖W*‖ ‖x_i‖ over these rows.
    objective : float
        P*, an upper bound of the optimum.

    Returns
    -------
    ndarray of shape (n_scores,)
        The bounds; inf where π_k is zero.
    """
    with np.errstate(divide="ignore", over="ignore"):
        return np.where(weights > 0, (objective + sums) / weights, np.inf)
