"""Lower bounds of the optimum, which make the duality gap a proof.

For every g_i ∈ D_{y_i}, with v = Σ_i ω_i g_i and (W*, b*) the solution,

    D(G) + ⟨v, b*⟩ = Δ Σ_i ω_i c(g_i) − alpha/2 ‖W(G)‖² + ⟨v, b*⟩  ≤  min P,      W(G) = −(1/alpha) Σ_i ω_i g_i x_iᵀ,

because ℓ(s, y) ≥ ⟨g, s⟩ + Δ c(g). Without an intercept b* is zero. With one, G is balanced until v is rounding, and b*
is bounded by the loss (`HingeLoss.intercept_bounds`). The rounding errors of the other terms are bounded and subtracted
as well: the bound is not above min P in exact arithmetic. With u the unit of rounding,

- every ω_i is known to some u, apart from a factor common to all of them (u W: `UNITS`, also for sums in pairs);
- c(g_i) is a sum of products κ(y_i, k) g_ik that are not negative, and off by K + 1 u of itself;
- a sum over n rows, one after another, is off by n u times the sum of its absolute terms, so that α W(G) is off by
  (n + `UNITS` + K) u Σ_i ω_i ‖g_i‖ ‖x_i‖ in norm;
- a common factor 1 − (K + 4) u leaves every g_i in D_{y_i}, whose g_iy is −Σ_{k≠y} g_ik without rounding.

References
----------
Higham, Accuracy and Stability of Numerical Algorithms, 2002, chapters 3 and 4.
"""

import numpy as np

from linear_hinge.kernels.products import exact_transposed_product
from linear_hinge.linalg.batches import cached_chunks
from linear_hinge.linalg.sums import combination, inner, squared_rows, weighted_mean

UNIT = np.finfo(float).eps / 2

# Roundings of a weight (products, two divisions and a sum in pairs), and of a sum in pairs, with room for some more.
UNITS = 128

# Rows of less weight are left out, because their products may leave the range of floats. P is only larger with them.
SMALLEST_WEIGHT = 1e-200

# The bounds of b* rest on P at the solution, which is at most the known objective and its rounding error.
SLACK_OF_OBJECTIVE, ROUNDING_OF_OBJECTIVE = 1.01, 1e-10


def coef_from_dual(problem, dual):
    """Compute W(G)ᵀ = −(1/alpha) Σ_i ω_i x_i g_iᵀ.

    Parameters
    ----------
    problem : Problem
        The data and the constants of P.
    dual : ndarray of shape (n_samples, n_scores)
        G.

    Returns
    -------
    ndarray of shape (n_features, n_scores), dtype=float64
        The coefficients that belong to G, transposed.
    """
    if not dual.any():
        return np.zeros((problem.X.shape[1], dual.shape[1]))
    coef = exact_transposed_product(problem.X, dual, problem.weights)
    coef /= -problem.alpha
    return coef


def linear_part(problem, dual):
    """Compute Δ Σ_i ω_i c(g_i), the part of D(G) that is linear in G.

    Parameters
    ----------
    problem : Problem
        The data and the constants of P.
    dual : ndarray of shape (n_samples, n_scores)
        G.

    Returns
    -------
    float
        The linear part.
    """
    values = _by_chunks(problem.loss.dual_values, dual, problem.y)
    return problem.margin * weighted_mean(problem.weights, values)


def estimated_bound(problem, dual, squared_norm):
    """Estimate a lower bound of min P: the maximum of D(t G) over 0 ≤ t ≤ 1.

    It proves nothing: ‖W(G)‖² is taken on trust, and Σ_i ω_i g_i is taken for zero.

    Parameters
    ----------
    problem : Problem
        The data and the constants of P.
    dual : ndarray of shape (n_samples, n_scores)
        G, feasible up to rounding.
    squared_norm : float
        ‖W(G)‖².

    Returns
    -------
    float
        The estimate.
    """
    return _scaled_bound(linear_part(problem, dual), problem.alpha * squared_norm, 1.0)[0]


def best_bound(problem, dual, objective=None):
    """Prove a lower bound of min P with the subgradients G.

    With an intercept, G is balanced first: Σ_i ω_i g_i = 0 to rounding. Then it is multiplied by the best common factor
    that keeps it feasible: the maximum of D(t G) = t Δ Σ_i ω_i c(g_i) − t² alpha/2 ‖W(G)‖² has a closed form.

    Parameters
    ----------
    problem : Problem
        The data and the constants of P.
    dual : ndarray of shape (n_samples, n_scores)
        G, feasible up to rounding; with an intercept it need not be balanced. Rows of weight zero are ignored.
    objective : float, optional
        P at some coefficients: the lower it is, the sharper is the bound. By default it is P(0, 0).

    Returns
    -------
    bound : float
        A number that is not above min P in exact arithmetic. It is at least 0, the bound of G = 0, and equals 0 where
        balance cannot be reached.
    feasible : ndarray of shape (n_samples, n_scores), dtype=float64
        A G with D(G) = bound, up to rounding.

    References
    ----------
    Fenchel-Rockafellar duality, for instance Rockafellar, Convex Analysis, 1970, section 31; the rounding errors after
    Higham, as in the docstring of this module.
    """
    loss, y, weights = problem.loss, problem.y, problem.weights
    feasible = _by_chunks(loss.with_signs, dual, y)
    feasible[weights < SMALLEST_WEIGHT] = 0
    if problem.fit_intercept:
        feasible = loss.balanced(feasible, y, weights)
    linear = linear_part(problem, feasible)
    worst = float(_by_chunks(loss.violations, feasible, y).max())
    if not (linear > 0 and np.isfinite(worst)):
        return 0.0, np.zeros(dual.shape)
    coef = coef_from_dual(problem, feasible)
    of_solution = _bound_of_solution(problem, objective)
    of_row = np.sqrt(problem.squared_norms)
    lost = _lost_to_imbalance(problem, feasible, of_row, of_solution) if problem.fit_intercept else 0.0
    n_roundings = np.count_nonzero(weights) + UNITS + problem.n_scores
    norm = problem.alpha * np.sqrt(inner(coef, coef))
    norm += n_roundings * UNIT * weighted_mean(weights, np.sqrt(squared_rows(feasible)) * of_row)
    few = (2 * UNITS + problem.n_scores) * UNIT
    quadratic = (1 + 4 * few) * norm**2 / problem.alpha
    largest = (1 - (problem.n_scores + 4) * UNIT) / worst
    bound, scale = _scaled_bound((1 - few) * linear - lost, quadratic, largest)
    if not 0 < bound < np.inf:
        return 0.0, np.zeros(dual.shape)
    feasible *= scale
    return float(np.nextafter((1 - 8 * UNIT) * bound, 0)), feasible


def _bound_of_solution(problem, objective):
    """Compute an upper bound of P(W*, b*)."""
    of_zero = problem.objective_of_zero
    known = of_zero if objective is None else min(objective, of_zero)
    return SLACK_OF_OBJECTIVE * known + ROUNDING_OF_OBJECTIVE * of_zero


def _lost_to_imbalance(problem, dual, of_row, of_solution):
    """Compute an upper bound of −⟨v, b*⟩, where v is what rounding has left of Σ_i ω_i g_i."""
    weights = problem.weights
    imbalance = np.abs(combination(weights, dual))
    imbalance += (2 * UNITS + problem.n_scores) * UNIT * combination(weights, np.abs(dual))
    of_coef = np.sqrt(2 * of_solution / problem.alpha)
    bounds = problem.loss.intercept_bounds(problem.y, weights, of_row * of_coef, of_solution, problem.n_scores)
    is_unbalanced = imbalance > 0  # where it is not, b* may be unbounded
    return SLACK_OF_OBJECTIVE * float((imbalance[is_unbalanced] * bounds[is_unbalanced]).sum())


def _scaled_bound(linear, quadratic, largest):
    """Compute the maximum of t linear − t²/2 quadratic for 0 ≤ t ≤ largest, and its t."""
    scale = max(min(linear / quadratic, largest), 0.0) if quadratic > 0 else largest
    return scale * linear - 0.5 * scale**2 * quadratic, scale


def _by_chunks(function, dual, y):
    """Call a function of a loss on chunks of rows, whose temporary arrays stay in a cache."""
    first, *others = cached_chunks(*dual.shape)
    values = function(dual[first], y[first])
    if not others:
        return values
    result = np.empty((len(y), *values.shape[1:]), values.dtype)
    result[first] = values
    for rows in others:
        result[rows] = function(dual[rows], y[rows])
    return result
