"""Losses of the margins between classes: Crammer-Singer and Weston-Watkins."""

import numpy as np

from linear_hinge.linalg.accurate import difference_error
from linear_hinge.linalg.sums import combination
from linear_hinge.losses.balancing import balance_flows
from linear_hinge.losses.base import HingeLoss, mean_bounds
from linear_hinge.losses.constant_scores import (
    MOST_CLASSES,
    constants_of_costs,
    crammer_singer_constants,
    weston_watkins_constants,
)
from linear_hinge.losses.projections import project_crammer_singer, project_weston_watkins


class PairwiseHinge(HingeLoss):
    """A loss of the violated margins Δ κ(y, j) + s_j − s_y between the true class y and every other class j.

    Their subgradients sum to zero over the classes: g_y = −Σ_{j≠y} g_j, and c(g) = Σ_{j≠y} κ(y, j) g_j. That is −g_y
    where κ = 1.

    Attributes
    ----------
    limits_pairs : bool
        Whether each g_j is at most 1, instead of their sum.
    constants_of_equal_costs : callable
        `best_constants` with an intercept and κ = 1, for the weights of the classes.
    """

    sums_to_zero = True
    nearest_in_linear_svc = "crammer_singer"

    def n_scores(self, n_classes):
        return n_classes

    def violated_margins(self, scores, y, margin, rest=None, slack=0.0):
        """Compute Δ κ(y, j) + s_j − s_y for j ≠ y; at j = y, where nothing can be violated, it is 0.

        Parameters
        ----------
        scores : ndarray of shape (n_samples, n_classes)
            S.
        y : ndarray of shape (n_samples,)
            Codes of the classes.
        margin : float
            Δ.
        rest : ndarray of shape (n_samples, n_classes), optional
            What the rounding of ``scores`` left out.
        slack : float, default=0
            What is added to every distance.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            By how much every margin is violated; negative where it is kept.
        """
        rows = np.arange(len(y))
        target = scores[rows, y][:, None]
        margins = scores - target
        if rest is not None:
            rest = rest - rest[rows, y][:, None] + difference_error(scores, target, margins)
        margins += self._distances(y, margin, slack)
        if rest is not None:
            margins += rest
        margins[rows, y] = 0
        return margins

    def dual_values(self, dual, y):
        if self.costs is None:
            return -dual[np.arange(len(y)), y]
        return np.einsum("ik,ik->i", self._costs_of(y), dual).astype(dual.dtype, copy=False)

    def _proximal_point(self, dual, scores, y, curvature, margin):
        """g_i + (s_i + Δ κ(y, ·))/ρ_i, whose projection onto D_y is the prox step; with −e_y for κ = 1, which is the
        same less a constant.
        """
        inverse = 1 / self._positive(curvature, scores, margin)
        point = scores * inverse[:, None]
        point += dual
        if self.costs is None:
            point[np.arange(len(y)), y] -= float(margin) * inverse
        else:
            point += self._distances(y, margin) * inverse[:, None]
        return point

    def with_signs(self, dual, y):
        rows = np.arange(len(y))
        signed = np.maximum(dual, 0, dtype=np.float64)
        signed[rows, y] = 0
        signed[rows, y] = -signed.sum(axis=1)
        return signed

    def intercept_sums(self, y, weights, lengths, n_scores):
        return np.stack([np.bincount(y, part, n_scores) for part in (weights, weights * lengths)])

    def intercept_bounds(self, sums, length, objective):
        # With π_j the weight of class j and m_j its mean of ‖W*‖ ‖x_i‖, b_k − b_j ≤ t_j = P*/π_j + √2 m_j. As v sums
        # to zero, b may be measured from the class r with the least t. Then −t_k ≤ b_k ≤ t_r.
        of_class, lengths = sums
        bounds = mean_bounds(of_class, np.sqrt(2) * length * lengths, objective)
        bounds[bounds.argmin()] = 0
        return bounds

    def _balanced_constants(self, weights, dual):
        if self.costs is None or len(weights) > MOST_CLASSES:
            return self.constants_of_equal_costs(weights)
        best = constants_of_costs(weights, self.costs, self.limits_pairs)
        return self.constants_of_equal_costs(weights) if best is None else best

    def flows(self, dual, y, weights):
        # M_jk = Σ_{i: y_i=j} ω_i g_ik for j ≠ k flows from class j to class k.
        n_classes = dual.shape[1]
        flows = np.zeros((n_classes, n_classes))
        for label in range(n_classes):
            of_label = y == label
            flows[label] = combination(weights[of_label], dual[of_label])
        np.fill_diagonal(flows, 0)
        return flows

    def balancing_factors(self, flows):
        # Row sums of M become its column sums.
        return balance_flows(flows)

    def rescaled(self, dual, y, factors):
        rows = np.arange(len(y))
        off_target = dual * factors[y]
        off_target[rows, y] = 0
        off_target[rows, y] = -off_target.sum(axis=1)
        return off_target


class CrammerSinger(PairwiseHinge):
    """The worst violated margin: max(0, max_{j≠y} (Δ κ(y, j) + s_j − s_y)).

    D_y = {p − e_y : p in the simplex}.

    References
    ----------
    Crammer and Singer, On the algorithmic implementation of multiclass kernel-based vector machines, JMLR 2001.
    """

    collapses = True
    row_kernel = "CrammerSinger"
    limits_pairs = False
    constants_of_equal_costs = staticmethod(crammer_singer_constants)

    def values(self, scores, y, margin, rest=None, slack=0.0):
        return self.violated_margins(scores, y, margin, rest, slack).max(axis=1)

    def subgradients(self, scores, y, margin):
        margins = self.violated_margins(scores, y, margin)
        worst = margins.argmax(axis=1)
        rows = np.arange(len(y))
        violated = margins[rows, worst] > 0
        dual = np.zeros_like(scores)
        dual[rows, worst] += violated
        dual[rows, y] -= violated
        return dual

    def _subgradients_at_zero(self, n_classes):
        """Return g_y with equal parts for all other classes, which are equally wrong."""
        if self.costs is not None:
            return super()._subgradients_at_zero(n_classes)
        return 1 / (n_classes - 1) - n_classes / (n_classes - 1) * np.eye(n_classes)

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


class WestonWatkins(PairwiseHinge):
    """All the violated margins: Σ_{j≠y} max(0, Δ κ(y, j) + s_j − s_y).

    D_y = {g : g_j ∈ [0, 1] for j ≠ y, g_y = −Σ_{j≠y} g_j}.

    References
    ----------
    Weston and Watkins, Support vector machines for multi-class pattern recognition, ESANN 1999.
    """

    row_kernel = "WestonWatkins"
    limits_pairs = True
    constants_of_equal_costs = staticmethod(weston_watkins_constants)

    def values(self, scores, y, margin, rest=None, slack=0.0):
        return np.maximum(self.violated_margins(scores, y, margin, rest, slack), 0).sum(axis=1)

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
