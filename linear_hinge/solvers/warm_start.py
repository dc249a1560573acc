"""Where `CertifiedFit` starts from: what an earlier fit has learnt, as far as it is true of this problem."""

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from linear_hinge.kernels.products import product
from linear_hinge.linalg.batches import csr_of
from linear_hinge.linalg.sums import inner
from linear_hinge.problem.certificate import best_bound, coef_from_dual, linear_part

SAME = 1e-5  # parts by which sums over the same data may differ, in the precision of float32


class SavedSteps(NamedTuple):
    """The steps of a fit that may go on, and what another problem is compared with.

    Attributes
    ----------
    problem : tuple
        The constants of the problem.
    sums : tuple of float
        Δ Σ_i ω_i c(g_i) and ‖W(G)‖²: other data have others.
    dual : sparse array of shape (n_samples, n_scores)
    centre : ndarray of shape (n_scores,)
    beta : float or None
    estimates : list of Estimate
        Of the passes of minibatches.
    coef, intercept, curvature
        Of Newton, if it had begun.
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
    """`SavedSteps` with this G."""
    return SavedSteps(_constants(problem), _sums(problem, dual), csr_of(dual), *steps)


def resumed_dual(problem, saved):
    """The G of saved steps, or None if they were made for another problem."""
    if saved is None or saved.problem != _constants(problem):
        return None
    dual = saved.dual.toarray()
    return dual.astype(problem.X.dtype) if np.allclose(_sums(problem, dual), saved.sums, SAME, 0) else None


def _constants(problem):
    kind, dtype = type(problem.loss).__name__, problem.X.dtype.char
    return kind, dtype, problem.X.shape, problem.n_scores, problem.alpha, problem.margin, problem.fit_intercept


def _sums(problem, dual):
    coef = coef_from_dual(problem, dual)
    return linear_part(problem, dual), inner(coef, coef)


def starting_dual(problem, coef=None, intercept=None, dual=None):
    """Feasible subgradients G to start from: zero, or the best of what an earlier fit left.

    A dual of the same rows, perhaps with another alpha, is nearly right. For other rows the subgradients at the
    earlier coefficients are; the better bound decides.

    Parameters
    ----------
    problem : Problem
    coef : ndarray of shape (n_features, n_scores), optional
    intercept : ndarray of shape (n_scores,), optional
    dual : sparse array of shape (n_earlier_samples, n_scores), optional
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
