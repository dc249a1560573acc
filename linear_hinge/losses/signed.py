"""Losses that are sums of hinges of one score each: the binary hinge and one-vs-rest."""

from abc import abstractmethod
from functools import partial

import numpy as np

from linear_hinge.linalg.sums import combination
from linear_hinge.losses.base import HingeLoss, mean_bounds


class SignedHinge(HingeLoss):
    """A sum of hinges of one score each: Σ_k max(0, Δ κ − z_k s_k), z_k = ±1.

    D_y = {g : g_k = −z_k β_k, β_k ∈ [0, 1]} and c(g) = Σ_k κ β_k, κ of the row.
    """

    sums_to_zero = False

    @abstractmethod
    def signed(self, values, y):
        """Multiply by the signs z_ik.

        Parameters
        ----------
        values : ndarray of shape (n_samples, n_scores)
            Any numbers v_ik, one for every score.
        y : ndarray of shape (n_samples,)
            Codes of the classes.

        Returns
        -------
        ndarray of shape (n_samples, n_scores)
            The products z_ik v_ik, in a new array.
        """

    def _hinges(self, scores, y, margin, slack=0.0):
        """Δ κ − z_k s_k."""
        hinges = -self.signed(scores, y)
        hinges += self._distances(y, margin, slack)
        return hinges

    def values(self, scores, y, margin, rest=None, slack=0.0):
        hinges = self._hinges(scores, y, margin, slack)
        if rest is not None:
            hinges -= self.signed(rest, y)
        return np.maximum(hinges, 0).sum(axis=1)

    def subgradients(self, scores, y, margin):
        violated = self._hinges(scores, y, margin) > 0
        return 0 - self.signed(violated.astype(scores.dtype), y)

    def dual_values(self, dual, y):
        beta = -self.signed(dual, y)
        if self.costs is not None:
            beta *= self._costs_of(y)
        return beta.sum(axis=1)

    def prox(self, dual, scores, y, curvature, margin):
        curvature = self._positive(curvature, scores, margin)[:, None]
        beta = self._hinges(scores, y, margin) / curvature - self.signed(dual, y)
        return -self.signed(np.clip(beta, 0, 1), y)

    def free(self, dual, y):
        return (dual != 0) & (np.abs(dual) < 1)

    def with_signs(self, dual, y):
        beta = -self.signed(dual.astype(np.float64, copy=False), y)
        return -self.signed(np.maximum(beta, 0), y)

    def violations(self, dual, y):
        beta = -self.signed(dual, y)
        return np.where(beta.min(axis=1) < 0, np.inf, beta.max(axis=1))

    def intercept_sums(self, y, weights, lengths, n_scores):
        # Of the classes with z_k = 1, then of those with z_k = −1.
        classes = np.arange(max(2, n_scores))
        sides = [self.signed(np.full((len(classes), n_scores), float(side)), classes) > 0 for side in (1, -1)]
        of_classes = [np.bincount(y, part, len(classes)) for part in (weights, weights * lengths)]
        return np.stack([np.concatenate([combination(sums, on_side) for on_side in sides]) for sums in of_classes])

    def _balanced_constants(self, weights, dual):
        """Every score is on the side of the heavier of its two."""
        y = np.arange(len(weights))
        if self.costs is not None:  # of two classes, and one that asks for no distance has a subgradient as well
            dual = -self.signed(np.ones_like(dual), y)
        heavier = np.sign(-combination(weights, dual))
        if self.costs is not None:  # the margin of the heavier class is kept
            heavier *= self.costs[1, 0] if heavier[0] > 0 else self.costs[0, 1]
        self.balance(dual, y, weights)
        return heavier, dual

    def intercept_bounds(self, sums, length, objective):
        # With π the weight of the rows with z_k = ±1 and m the mean of their ‖W*‖ ‖x_i‖, ∓b_k ≤ P*/π − Δ κ + m; here
        # it is without the distance, which is not negative.
        of_side, lengths = sums
        return mean_bounds(of_side, length * lengths, objective).reshape(2, -1).max(axis=0)

    def flows(self, dual, y, weights):
        # What the two sides of every score pull.
        return np.stack([combination(weights, dual, partial(_on_side, sign)) for sign in (1, -1)])

    def balancing_factors(self, flows):
        # The heavier side is scaled down.
        lighter = flows.min(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(flows > 0, lighter / flows, 0)

    def rescaled(self, dual, y, factors):
        return np.where(dual > 0, factors[0] * dual, factors[1] * dual)


def _on_side(sign, dual):
    """Return the entries of one sign as positive numbers, and zeros."""
    return np.maximum(sign * dual, 0)


class BinaryHinge(SignedHinge):
    """The hinge of the soft-margin support vector machine: max(0, Δ − z s), z = +1 for class 1 and −1 for class 0.

    With costs, Δ κ(y, 1 − y) takes the place of Δ.

    References
    ----------
    Cortes and Vapnik, Support-vector networks, Machine Learning 1995.
    """

    row_kernel = "BinaryHinge"

    def _costs_of(self, y):
        return self.costs[y, 1 - y][:, None]

    def n_scores(self, n_classes):
        return 1

    def signed(self, values, y):
        return (2 * y - 1).astype(values.dtype)[:, None] * values


class OneVsRest(SignedHinge):
    """The sum of a binary hinge for every class: Σ_k max(0, Δ − z_k s_k), z_k = +1 at k = y and −1 elsewhere.

    Parameters
    ----------
    costs : None
        There are none, because no pair of classes is compared.

    Raises
    ------
    ValueError
        If there are costs.

    References
    ----------
    Rifkin and Klautau, In defense of one-vs-all classification, JMLR 2004.
    """

    collapses = True
    row_kernel = "OneVsRest"

    def __init__(self, costs=None):
        super().__init__(costs)
        if costs is not None:
            raise ValueError(
                "loss='one_vs_rest' takes one number as margin: it sets each class against all others and compares no"
                " pair of classes. An array needs 'weston_watkins' or 'crammer_singer'."
            )

    def n_scores(self, n_classes):
        return n_classes

    def signed(self, values, y):
        signed, rows = -values, np.arange(len(y))
        signed[rows, y] = values[rows, y]
        return signed
