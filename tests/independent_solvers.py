"""Optimal solutions from solvers that share nothing with the package: LIBLINEAR, libsvm, and L-BFGS-B on a dual.

They minimise alpha/2 ‖W‖² + Σ_i ω_i ℓ(W x_i + b, y_i), ω_i the weights divided by their sum.
"""

import warnings

import numpy as np
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import SVC, LinearSVC
from threadpoolctl import threadpool_limits


def solve_without_intercept(X, y, *, loss, alpha, sample_weight=None, tol=1e-8):
    """The optimal ``coef_`` with the intercept left out."""
    n_classes = len(np.unique(y))
    if loss == "weston_watkins" and n_classes > 2:
        return solve_weston_watkins(X, y, alpha=alpha, sample_weight=sample_weight)
    total = len(y) if sample_weight is None else np.sum(sample_weight)
    solver = LinearSVC(
        loss="hinge",
        C=1 / (alpha * total),
        multi_class="crammer_singer" if loss == "crammer_singer" and n_classes > 2 else "ovr",
        fit_intercept=False,
        tol=tol,
        max_iter=10**6,
        random_state=0,
    )
    with warnings.catch_warnings():
        # The number of iterations by which LinearSVC judges the Crammer-Singer solver is never set.
        warnings.filterwarnings("ignore", "Liblinear failed to converge", ConvergenceWarning)
        return solver.fit(X, y, sample_weight).coef_


def solve_binary_with_intercept(X, y, *, alpha, sample_weight=None):
    """The optimal ``coef_`` and ``intercept_`` of the binary hinge, the intercept not regularised."""
    total = len(y) if sample_weight is None else np.sum(sample_weight)
    solver = SVC(kernel="linear", C=1 / (alpha * total), tol=1e-10).fit(X, y, sample_weight)
    return solver.coef_, solver.intercept_


def solve_weston_watkins(X, y, *, alpha, margin=1.0, sample_weight=None):
    """The optimal ``coef_`` without intercept, by L-BFGS-B on the box dual.

    The dual variables are β_ij ∈ [0, 1], one for every margin Δ_ij + s_ij − s_iy, j ≠ y_i, where Δ_ij is ``margin``, or
    its entry for the classes y_i and j. With g_ij = β_ij for j ≠ y_i and g_iy = −Σ_j β_ij,

        W(β) = −(1/alpha) Σ_i ω_i g_i x_iᵀ,    D(β) = Σ_ij ω_i Δ_ij β_ij − alpha/2 ‖W(β)‖²    →    max,

    and D exceeds the objective of no W: their difference proves the solution optimal, here to a relative 5e-6, where
    rounding ends the line search of the hardest problem.
    """
    weights = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
    weights = weights / weights.sum()
    truth = y[:, None] == np.unique(y)
    distances = np.broadcast_to(margin, (truth.shape[1], truth.shape[1]))[truth.argmax(axis=1)][~truth]
    per_margin = np.broadcast_to(weights[:, None], truth.shape)[~truth]

    def coefficients(betas):
        g = np.zeros(truth.shape)
        g[~truth] = betas
        g[truth] = -g.sum(axis=1)
        return -((weights[:, None] * g).T @ X) / alpha

    def margins(coef):
        scores = X @ coef.T
        return distances + (scores - scores[truth][:, None])[~truth]

    def negative_dual(betas):
        coef = coefficients(betas)
        value = (per_margin * distances) @ betas - alpha / 2 * (coef**2).sum()
        return -len(y) * value, -len(y) * per_margin * margins(coef)  # n times, so that slopes are of the size of Δ

    start = np.full(len(per_margin), 0.5)
    options = {"maxiter": 20_000, "maxfun": 40_000, "maxcor": 30, "ftol": 0, "gtol": 1e-9}
    with threadpool_limits(1, user_api="blas"):  # on products as small as these, threads only wait for each other
        result = minimize(
            negative_dual, start, jac=True, method="L-BFGS-B", bounds=[(0, 1)] * len(start), options=options
        )
    coef = coefficients(result.x)
    primal = alpha / 2 * (coef**2).sum() + per_margin @ np.maximum(0, margins(coef))
    gap = primal + result.fun / len(y)
    assert gap <= 5e-6 * primal, f"not solved, relative gap {gap / primal:.1e}"
    return coef
