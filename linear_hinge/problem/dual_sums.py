"""What a proof needs to know of subgradients G: sums over the rows, which parts of the rows can add up."""

import math
from typing import NamedTuple

import numpy as np

from linear_hinge.kernels.products import exact_transposed_product
from linear_hinge.linalg.batches import cached_chunks
from linear_hinge.linalg.sums import combination, squared_rows, weighted_mean

# Rows of less weight are left out, because their products may leave the range of floats. P is only larger with them.
SMALLEST_WEIGHT = 1e-200


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


def with_signs(problem, dual):
    """Return a float64 copy of G with the signs of its polytopes; rows of next to no weight are zero.

    Parameters
    ----------
    problem : Problem
        The data and the constants of P.
    dual : ndarray of shape (n_samples, n_scores)
        G, feasible up to rounding.

    Returns
    -------
    ndarray of shape (n_samples, n_scores), dtype=float64
        G with the signs of its polytopes.
    """
    feasible = _by_chunks(problem.loss.with_signs, dual, problem.y)
    feasible[problem.weights < SMALLEST_WEIGHT] = 0
    return feasible


class ProofSums(NamedTuple):
    """What a bound is computed from. All of it but ``worst`` adds up over the rows.

    Without an intercept, what has to do with one is empty.
    """

    linear: float  # Δ Σ_i ω_i c(g_i)
    worst: float  # the largest violation of a polytope
    coef: np.ndarray  # W(G)ᵀ
    lengths: float  # Σ_i ω_i ‖g_i‖ ‖x_i‖
    imbalance: np.ndarray  # v = Σ_i ω_i g_i
    pulls: np.ndarray  # Σ_i ω_i |g_i|
    of_intercept: np.ndarray  # `HingeLoss.intercept_sums`
    n_terms: int  # how many numbers were added up, one after another at the most

    def times(self, share):
        """Convert the sums into those of rows whose weights sum to ``share`` instead of one.

        Parameters
        ----------
        share : float
            The total weight of the rows, as a part of the weight of all rows.

        Returns
        -------
        ProofSums
            The sums times ``share``. The largest violation and the number of terms stay as they are.
        """
        scaled = {name: share * getattr(self, name) for name in self._fields if name not in ("worst", "n_terms")}
        return self._replace(**scaled)


def proof_sums(problem, dual):
    """Compute the `ProofSums` of a G that has the signs of its polytopes.

    Parameters
    ----------
    problem : Problem
        The data and the constants of P.
    dual : ndarray of shape (n_samples, n_scores)
        G, as `with_signs` returns it; with an intercept it is balanced.

    Returns
    -------
    ProofSums
        The sums over the rows. They are those of G = 0, with an infinite violation, where no multiple of G is feasible.
    """
    weights, norms = problem.weights, np.sqrt(problem.squared_norms)
    worst = float(_by_chunks(problem.loss.violations, dual, problem.y).max())
    if not np.isfinite(worst):
        worst, dual = np.inf, np.zeros(dual.shape)
    of_intercept = np.zeros((3, 0))
    if problem.fit_intercept:
        of_intercept = (
            combination(weights, dual),
            combination(weights, dual, np.abs),
            problem.loss.intercept_sums(problem.y, weights, norms, problem.n_scores),
        )
    return ProofSums(
        linear_part(problem, dual),
        worst,
        coef_from_dual(problem, dual),
        weighted_mean(weights, np.sqrt(squared_rows(dual)) * norms),
        *of_intercept,
        np.count_nonzero(weights),
    )


def added_up(parts):
    """Compute the `ProofSums` of all rows from those of their parts.

    Parameters
    ----------
    parts : iterable of ProofSums
        The sums of every part, at least one, with weights that sum to one over all parts (`ProofSums.times`).

    Returns
    -------
    ProofSums
        The sums over the rows of all parts.
    """
    total = next(parts := iter(parts))
    linear, lengths = [total.linear], [total.lengths]
    for part in parts:
        linear.append(part.linear)
        lengths.append(part.lengths)
        total = total._replace(
            worst=max(total.worst, part.worst),
            coef=total.coef + part.coef,
            imbalance=total.imbalance + part.imbalance,
            pulls=total.pulls + part.pulls,
            of_intercept=total.of_intercept + part.of_intercept,
            n_terms=total.n_terms + part.n_terms + 1,
        )
    return total._replace(linear=math.fsum(linear), lengths=math.fsum(lengths))


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
