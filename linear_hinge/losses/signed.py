"""Losses that are sums of hinges of one score each: the binary hinge and one-vs-rest."""

from abc import abstractmethod

import numpy as np

from linear_hinge.linalg.sums import combination
from linear_hinge.losses.base import HingeLoss, mean_bounds


class SignedHinge(HingeLoss):
    """A sum of hinges of one score each: Σ_k max(0, Δ − z_k s_k), z_k = ±1.

    D_y = {g : g_k = −z_k β_k, β_k ∈ [0, 1]} and c(g) = Σ_k β_k.
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

    def intercept_bounds(self, y, weights, lengths, objective, n_scores):
        # With π the weight of the rows with z_k = ±1 and m the mean of their lengths, ∓b_k ≤ P*/π − Δ + m.
        of_side = []
        for side in (1, -1):
            on_side = self.signed(np.full((len(y), n_scores), float(side)), y) > 0
            of_side.append(
                mean_bounds(combination(weights, on_side), combination(weights * lengths, on_side), objective)
            )
        return np.maximum(*of_side)

    def balanced(self, dual, y, weights):
        # Of the two sides of every score, the heavier is scaled down.
        rises = combination(weights, np.maximum(dual, 0))
        falls = combination(weights, np.maximum(-dual, 0))
        lighter = np.minimum(rises, falls)
        with np.errstate(divide="ignore", invalid="ignore"):
            up = np.where(rises > 0, lighter / rises, 0)
            down = np.where(falls > 0, lighter / falls, 0)
        return np.where(dual > 0, up * dual, down * dual)


class BinaryHinge(SignedHinge):
    """The hinge of the soft-margin support vector machine: max(0, Δ − z s), z = +1 for class 1 and −1 for class 0.

    References
    ----------
    Cortes and Vapnik, Support-vector networks, Machine Learning 1995.
    """

    row_kernel = "BinaryHinge"

    def n_scores(self, n_classes):
        return 1

    def signed(self, values, y):
        return (2 * y - 1).astype(values.dtype)[:, None] * values


class OneVsRest(SignedHinge):
    """The sum of a binary hinge for every class: Σ_k max(0, Δ − z_k s_k), z_k = +1 at k = y and −1 elsewhere.

    References
    ----------
    Rifkin and Klautau, In defense of one-vs-all classification, JMLR 2004.
    """

    collapses = True
    row_kernel = "OneVsRest"

    def n_scores(self, n_classes):
        return n_classes

    def signed(self, values, y):
        signed, rows = -values, np.arange(len(y))
        signed[rows, y] = values[rows, y]
        return signed
