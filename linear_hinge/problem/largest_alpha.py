"""From which alpha on coefficients of zero are as good as any: where a grid of alphas begins.

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
from linear_hinge.problem.certificate import linear_part


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
