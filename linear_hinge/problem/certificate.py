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

import math
from typing import NamedTuple

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
    return scaled_bound(linear_part(problem, dual), problem.alpha * squared_norm, 1.0)[0]


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
    feasible = with_signs(problem, dual)
    if problem.fit_intercept:
        feasible = problem.loss.balanced(feasible, problem.y, problem.weights)
    bound, scale = bound_of(problem, proof_sums(problem, feasible), objective)
    if scale == 0:
        return 0.0, np.zeros(dual.shape)
    feasible *= scale
    return bound, feasible


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
    """What a bound is computed from. All of it but ``worst`` adds up over the rows."""

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
    return ProofSums(
        linear_part(problem, dual),
        worst,
        coef_from_dual(problem, dual),
        weighted_mean(weights, np.sqrt(squared_rows(dual)) * norms),
        combination(weights, dual),
        combination(weights, np.abs(dual)),
        problem.loss.intercept_sums(problem.y, weights, norms, problem.n_scores),
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


def bound_of(problem, sums, objective=None, n_parts=1):
    """Compute the bound that `ProofSums` stand for, and the factor t of the G it belongs to.

    The rows of the problem are not looked at: sums that were added up from ``n_parts`` parts are as good.

    Parameters
    ----------
    problem : Problem
        The constants of P.
    sums : ProofSums
        The sums over all rows.
    objective : float, optional
        P at some coefficients: the lower it is, the sharper is the bound. By default it is P(0, 0).
    n_parts : int, default=1
        The number of parts from which the sums were added up.

    Returns
    -------
    bound : float
        A number that is not above min P in exact arithmetic; 0 where no positive bound is proven.
    scale : float
        The factor t of the G that the bound belongs to; 0 where the bound is 0.
    """
    if not (sums.linear > 0 and np.isfinite(sums.worst)):
        return 0.0, 0.0
    few = (2 * UNITS + problem.n_scores + n_parts) * UNIT
    lost = _lost_to_imbalance(problem, sums, few, objective) if problem.fit_intercept else 0.0
    norm = problem.alpha * np.sqrt(inner(sums.coef, sums.coef))
    norm += (sums.n_terms + UNITS + problem.n_scores) * UNIT * sums.lengths
    quadratic = (1 + 4 * few) * norm**2 / problem.alpha
    largest = (1 - (problem.n_scores + 4) * UNIT) / sums.worst
    bound, scale = scaled_bound((1 - few) * sums.linear - lost, quadratic, largest)
    return (float(np.nextafter((1 - 8 * UNIT) * bound, 0)), scale) if 0 < bound < np.inf else (0.0, 0.0)


def _lost_to_imbalance(problem, sums, few, objective):
    """An upper bound of −⟨v, b*⟩, v what rounding has left of Σ_i ω_i g_i."""
    of_zero = problem.objective_of_zero
    known = of_zero if objective is None else min(objective, of_zero)
    of_solution = SLACK_OF_OBJECTIVE * known + ROUNDING_OF_OBJECTIVE * of_zero  # at least P(W*, b*)
    of_coef = np.sqrt(2 * of_solution / problem.alpha)
    bounds = problem.loss.intercept_bounds(sums.of_intercept, of_coef, of_solution)
    imbalance = np.abs(sums.imbalance) + few * sums.pulls
    is_unbalanced = imbalance > 0  # where it is not, b* may be unbounded
    return SLACK_OF_OBJECTIVE * float((imbalance[is_unbalanced] * bounds[is_unbalanced]).sum())


def scaled_bound(linear, quadratic, largest):
    """Compute the maximum of t linear − t²/2 quadratic for 0 ≤ t ≤ largest, and its t.

    Parameters
    ----------
    linear : float
        The coefficient of t.
    quadratic : float
        The coefficient of −t²/2, not negative.
    largest : float
        The largest t, not negative.

    Returns
    -------
    bound : float
        The maximum.
    scale : float
        Its t.
    """
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
