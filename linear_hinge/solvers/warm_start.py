"""The start of a `CertifiedFit`, from the result of an earlier fit as far as it is valid for this problem."""

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from linear_hinge.kernels.products import product
from linear_hinge.linalg.batches import csr_of
from linear_hinge.linalg.sums import inner
from linear_hinge.problem.certificate import best_bound
from linear_hinge.problem.dual_sums import coef_from_dual, linear_part

SAME = 1e-5  # relative difference that sums over the same data may have, in the precision of float32


class SavedSteps(NamedTuple):
    """The state of the steps of a fit, and numbers by which its problem is recognised.

    Attributes
    ----------
    problem : tuple
        The constants of the problem.
    sums : tuple of float
        Δ Σ_i ω_i c(g_i) and ‖W(G)‖², which differ for other data.
    dual : sparse array of shape (n_samples, n_scores)
        The subgradients G.
    centre : ndarray of shape (n_scores,)
        The centre c of `DualAscent`.
    beta : float or None
        The resemblance β of `DualAscent`.
    estimates : list of Estimate
        The estimates of the passes of minibatches.
    coef : ndarray of shape (n_features, n_scores), optional
        Wᵀ of the Newton steps, if they had begun.
    intercept : ndarray of shape (n_scores,), optional
        The intercept of the Newton steps.
    curvature : float, optional
        ρ of the Newton steps.
    """

    problem: tuple
    sums: tuple
    dual: sp.csr_array
    centre: np.ndarray
    beta: float | None
    estimates: list
    coef: np.ndarray | None = None
    intercept: np.ndarray | None = None
    curvature: float | None = None


def save_steps(problem, dual, *steps):
    """Return the `SavedSteps` with this G and the other attributes from ``centre`` on."""
    return SavedSteps(_constants(problem), _sums(problem, dual), csr_of(dual), *steps)


def resumed_dual(problem, saved):
    """Return the G of saved steps, or None if they were made for another problem."""
    if saved is None or saved.problem != _constants(problem):
        return None
    dual = saved.dual.toarray()
    return dual.astype(problem.X.dtype) if np.allclose(_sums(problem, dual), saved.sums, SAME, 0) else None


def _constants(problem):
    loss, costs = type(problem.loss).__name__, problem.loss.costs
    margins = problem.margin, None if costs is None else costs.tolist()
    return loss, problem.X.dtype.char, problem.X.shape, problem.n_scores, problem.alpha, *margins, problem.fit_intercept


def _sums(problem, dual):
    coef = coef_from_dual(problem, dual)
    return linear_part(problem, dual), inner(coef, coef)


def starting_dual(problem, coef=None, intercept=None, dual=None):
    """Find feasible subgradients G to start from: zero, or the best that an earlier fit has left.

    The G of the same rows, perhaps with another alpha, is nearly right. For other rows the subgradients at the earlier
    coefficients are. The better bound decides.

    Parameters
    ----------
    problem : Problem
        The data and the constants of P.
    coef : ndarray of shape (n_features, n_scores), optional
        Wᵀ of the earlier fit.
    intercept : ndarray of shape (n_scores,), optional
        Its intercept.
    dual : sparse array of shape (n_earlier_samples, n_scores), optional
        Its G.

    Returns
    -------
    ndarray of shape (n_samples, n_scores)
        The subgradients, in the dtype of X.
    """
    shape = (len(problem.y), problem.n_scores)
    best_dual, best = np.zeros(shape, problem.X.dtype), 0.0
    candidates = []
    if coef is not None:
        scores = product(problem.X, coef) + problem.centred_intercept(coef, intercept)
        candidates.append(problem.loss.subgradients(scores, problem.y, problem.margin))
    if dual is not None and dual.shape == shape:
        dual = problem.loss.with_signs(dual.toarray(), problem.y)
        candidates.append(dual / max(1, problem.loss.violations(dual, problem.y).max()))
    for candidate in candidates:
        bound, feasible = best_bound(problem, candidate)
        if bound > best:
            best_dual, best = feasible, bound
    return best_dual.astype(problem.X.dtype, copy=False)
