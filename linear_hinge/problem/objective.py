"""The objective P of given coefficients, to a known accuracy, and its subgradient."""

import numpy as np

from linear_hinge.kernels.matrix import Matrix
from linear_hinge.kernels.memory import filled
from linear_hinge.kernels.products import product, squared_norms, transposed_product
from linear_hinge.kernels.row_losses import mean_losses
from linear_hinge.linalg.accurate import accurate_product
from linear_hinge.linalg.batches import widened
from linear_hinge.linalg.sums import inner, weighted_mean

# Where the dual ascends from zero, W(G) is too short while the gap is open, by a tenth to a third of the gap. Far from
# the end it may also be much too long, because every row was fitted as if it were the last.
SCALES = np.array([1, 1.0001, 1.0003, 1.001, 1.003, 1.01, 1.03, 1.1])
FAR_SCALES = np.array([0.03, 0.1, 0.3, 0.6, 1, 1.3, 1.8, 2.5])
ALL_SCALES = np.union1d(SCALES, FAR_SCALES)

# How exact P has to be, relative to P; and its rounding error, relative to Σ_i ω_i (‖x_i‖ ‖W‖ + ‖b‖ + Δ).
ACCURACY = 2e-10
ACCURACY_OF_COMPARISON = 1e-4  # of P in the worst case, where coefficients are only compared
ROUNDING = np.finfo(float).eps

# A margin that is kept by less than `NEARLY_VIOLATED` of Δ, or by less than `MANY` roundings, is computed in twice the
# precision.
NEARLY_VIOLATED = 1e-6
MANY = 1e3


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
    if problem.X.dtype == dtype:
        yield slice(None), problem.matrix
        return
    for chunk, rows in widened(problem.X):
        yield chunk, Matrix(rows)
