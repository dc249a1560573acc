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
of the scores. Adding a loss is one class here, its line in `LOSSES`, and its tests.
"""

from abc import ABC, abstractmethod

import numpy as np

from linear_hinge._balancing import balance_flows
from linear_hinge._products import combination, difference_error
from linear_hinge._projections import project_crammer_singer, project_weston_watkins


class HingeLoss(ABC):
    """What the losses have in common: the maximum over a polytope, seen from its two sides.

    Attributes
    ----------
    sums_to_zero : bool
        Whether Σ_k g_ik = 0 for every g_i ∈ D_y: the loss looks at differences of scores only.
    smallest_curvature : float
        Of a prox step, in parts of the scores.
    """

    sums_to_zero: bool
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

        The rows may leave D_y by a factor that `violations` tells; dividing all rows by a common factor keeps
        the balance. This is what a certificate with an unregularised intercept needs.

        Parameters
        ----------
        dual : ndarray of shape (n_samples, n_scores)
        y : ndarray of shape (n_samples,)
        weights : ndarray of shape (n_samples,)
            ω_i, summing to one.
        """

    def _positive(self, curvature, scores, margin):
        return np.maximum(curvature, self.smallest_curvature * (np.abs(scores).max(axis=1) + float(margin)))


class _SignedHinge(HingeLoss):
    """Hinges that each look at one score: Σ_k max(0, Δ − z_k s_k), z_k = ±1.

    D_y = {g : g_k = −z_k β_k, β_k ∈ [0, 1]} and c(g) = Σ_k β_k.
    """

    sums_to_zero = False

    @abstractmethod
    def signed(self, values, y):
        """z_ik v_ik, a new array of shape (n_samples, n_scores)."""

    def values(self, scores, y, margin, rest=None):
        hinges = float(margin) - self.signed(scores, y)
        if rest is not None:
            hinges -= self.signed(rest, y)
        return np.maximum(hinges, 0).sum(axis=1)

    def subgradients(self, scores, y, margin):
        violated = float(margin) - self.signed(scores, y) > 0
        return 0 - self.signed(violated.astype(scores.dtype), y)

    def dual_values(self, dual, y):
        return -self.signed(dual, y).sum(axis=1)

    def prox(self, dual, scores, y, curvature, margin):
        curvature = self._positive(curvature, scores, margin)[:, None]
        beta = (float(margin) - self.signed(scores, y)) / curvature - self.signed(dual, y)
        return -self.signed(np.clip(beta, 0, 1), y)

    def free(self, dual, y):
        return (dual != 0) & (np.abs(dual) < 1)

    def with_signs(self, dual, y):
        beta = -self.signed(dual.astype(np.float64, copy=False), y)
        return -self.signed(np.maximum(beta, 0), y)

    def violations(self, dual, y):
        beta = -self.signed(dual, y)
        return np.where(beta.min(axis=1) < 0, np.inf, beta.max(axis=1))

    def balanced(self, dual, y, weights):
        """Scale down the heavier of the two sides of every score."""
        rises = combination(weights, np.maximum(dual, 0))
        falls = combination(weights, np.maximum(-dual, 0))
        lighter = np.minimum(rises, falls)
        with np.errstate(divide="ignore", invalid="ignore"):
            up = np.where(rises > 0, lighter / rises, 0)
            down = np.where(falls > 0, lighter / falls, 0)
        return np.where(dual > 0, up * dual, down * dual)


class BinaryHinge(_SignedHinge):
    """The hinge of the soft-margin support vector machine: max(0, Δ − z s), z = +1 for class 1, −1 for class 0."""

    def n_scores(self, n_classes):
        return 1

    def signed(self, values, y):
        return (2 * y - 1).astype(values.dtype)[:, None] * values


class OneVsRest(_SignedHinge):
    """One binary hinge a class, summed: Σ_k max(0, Δ − z_k s_k), z_k = +1 at k = y and −1 elsewhere."""

    def n_scores(self, n_classes):
        return n_classes

    def signed(self, values, y):
        signed, rows = -values, np.arange(len(y))
        signed[rows, y] = values[rows, y]
        return signed


class _PairwiseHinge(HingeLoss):
    """Losses of the margins between the true class and every other, Δ + s_j − s_y for j ≠ y.

    Their subgradients sum to zero over the classes: g_y = −Σ_{j≠y} g_j, and c(g) = −g_y.
    """

    sums_to_zero = True

    def n_scores(self, n_classes):
        return n_classes

    def violated_margins(self, scores, y, margin, rest=None):
        """Δ + s_j − s_y for j ≠ y, and 0 at j = y, where nothing can be violated."""
        rows = np.arange(len(y))
        target = scores[rows, y][:, None]
        margins = scores - target
        if rest is not None:
            rest = rest - rest[rows, y][:, None] + difference_error(scores, target, margins)
        margins += float(margin)
        if rest is not None:
            margins += rest
        margins[rows, y] = 0
        return margins

    def dual_values(self, dual, y):
        return -dual[np.arange(len(y)), y]

    def _proximal_point(self, dual, scores, y, curvature, margin):
        """g_i + (s_i − Δ e_y)/ρ_i, whose projection onto D_y is the prox step."""
        inverse = 1 / self._positive(curvature, scores, margin)
        point = scores * inverse[:, None]
        point += dual
        point[np.arange(len(y)), y] -= float(margin) * inverse
        return point

    def with_signs(self, dual, y):
        rows = np.arange(len(y))
        signed = np.maximum(dual, 0, dtype=np.float64)
        signed[rows, y] = 0
        signed[rows, y] = -signed.sum(axis=1)
        return signed

    def balanced(self, dual, y, weights):
        """Balance what flows between the classes: row sums of M_jk = Σ_{i: y_i=j} ω_i g_ik become its column sums."""
        rows = np.arange(len(y))
        off_target = np.array(dual)
        off_target[rows, y] = 0
        n_classes = dual.shape[1]
        flows = np.zeros((n_classes, n_classes))
        for label in range(n_classes):
            of_label = y == label
            flows[label] = combination(weights[of_label], off_target[of_label])
        off_target *= balance_flows(flows)[y]
        off_target[rows, y] = -off_target.sum(axis=1)
        return off_target


class CrammerSinger(_PairwiseHinge):
    """The worst violated margin: max(0, max_{j≠y} (Δ + s_j − s_y)).

    D_y = {p − e_y : p in the simplex}.

    References
    ----------
    Crammer and Singer, On the algorithmic implementation of multiclass kernel-based vector machines, JMLR 2001.
    """

    def values(self, scores, y, margin, rest=None):
        return self.violated_margins(scores, y, margin, rest).max(axis=1)

    def subgradients(self, scores, y, margin):
        margins = self.violated_margins(scores, y, margin)
        worst = margins.argmax(axis=1)
        rows = np.arange(len(y))
        violated = margins[rows, worst] > 0
        dual = np.zeros_like(scores)
        dual[rows, worst] += violated
        dual[rows, y] -= violated
        return dual

    def prox(self, dual, scores, y, curvature, margin):
        point = self._proximal_point(dual, scores, y, curvature, margin)
        return project_crammer_singer(point, y)

    def free(self, dual, y):
        free = dual > 0
        rows = np.arange(len(y))
        free[rows, y] = dual[rows, y] > -1
        return free

    def violations(self, dual, y):
        rows = np.arange(len(y))
        others = np.array(dual)
        others[rows, y] = 0
        return np.where(others.min(axis=1) < 0, np.inf, others.sum(axis=1))


class WestonWatkins(_PairwiseHinge):
    """All the violated margins: Σ_{j≠y} max(0, Δ + s_j − s_y).

    D_y = {g : g_j ∈ [0, 1] for j ≠ y, g_y = −Σ_{j≠y} g_j}.

    References
    ----------
    Weston and Watkins, Support vector machines for multi-class pattern recognition, ESANN 1999.
    """

    def values(self, scores, y, margin, rest=None):
        return np.maximum(self.violated_margins(scores, y, margin, rest), 0).sum(axis=1)

    def subgradients(self, scores, y, margin):
        dual = (self.violated_margins(scores, y, margin) > 0).astype(scores.dtype)
        dual[np.arange(len(y)), y] = -dual.sum(axis=1)
        return dual

    def prox(self, dual, scores, y, curvature, margin):
        point = self._proximal_point(dual, scores, y, curvature, margin)
        return project_weston_watkins(point, y)

    def free(self, dual, y):
        free = (dual > 0) & (dual < 1)
        free[np.arange(len(y)), y] = True
        return free

    def violations(self, dual, y):
        others = np.array(dual)
        others[np.arange(len(y)), y] = 0
        return np.where(others.min(axis=1) < 0, np.inf, others.max(axis=1))


LOSSES = {
    "crammer_singer": CrammerSinger(),
    "weston_watkins": WestonWatkins(),
    "one_vs_rest": OneVsRest(),
}


def get_loss(name, n_classes):
    """The loss of that name; with two classes every one of them is the binary hinge."""
    return BinaryHinge() if n_classes == 2 else LOSSES[name]
