"""From which alpha on coefficients of zero are as good as any: where a grid of alphas begins, and where fits do.

With W = 0 and the best intercept, all samples of a class have the same subgradients g_y (`HingeLoss.best_constants`).
Their G proves that

    min P ≥ D(G) = P₀ − ‖M‖²/(2 alpha),      P₀ = min_b P(0, b),      M = Σ_i ω_i g_{y_i} x_iᵀ.

So at alpha = ‖M‖²/(2 tol P₀) and above, W = 0 is within tol of the optimum. It is the smallest such alpha where all
margins are violated at W = −M/alpha: for two classes and Weston-Watkins with classes that weigh the same, unless tol is
large. Elsewhere another G may prove it for a smaller one.
"""

import numpy as np

from linear_hinge.kernels.products import exact_transposed_product
from linear_hinge.linalg.sums import inner, weighted_mean
from linear_hinge.problem.dual_sums import coef_from_dual, linear_part

# D(G) > 0 is looked for where alpha P₀ is at least this share of the mean ‖x_i‖². Below, the start at zero is as good,
# and the look and the proof of the other would cost as much as a pass.
STRONG = 0.1


def best_constants(problem):
    """Compute this G, and the best intercept for W = 0.

    Parameters
    ----------
    problem : Problem
        The data and the constants of P. Its alpha does not matter.

    Returns
    -------
    dual : ndarray of shape (n_samples, n_scores)
        G, whose rows are the g_y of their classes.
    intercept : ndarray of shape (n_scores,)
        The best intercept, zero for a problem without one.
    """
    scores, dual = problem.loss.best_constants(_weights_of_classes(problem), problem.fit_intercept)
    return dual[np.where(problem.weights > 0, problem.y, 0)], problem.margin * scores


def better_than_zero(problem):
    """Return this G, the intercept and W(G) where D(G) > 0; None where G = 0 is better, or may be.

    It is the start of a fit with strong regularisation: the dual is flat in directions that only move the intercept,
    and steps from G = 0 take long to cross it where classes have very different weights. Without an intercept nothing
    is flat, and a pass from G = 0 is as good as this G, whose W(G) costs more.

    Parameters
    ----------
    problem : Problem
        The data and the constants of P.

    Returns
    -------
    tuple of ndarray or None
        G of shape (n_samples, n_scores), b of shape (n_scores,), W(G)ᵀ of shape (n_features, n_scores).
    """
    length = weighted_mean(problem.weights, problem.squared_norms)
    if not (problem.fit_intercept and problem.alpha * problem.objective_of_zero >= STRONG * length):
        return None
    dual, intercept = best_constants(problem)
    coef = coef_from_dual(problem, dual)
    if not linear_part(problem, dual) > 0.5 * problem.alpha * inner(coef, coef):
        return None
    return dual, intercept, coef


def largest_alpha(problem, tol):
    """Compute the alpha from which on W = 0 has a relative gap of at most ``tol``.

    Where the classes have the same mean up to rounding, it is the one below which rounding is all there is.

    Parameters
    ----------
    problem : Problem
        The data and the constants of P. Its alpha does not matter.
    tol : float
        The relative gap, greater than 0.

    Returns
    -------
    float
        The alpha, greater than 0.
    """
    dual, _ = best_constants(problem)
    pull = exact_transposed_product(problem.X, dual, problem.weights)
    rounding = np.finfo(problem.X.dtype).eps ** 2 * weighted_mean(problem.weights, problem.squared_norms)
    squared = max(inner(pull, pull), rounding, np.finfo(np.float64).tiny ** 0.5)
    return squared / (2 * tol * linear_part(problem, dual))


def _weights_of_classes(problem):
    rows = problem.rows
    return np.bincount(problem.y[rows], problem.weights[rows])
