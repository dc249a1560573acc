"""Matrix balancing: flows between classes are scaled until as much enters every class as leaves it."""

import numpy as np
from scipy.sparse.csgraph import connected_components

MAX_NEWTON_STEPS = 50
SMALLEST_SINGULAR_VALUE = 1e-14


def balance_flows(flows):
    """Compute the factors F_jk = exp(u_j − u_k) for which F ∘ M has equal row sums and column sums.

    u minimises the convex Σ_jk M_jk exp(u_j − u_k), whose gradient is the imbalance; Newton's method with
    backtracking reaches rounding in a few steps. Only flows inside a strongly connected group of classes can be
    balanced; the others get the factor 0, which is the limit of the minimisation.

    Parameters
    ----------
    flows : ndarray of shape (n_classes, n_classes)
        M ≥ 0 with a zero diagonal; M_jk is what flows from class j to class k.

    Returns
    -------
    ndarray of shape (n_classes, n_classes)
        F, with zeros between the groups.

    References
    ----------
    Kalantari, Khachiyan and Shokoufandeh, On the complexity of matrix balancing, SIAM J. Matrix Anal. Appl. 1997.
    """
    _, group = connected_components(flows > 0, directed=True, connection="strong")
    connected = group[:, None] == group[None, :]
    flows = np.where(connected, flows, 0)
    potentials = np.zeros(len(flows))
    scaled, imbalance = flows, _imbalance(flows)
    for _ in range(MAX_NEWTON_STEPS):
        if np.abs(imbalance).max() <= np.finfo(float).eps * scaled.sum():
            break
        step = _newton_step(scaled, imbalance)
        for _ in range(MAX_NEWTON_STEPS):
            trial = flows * np.exp(_differences(potentials + step))
            trial_imbalance = _imbalance(trial)
            # Near the minimum the sum is flat to rounding, and the imbalance decides what is better.
            if trial.sum() < scaled.sum() or np.abs(trial_imbalance).max() < np.abs(imbalance).max():
                break
            step /= 2
        else:  # rounding leaves nothing better
            break
        potentials = potentials + step
        scaled, imbalance = trial, trial_imbalance
    return np.where(connected, np.exp(_differences(potentials)), 0)


def _imbalance(flows):
    """Compute what leaves every class less what enters it."""
    return flows.sum(axis=1) - flows.sum(axis=0)


def _newton_step(scaled, imbalance):
    """Solve L step = −imbalance with the Laplacian L of the flows, which is singular along constants of a group.

    Groups and classes may differ by many orders of magnitude: L is scaled to a unit diagonal first.
    """
    pairs = scaled + scaled.T
    throughput = pairs.sum(axis=1)
    inverse = 1 / np.sqrt(np.where(throughput > 0, throughput, 1))
    unit = inverse[:, None] * (np.diag(throughput) - pairs) * inverse
    step = inverse * np.linalg.lstsq(unit, -inverse * imbalance, rcond=SMALLEST_SINGULAR_VALUE)[0]
    # Floats end at exp(±700), and the quadratic model is worth nothing so far away.
    return step * min(1, 10 / max(np.abs(step).max(), 10))


def _differences(potentials):
    return potentials[:, None] - potentials[None, :]
