"""The best equal scores of all samples under the losses of pairs, by what flows between the classes.

F_jk = π_j g_jk is the weight that flows from class j to class k. What leaves a class enters it, and of all such flows
these carry the most: Σ_jk F_jk is the least Σ_y π_y ℓ(b, y) of equal scores b, with Δ = 1.
"""

import numpy as np
import scipy.sparse as sp
from scipy.optimize import brentq, linprog

# Up to this number of classes the largest flow of Weston-Watkins is searched for: the square of it are the unknowns.
MOST_CLASSES = 128

HALF = 1 - 1e-6  # of the weight, from which on a class has as much as all others


def crammer_singer_constants(weights):
    """Find the best equal scores b and their subgradients for Crammer-Singer: F has row sums of at most π_j.

    No class gives more than all others take. Where none has half of the weight, F_jk = a_j a_k with a_j (S − a_j) = π_j
    and S = Σ_j a_j, which is as even as the row sums allow, and b = 0.

    Parameters
    ----------
    weights : ndarray of shape (n_classes,)
        The weights π_y > 0 of the classes, which sum to one.

    Returns
    -------
    scores : ndarray of shape (n_classes,)
        The equal scores b.
    dual : ndarray of shape (n_classes, n_classes)
        The subgradients g_y, one row for every class.
    """
    largest = weights.argmax()
    scores = np.zeros(len(weights))
    others = np.delete(weights, largest).sum()
    if weights[largest] >= HALF * others:
        flows = np.zeros((len(weights), len(weights)))
        flows[largest] = flows[:, largest] = weights * min(1, weights[largest] / others)
        scores[largest] = 1
    else:
        a = _factors(weights, largest)
        flows = np.multiply.outer(a, a)
        np.fill_diagonal(flows, 0)
        flows = _within_row_sums(flows, weights)
    return scores, _subgradients(flows, weights)


def constants_of_costs(weights, costs, limits_pairs):
    """Find the best equal scores b and their subgradients where costs differ, by a linear program.

    The flows with Σ_k F_jk = Σ_k F_kj that carry the largest Σ_jk κ_jk F_jk, and b the price of a flow that enters.

    Parameters
    ----------
    weights : ndarray of shape (n_classes,)
        The weights π_y > 0 of the classes, which sum to one.
    costs : ndarray of shape (n_classes, n_classes)
        The costs κ.
    limits_pairs : bool
        Whether each F_jk is at most π_j, as for Weston-Watkins, instead of each row sum, as for Crammer-Singer.

    Returns
    -------
    scores : ndarray of shape (n_classes,)
        The equal scores b.
    dual : ndarray of shape (n_classes, n_classes)
        The subgradients g_y, one row for every class. None in place of both where the linear program is not solved, as
        weights of very different sizes are too much for it.
    """
    n_classes = len(weights)
    source, target = np.nonzero(~np.eye(n_classes, dtype=bool))
    pairs, ones = np.arange(len(source)), np.ones(len(source))
    leaves = sp.csr_array((ones, (source, pairs)), shape=(n_classes, len(pairs)))
    enters = sp.csr_array((ones, (target, pairs)), shape=(n_classes, len(pairs)))
    limits = {"bounds": np.stack([0 * ones, weights[source]], axis=1)}
    if not limits_pairs:
        limits = {"A_ub": leaves, "b_ub": weights}
    result = linprog(-costs[source, target], A_eq=enters - leaves, b_eq=np.zeros(n_classes), **limits)
    if result.x is None:
        return None
    flows = np.zeros((n_classes, n_classes))
    # Within the limits to the last bit: what is next to nothing for the linear program may be a multiple of a weight.
    flows[source, target] = np.clip(result.x, 0, weights[source])
    if not limits_pairs:
        flows = _within_row_sums(flows, weights)
    return result.eqlin.marginals, _subgradients(flows, weights)


def _factors(weights, largest):
    """a_j, the smaller root of its equation, but for the largest class perhaps the other one."""

    def factors(total, sign):
        roots = -np.sqrt(np.maximum(total**2 - 4 * weights, 0))
        roots[largest] *= -sign
        return (total + roots) / 2

    def excess(total, sign):
        return factors(total, sign).sum() - total

    least = most = 2 * np.sqrt(weights[largest])
    sign = -1 if excess(least, -1) >= 0 else 1
    while sign * excess(most, sign) < 0:
        most *= 2
    if most > least:  # not where the largest class has just the two equal roots
        least = brentq(excess, least, most, (sign,))
    return factors(least, sign)


def weston_watkins_constants(weights):
    """Find the best equal scores b and their subgradients for Weston-Watkins: F_jk ≤ π_j.

    They solve a linear program. For many classes, and where its solver fails, F_jk = min(π_j, π_k) and b = 0 take their
    place, which are nearly the best. They are the best where all classes have the same weight.

    Parameters
    ----------
    weights : ndarray of shape (n_classes,)
        The weights π_y > 0 of the classes, which sum to one.

    Returns
    -------
    scores : ndarray of shape (n_classes,)
        The equal scores b.
    dual : ndarray of shape (n_classes, n_classes)
        The subgradients g_y, one row for every class.
    """
    n_classes = len(weights)
    flows = np.minimum.outer(weights, weights)
    if n_classes > MOST_CLASSES or np.ptp(weights) == 0:
        return np.zeros(n_classes), _subgradients(flows, weights)
    source, target = np.nonzero(~np.eye(n_classes, dtype=bool))
    n_flows = len(source)
    leaves_and_enters = (
        np.repeat([1.0, -1.0], n_flows),
        (np.concatenate([source, target]), np.tile(np.arange(n_flows), 2)),
    )
    bounds = np.stack([np.zeros(n_flows), weights[source]], axis=1)
    best = linprog(
        np.full(n_flows, -1.0),
        A_eq=sp.csr_array(leaves_and_enters),
        b_eq=np.zeros(n_classes),
        bounds=bounds,
        method="highs",
    )
    if best.x is None:
        return np.zeros(n_classes), _subgradients(flows, weights)
    flows[source, target] = np.clip(best.x, *bounds.T)
    return best.eqlin.marginals.mean() - best.eqlin.marginals, _subgradients(flows, weights)


def _within_row_sums(flows, weights):
    """Shrink rows whose sums are above π_j by rounding."""
    return flows * (weights / np.maximum(flows.sum(axis=1), weights))[:, None]


def _subgradients(flows, weights):
    """g_jk = F_jk/π_j, and g_jj what makes them sum to zero."""
    dual = flows / weights[:, None]
    np.fill_diagonal(dual, 0)
    np.fill_diagonal(dual, -dual.sum(axis=1))
    return dual
