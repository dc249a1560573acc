"""Matrix balancing: scale the flows between classes until what enters a class equals what leaves it."""

import numpy as np
from scipy.sparse.csgraph import connected_components

MAX_NEWTON_STEPS = 50


def balance_flows(flows):
    """Factors F_jk = exp(u_j − u_k) for which F ∘ M has equal row sums and column sums.

    u minimises the convex Σ_jk M_jk exp(u_j − u_k), whose gradient is the imbalance; Newton's method with
    backtracking reaches rounding in a few steps. Only flows inside a strongly connected group of classes can be
    balanced; the others get the factor 0, which is the limit of the minimisation.

    Parameters
    ----------
    flows : ndarray of shape (n_classes, n_classes)
        M ≥ 0 with a zero diagonal; M_jk is what flows from class j to class k.

    Returns
    -------
    factors : ndarray of shape (n_classes, n_classes)

    References
    ----------
    Kalantari, Khachiyan and Shokoufandeh, On the complexity of matrix balancing, SIAM J. Matrix Anal. Appl. 1997.
    """
    _, group = connected_components(flows > 0, directed=True, connection="strong")
    connected = group[:, None] == group[None, :]
    flows = np.where(connected, flows, 0)
    potentials = np.zeros(len(flows))
    scaled = flows
    total = scaled.sum()
    for _ in range(MAX_NEWTON_STEPS):
        imbalance = scaled.sum(axis=1) - scaled.sum(axis=0)
        if np.abs(imbalance).max() <= np.finfo(float).eps * total:
            break
        step = _newton_step(scaled, imbalance, connected)
        for _ in range(MAX_NEWTON_STEPS):
            trial = flows * np.exp(_differences(potentials + step))
            if trial.sum() <= total:
                break
            step /= 2
        else:  # rounding: no descent is left
            break
        potentials = potentials + step
        scaled, total = trial, trial.sum()
    return np.where(connected, np.exp(_differences(potentials)), 0)


def _newton_step(scaled, imbalance, connected):
    """Solve L step = −imbalance with the Laplacian L of the flows.

    L is singular along the constant of every connected group, which changes nothing: adding the group's
    projector, in the scale of L, makes it regular and picks the step that sums to zero over the group.
    """
    pairs = scaled + scaled.T
    throughput = pairs.sum(axis=1)
    regular = np.diag(throughput) - pairs + connected * max(throughput.max(), np.finfo(float).tiny)
    step = np.linalg.solve(regular, -imbalance)
    # exp(±700) is where floats end; a Newton step that long is far outside the region where it says anything.
    return step * min(1, 10 / max(np.abs(step).max(), 10))


def _differences(potentials):
    return potentials[:, None] - potentials[None, :]
