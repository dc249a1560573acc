"""The problem that is solved.

    P(W, b) = alpha/2 ‖W‖² + Σ_i ω_i ℓ(W x_i + b, y_i)

with ω_i the weights of the samples, summing to one, and the intercept b not regularised.
"""

from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from linear_hinge.kernels.matrix import Matrix
from linear_hinge.kernels.memory import filled
from linear_hinge.kernels.products import norms_and_bits, product, squared_norms, transposed_product, weighted_sum
from linear_hinge.kernels.row_losses import mean_losses
from linear_hinge.linalg.accurate import accurate_product
from linear_hinge.linalg.batches import normalised, rows_of_block, some_rows, widened
from linear_hinge.linalg.sums import inner, weighted_mean
from linear_hinge.losses import HingeLoss
from linear_hinge.problem.variance import largest_variance

# Where the dual ascends from zero, W(G) is too short while the gap is open, by a tenth to a third of the gap. Far from
# the end it may also be much too long, because every row was fitted as if it were the last.
SCALES = np.array([1, 1.0001, 1.0003, 1.001, 1.003, 1.01, 1.03, 1.1])
FAR_SCALES = np.array([0.03, 0.1, 0.3, 0.6, 1, 1.3, 1.8, 2.5])

# How exact P has to be, relative to P; and its rounding error, relative to Σ_i ω_i (‖x_i‖ ‖W‖ + ‖b‖ + Δ).
ACCURACY = 2e-10
ACCURACY_OF_COMPARISON = 1e-4  # of P in the worst case, where coefficients are only compared
ROUNDING = np.finfo(float).eps

# A margin that is kept by less than `NEARLY_VIOLATED` of Δ, or by less than `MANY` roundings, is computed in twice the
# precision.
NEARLY_VIOLATED = 1e-6
MANY = 1e3


@dataclass(frozen=True)
class Problem:
    """The data and the constants of P.

    The parameters are the attributes, in this order.

    Attributes
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        The rows x_i.
    y : ndarray of shape (n_samples,)
        Integer codes of the classes.
    weights : ndarray of shape (n_samples,), dtype=float64
        The ω_i ≥ 0, which sum to one. Rows of weight zero count as absent.
    loss : HingeLoss
        The loss ℓ.
    n_scores : int
        Number of scores of a row.
    alpha : float
        The strength of the regularisation, positive.
    margin : float
        Δ, positive. Where the loss has costs κ, the distance between two classes is Δ κ(y, j).
    fit_intercept : bool
        Whether there is an intercept; b is zero otherwise.
    shift : ndarray of shape (n_features,), optional
        What was subtracted from the given rows, because they are far from zero: X is what is left of them. Solvers
        know of X only; objectives are those of coefficients and intercepts for the given rows.
    given_X : ndarray or CSR of shape (n_samples, n_features), optional
        The given rows; X by default.
    class_weights : ndarray of shape (n_classes,), optional
        The total weight of every class, for a problem whose rows lie elsewhere.
    """

    X: np.ndarray | sp.csr_array | sp.csr_matrix
    y: np.ndarray
    weights: np.ndarray
    loss: HingeLoss
    n_scores: int
    alpha: float
    margin: float
    fit_intercept: bool
    shift: np.ndarray | None = None
    given_X: np.ndarray | sp.csr_array | sp.csr_matrix | None = None
    class_weights: np.ndarray | None = None

    @property
    def dtype(self):
        """The dtype of the given rows, and so of the coefficients."""
        return self.given.dtype

    @property
    def given(self):
        """The given rows, before any shift."""
        return self.X if self.given_X is None else self.given_X

    def centred_intercept(self, coef, intercept):
        """Convert the intercept of the given rows into that of the shifted rows, b + W c for a shift c.

        Parameters
        ----------
        coef : ndarray of shape (n_features, n_scores)
            Wᵀ.
        intercept : ndarray of shape (n_scores,)
            The intercept of the given rows.

        Returns
        -------
        ndarray of shape (n_scores,)
            The intercept of the shifted rows; the same array if the rows are not shifted.
        """
        if self.shift is None:
            return intercept
        total, rest = accurate_product(self.shift[None, :], coef, intercept)
        return (total + rest)[0]

    def given_intercept(self, coef, intercept):
        """Convert the intercept of the shifted rows into that of the given rows, the inverse of `centred_intercept`.

        Parameters
        ----------
        coef : ndarray of shape (n_features, n_scores)
            Wᵀ.
        intercept : ndarray of shape (n_scores,)
            The intercept of the shifted rows.

        Returns
        -------
        ndarray of shape (n_scores,)
            The intercept of the given rows.
        """
        return intercept if self.shift is None else self.centred_intercept(-coef, intercept)

    @property
    def objective_of_zero(self):
        """P(0, 0), which does not depend on X: equal scores have the same loss in every row, or those of a class."""
        costs = self.loss.costs
        some = np.zeros(1, np.int64) if costs is None else np.arange(len(costs))
        losses = self.loss.values(np.zeros((len(some), self.n_scores)), some, self.margin)
        if costs is None:
            return float(losses[0])
        if self.class_weights is not None:
            return weighted_mean(self.class_weights, losses)
        return weighted_mean(self.weights, losses[self.y])

    @cached_property
    def rows(self):
        """The numbers of the rows with a positive weight."""
        return np.flatnonzero(self.weights)

    @property
    def squared_norms(self):
        """The squared norms ‖x_i‖² of all rows, inf where they overflow."""
        return self._norms_and_bits[0]

    @property
    def occupied(self):
        """The bits of the feature groups that are not all zero, for dense rows with many zeros; None for others."""
        return self._norms_and_bits[1]

    @cached_property
    def matrix(self):
        """The view of X that the kernels take."""
        return Matrix(self.X, self.occupied)

    @cached_property
    def mean(self):
        """The mean μ = Σ_i ω_i x_i in float64, of shape (n_features,)."""
        return weighted_sum(self.X, self.weights)

    @cached_property
    def variance(self):
        """The largest variance of the rows in any direction; of some of them where X may lie in a file."""
        mean, n_of_block = self.mean.astype(self.X.dtype), rows_of_block(self.X)
        if n_of_block is None:
            return largest_variance(self.X, self.weights, mean)
        rows = some_rows(self.X, n_of_block)  # ten power iterations over a file would take long
        return largest_variance(self.X[rows], normalised(self.weights[rows]), mean)

    @cached_property
    def on_mean(self):
        """⟨x_i, μ⟩ of all rows, in float64."""
        return product(self.X, self.mean.astype(self.X.dtype)[:, None])[:, 0].astype(np.float64)

    def with_alpha(self, alpha):
        """Return the same problem with another alpha; what is known of X, y and the weights stays known.

        Parameters
        ----------
        alpha : float
            The strength of the regularisation, positive.

        Returns
        -------
        Problem
            The problem with this alpha.
        """
        other = replace(self, alpha=alpha)
        given = {field.name for field in fields(self)}
        vars(other).update({name: value for name, value in vars(self).items() if name not in given})
        return other

    @cached_property
    def _norms_and_bits(self):
        return norms_and_bits(self.X)


def primal_objective(problem, coef, intercept):
    """Compute P(W, b) in float64, to a relative error of `ACCURACY`.

    Parameters
    ----------
    problem : Problem
        The data and the constants of P.
    coef : ndarray of shape (n_features, n_scores)
        Wᵀ.
    intercept : ndarray of shape (n_scores,)
        The intercept b of the given rows.

    Returns
    -------
    float
        P(W, b); inf or nan where scores overflow.
    """
    centred = problem.centred_intercept(coef, intercept)
    objective = float(objectives_of(problem, coef, centred, SCALES[:1])[0])
    if rounding_of(problem, coef, centred) <= ACCURACY * objective:
        return objective
    return _accurate_objective(problem, coef, intercept)


def primal_subgradient(problem, coef, intercept):
    """Compute a subgradient of P at (W, b), in float64.

    It is alpha W + Σ_i ω_i g_i x_iᵀ in W, and Σ_i ω_i g_i in b, where g_i are the subgradients of the loss.

    Parameters
    ----------
    problem : Problem
        The data and the constants of P.
    coef : ndarray of shape (n_features, n_scores)
        Wᵀ, in float64.
    intercept : ndarray of shape (n_scores,)
        The intercept b of the given rows, in float64.

    Returns
    -------
    in_coef : ndarray of shape (n_features, n_scores)
        The subgradient in W, transposed.
    in_intercept : ndarray of shape (n_scores,)
        The subgradient in b.
    """
    in_coef, in_intercept = problem.alpha * coef, np.zeros(problem.n_scores)
    for chunk, X in widened(problem.given):
        scores = product(X, coef) + intercept
        dual = problem.loss.subgradients(scores, problem.y[chunk], problem.margin)
        weighted = problem.weights[chunk, None] * dual
        in_coef += transposed_product(X, weighted)
        in_intercept += weighted.sum(axis=0)
    return in_coef, in_intercept


def scaled_objective(problem, coef, intercept, scales=SCALES):
    """Compute the least P(t W, t b) over some factors t.

    ℓ(t s, y) with margin Δ is t ℓ(s, y) with margin Δ/t: the scores are computed once.

    Parameters
    ----------
    problem : Problem
        The data and the constants of P.
    coef, intercept : ndarray of shape (n_features, n_scores) and (n_scores,)
        Wᵀ, and the intercept b of the shifted rows.
    scales : ndarray of shape (n_scales,), optional
        The factors t > 0.

    Returns
    -------
    objective : float
        The least P(t W, t b). Scores of float32 data are float32 where that is exact enough for a comparison.
    scale : float
        Its factor t.
    """
    objectives = objectives_of(problem, coef, intercept, scales, problem.X.dtype)
    best = objectives.argmin()
    if problem.X.dtype != np.float64 and not _is_exact_in_float32(problem, coef, intercept, objectives[best]):
        objectives = objectives_of(problem, coef, intercept, scales)
        best = objectives.argmin()
    return float(objectives[best]), float(scales[best])


def _is_exact_in_float32(problem, coef, intercept, objective):
    """Return whether P from float32 scores is exact enough to compare coefficients."""
    units = np.finfo(np.float32).eps / np.finfo(np.float64).eps
    return units * rounding_of(problem, coef, intercept) <= ACCURACY_OF_COMPARISON * objective


def rounding_matters(problem, coef, intercept, objective):
    """Return whether P(W, b) may differ from the objective of the coefficients that were rounded to (W, b).

    Parameters
    ----------
    problem : Problem
        The data and the constants of P.
    coef, intercept : ndarray of shape (n_features, n_scores) and (n_scores,)
        Wᵀ, and the intercept b of the shifted rows.
    objective : float
        The objective before the coefficients were rounded.

    Returns
    -------
    bool
        Whether the difference can be more than `ACCURACY` of the objective.
    """
    is_rounded = problem.dtype != np.float64 or problem.given_X is not None
    return is_rounded or rounding_of(problem, coef, intercept) > ACCURACY * objective


def rounding_of(problem, coef, intercept):
    """Estimate the rounding error of P, whose losses are differences of scores and Δ.

    Parameters
    ----------
    problem : Problem
        The data and the constants of P.
    coef, intercept : ndarray of shape (n_features, n_scores) and (n_scores,)
        Wᵀ, and the intercept b of the shifted rows.

    Returns
    -------
    float
        One unit of float64 rounding of Σ_i ω_i ‖x_i‖ ‖W‖ + ‖b‖ + Δ.
    """
    norms = np.sqrt(problem.squared_norms)
    scores = weighted_mean(problem.weights, norms) * _largest(coef) + float(np.abs(intercept).max())
    return ROUNDING * (scores + problem.margin)


def _largest(coef):
    """Return the length of the longest column."""
    return float(np.sqrt(np.einsum("jk,jk->k", coef, coef, dtype=np.float64).max()))


def _accurate_objective(problem, coef, intercept):
    """Compute P(W, b) from scores in twice the precision, for the rows that may have a loss.

    The rows are the given ones, because a shift rounds them.
    """
    loss, margin, y, weights = problem.loss, problem.margin, problem.y, problem.weights
    coef, intercept = coef.astype(np.float64, copy=False), intercept.astype(np.float64, copy=False)
    total = 0.5 * problem.alpha * inner(coef, coef)
    length, offset = _largest(coef), float(np.abs(intercept).max())
    for chunk, X in widened(problem.given):
        scale = np.sqrt(squared_norms(X).max()) * length + offset + margin
        of_margin, slack = (1 + NEARLY_VIOLATED) * margin, MANY * ROUNDING * scale
        losses = loss.values(product(X, coef) + intercept, y[chunk], of_margin, slack=slack)
        rows = np.flatnonzero((losses > 0) & (weights[chunk] > 0))
        scores, rest = accurate_product(X[rows], coef, intercept)
        values = loss.values(scores, y[chunk][rows], margin, rest)
        total += weighted_mean(weights[chunk][rows], values)
    return total


def objectives_of(problem, coef, intercept, scales, dtype=np.float64):
    """Compute P(t W, t b) of every scale t, with scores of this dtype.

    Parameters
    ----------
    problem : Problem
        The data and the constants of P.
    coef, intercept : ndarray of shape (n_features, n_scores) and (n_scores,)
        Wᵀ, and the intercept b of the shifted rows.
    scales : ndarray of shape (n_scales,)
        The factors t > 0.
    dtype : dtype, default=numpy.float64
        Near the end losses are small differences of large scores, which only float64 can tell apart.

    Returns
    -------
    ndarray of shape (n_scales,), dtype=float64
        The values P(t W, t b).
    """
    W = filled(coef, dtype)
    intercept = np.array(np.broadcast_to(intercept, coef.shape[1:]), dtype)
    margins = problem.margin / scales
    means = np.zeros(len(scales))
    for chunk, matrix in _pieces(problem, dtype):
        means += mean_losses(problem.loss, matrix, W, intercept, problem.y[chunk], problem.weights[chunk], margins)
    W = W[:, : len(intercept)]
    return 0.5 * problem.alpha * inner(W, W) * scales**2 + scales * means


def _pieces(problem, dtype):
    """Yield slices of the rows, and a view of these rows in this dtype."""
    X, occupied = problem.X, problem.occupied
    if X.dtype == dtype:
        yield slice(None), problem.matrix
        return
    for chunk, rows in widened(X):
        yield chunk, Matrix(rows, None if occupied is None else occupied[chunk])
