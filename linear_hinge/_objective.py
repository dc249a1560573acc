"""The problem that is solved.

    P(W, b) = alpha/2 ‖W‖² + Σ_i ω_i ℓ(W x_i + b, y_i)

with ω_i the weights of the samples, summing to one, and the intercept b not regularised.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from linear_hinge._compiled import losses
from linear_hinge._losses import HingeLoss
from linear_hinge._products import inner, product, weighted_mean
from linear_hinge._rows import ROWS_AT_ONCE, chunks, norms_and_bits


@dataclass(frozen=True)
class Problem:
    """The data and the constants of P.

    Attributes
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
        Integer codes of the classes.
    weights : ndarray of shape (n_samples,), dtype=float64
        ω_i ≥ 0, summing to one. Rows of weight zero are as good as absent.
    loss : HingeLoss
    n_scores : int
    alpha : float
    margin : float
    fit_intercept : bool
    """

    X: np.ndarray | sp.csr_array | sp.csr_matrix
    y: np.ndarray
    weights: np.ndarray
    loss: HingeLoss
    n_scores: int
    alpha: float
    margin: float
    fit_intercept: bool

    @cached_property
    def rows(self):
        """Numbers of the rows that have a weight."""
        return np.flatnonzero(self.weights)

    @property
    def squared_norms(self):
        """‖x_i‖² of all rows, inf where it overflows."""
        return self._norms_and_bits[0]

    @property
    def occupied(self):
        """Of dense rows with many zeros, bits for the groups of features that are not all zero; None of others."""
        return self._norms_and_bits[1]

    @cached_property
    def _norms_and_bits(self):
        return norms_and_bits(self.X)


def primal_objective(problem, coef, intercept):
    """P(W, b), summed up in float64.

    Parameters
    ----------
    problem : Problem
    coef : ndarray of shape (n_features, n_scores)
        Wᵀ.
    intercept : ndarray of shape (n_scores,)
    """
    intercept = np.array(np.broadcast_to(intercept, coef.shape[1:]))
    values = losses(problem.loss, problem.X, coef, intercept, problem.y, problem.margin, problem.occupied)
    if values is None:
        values = np.empty(len(problem.y))
        for chunk in chunks(len(problem.y), ROWS_AT_ONCE):
            scores = product(problem.X[chunk], coef) + intercept
            values[chunk] = problem.loss.values(scores, problem.y[chunk], problem.margin)
    coef = coef.astype(np.float64, copy=False)
    return 0.5 * problem.alpha * inner(coef, coef) + weighted_mean(problem.weights, values)
