"""Lower bounds of the optimum, which make the duality gap a proof.

For every g_i ∈ D_{y_i} and, with an intercept, Σ_i ω_i g_i = 0,

    D(G) = Δ Σ_i ω_i c(g_i) − alpha/2 ‖W(G)‖²  ≤  P(W, b)      for all W and b,
    W(G) = −(1/alpha) Σ_i ω_i g_i x_iᵀ.
"""

import numpy as np

from linear_hinge._products import combination, inner, weighted_mean
from linear_hinge._rows import cached_chunks, exact_transposed_product

# How far Σ_i ω_i g_i may be from zero. The bound is off by its product with the optimal intercept: rounding. A
# loose tolerance here gave bounds above the optimum.
LARGEST_IMBALANCE = 1e-13


def coef_from_dual(problem, dual):
    """W(G)ᵀ of shape (n_features, n_scores), in float64."""
    if not dual.any():
        return np.zeros((problem.X.shape[1], dual.shape[1]))
    coef = exact_transposed_product(problem.X, dual, problem.weights)
    coef /= -problem.alpha
    return coef


def linear_part(problem, dual):
    """Δ Σ_i ω_i c(g_i)."""
    values = _by_chunks(problem.loss.dual_values, dual, problem.y)
    return problem.margin * weighted_mean(problem.weights, values)


def estimated_bound(problem, dual, coef):
    """max_t D(t G), t ≤ 1, for coefficients said to be W(G)ᵀ and imbalances taken for none: no proof."""
    return _scaled_bound(linear_part(problem, dual), problem.alpha * inner(coef, coef), 1.0)[0]


def best_bound(problem, dual):
    """A lower bound of min P out of remembered subgradients G, and the G it belongs to.

    With an intercept, G is balanced first (Σ_i ω_i g_i = 0 to rounding). Then it is scaled by the best common factor
    that keeps it feasible: the maximum of D(t G) = t Δ Σ_i ω_i c(g_i) − t² alpha/2 ‖W(G)‖² is closed-form.

    Parameters
    ----------
    problem : Problem
    dual : ndarray of shape (n_samples, n_scores)
        G, feasible up to rounding; with an intercept it need not be balanced. Rows of weight zero are not looked at.

    Returns
    -------
    bound : float
        At least 0, the bound of G = 0, which is also what is left where balance cannot be reached.
    feasible : ndarray of shape (n_samples, n_scores), dtype=float64
        A G with D(G) = bound.
    """
    loss, y = problem.loss, problem.y
    feasible = _by_chunks(loss.with_signs, dual, y)
    feasible[problem.weights == 0] = 0
    if problem.fit_intercept:
        feasible = loss.balanced(feasible, y, problem.weights)
        if np.abs(combination(problem.weights, feasible)).max() > LARGEST_IMBALANCE:
            return 0.0, np.zeros_like(feasible)
    linear = linear_part(problem, feasible)
    worst = float(_by_chunks(loss.violations, feasible, y).max())
    if not (linear > 0 and np.isfinite(worst)):
        return 0.0, np.zeros_like(feasible)
    coef = coef_from_dual(problem, feasible)
    bound, scale = _scaled_bound(linear, problem.alpha * inner(coef, coef), 1 / worst)
    feasible *= scale
    return bound, feasible


def _scaled_bound(linear, quadratic, largest):
    """The maximum of t linear − t²/2 quadratic for t ≤ largest, and this t."""
    scale = min(linear / quadratic, largest) if quadratic > 0 else largest
    return scale * linear - 0.5 * scale**2 * quadratic, scale


def _by_chunks(function, dual, y):
    """What a loss tells of every row, some at a time: most of a proof is memory that is touched for the first time."""
    first, *others = cached_chunks(*dual.shape)
    values = function(dual[first], y[first])
    if not others:
        return values
    result = np.empty((len(y), *values.shape[1:]), values.dtype)
    result[first] = values
    for rows in others:
        result[rows] = function(dual[rows], y[rows])
    return result
