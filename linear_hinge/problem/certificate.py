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

from linear_hinge.linalg.sums import inner
from linear_hinge.problem.dual_sums import linear_part, proof_sums, with_signs

UNIT = np.finfo(float).eps / 2

# Roundings of a weight (products, two divisions and a sum in pairs), and of a sum in pairs, with room for some more.
UNITS = 128

# The bounds of b* rest on P at the solution, which is at most the known objective and its rounding error.
SLACK_OF_OBJECTIVE, ROUNDING_OF_OBJECTIVE = 1.01, 1e-10


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
        problem.loss.balance(feasible, problem.y, problem.weights)
    bound, scale = bound_of(problem, proof_sums(problem, feasible), objective)
    if scale == 0:
        return 0.0, np.zeros(dual.shape)
    feasible *= scale
    return bound, feasible


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
    """Bound −⟨v, b*⟩ from above, where v is what rounding has left of Σ_i ω_i g_i."""
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
