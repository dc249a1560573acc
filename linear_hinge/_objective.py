"""The problem that is solved.

    P(W, b) = alpha/2 ‖W‖² + Σ_i ω_i ℓ(W x_i + b, y_i)

with ω_i the weights of the samples, summing to one, and the intercept b not regularised.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from linear_hinge._compiled import filled, mean_losses, rows_of
from linear_hinge._losses import HingeLoss
from linear_hinge._products import inner, product, weighted_mean, widened
from linear_hinge._rows import ROWS_AT_ONCE, chunks, norms_and_bits

# Where the dual ascends from zero, W(G) is too short while the gap is open, by a tenth to a third of the gap.
SCALES = np.array([1, 1.0001, 1.0003, 1.001, 1.003, 1.01, 1.03, 1.1])


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
    def compiled(self):
        """X as compiled code reads it."""
        return rows_of(self.X, self.occupied)

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
    return float(_objectives(problem, coef, intercept, SCALES[:1])[0])


def scaled_objective(problem, coef, intercept):
    """The least P(t W, t b) of some t ≥ 1, and this t; for what `primal_objective` takes.

    ℓ(t s, y) with margin Δ is t ℓ(s, y) with margin Δ/t: the scores are computed once.
    """
    objectives = _objectives(problem, coef, intercept, SCALES)
    best = objectives.argmin()
    return float(objectives[best]), float(SCALES[best])


def _objectives(problem, coef, intercept, scales):
    """P(t W, t b) of every scale t, all of it in float64: near the end losses are small differences of large scores."""
    coef = coef.astype(np.float64, copy=False)
    intercept = np.array(np.broadcast_to(intercept, coef.shape[1:]), np.float64)
    margins, W = problem.margin / scales, filled(coef)
    means = sum(_mean_losses(problem, *piece, W, intercept, margins) for piece in _pieces(problem))
    return 0.5 * problem.alpha * inner(coef, coef) * scales**2 + scales * means


def _pieces(problem):
    """Slices, these rows in float64, and what compiled code reads of them."""
    X, occupied = problem.X, problem.occupied
    if X.dtype == np.float64:
        yield slice(None), X, problem.compiled
        return
    for chunk, rows in widened(X):
        yield chunk, rows, rows_of(rows, None if occupied is None else occupied[chunk])


def _mean_losses(problem, chunk, X, matrix, coef, intercept, margins):
    """Σ_i ω_i ℓ(W x_i + b, y_i) over a slice of the rows, for every margin."""
    loss, y, weights = problem.loss, problem.y[chunk], problem.weights[chunk]
    means = mean_losses(loss, X, matrix, coef, intercept, y, weights, margins)
    if means is not None:
        return means
    means = np.zeros(len(margins))
    for some in chunks(len(y), ROWS_AT_ONCE):
        scores = product(X[some], coef[:, : len(intercept)]) + intercept
        for t, margin in enumerate(margins):
            means[t] += weighted_mean(weights[some], loss.values(scores, y[some], margin))
    return means
