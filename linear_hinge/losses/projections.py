"""Projections onto the polytopes of the losses that compare scores, row by row."""

import numpy as np

MAX_ROUNDS = 200  # of Newton's method and bisection, which need fewer for the last digit


def project_crammer_singer(points, y):
    """Project every row onto {g : g_k ≥ 0 for k ≠ y, g_y = −Σ_{k≠y} g_k ≥ −1}, the simplex less e_y.

    g_k = max(a_k − τ, 0) for k ≠ y and g_y = max(a_y − τ, −1), with the one τ that makes them sum to zero: exact after
    one sort. Adding e_y, to project onto the simplex itself, would lose the digits of steps far below one.

    Parameters
    ----------
    points : ndarray of shape (n_samples, n_classes)
        The rows a.
    y : ndarray of shape (n_samples,)
        Codes of the classes.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        The nearest points of the polytopes.

    References
    ----------
    Held, Wolfe and Crowder, Validation of subgradient optimization, Mathematical Programming 1974 (by sorting).
    """
    rows = np.arange(len(points))
    # Entries are measured from the greatest of the others, so that a huge common level does not take their digits.
    others = np.array(points)
    others[rows, y] = -np.inf
    greatest = others.max(axis=1)
    others -= greatest[:, None]
    target = points[rows, y] - greatest
    descending = -np.sort(-others, axis=1)[:, :-1]
    totals = np.cumsum(descending, axis=1)
    ranks = np.arange(1, points.shape[1], dtype=points.dtype)

    n_positive = np.count_nonzero(descending * (ranks + 1) > totals + target[:, None], axis=1)
    total = np.where(n_positive > 0, totals[rows, n_positive - 1], 0)
    tau = (total + target) / (n_positive + 1).astype(points.dtype)
    n_positive = np.count_nonzero(descending * ranks > totals - 1, axis=1)
    tau_at_bound = (totals[rows, n_positive - 1] - 1) / n_positive.astype(points.dtype)
    is_inside = (tau < target + 1) | (target >= 0)

    projected = np.maximum(others - np.where(is_inside, tau, tau_at_bound)[:, None], 0)
    projected[rows, y] = np.where(is_inside, -projected.sum(axis=1), -1)
    return projected


def project_weston_watkins(points, y):
    """Project every row onto {g : g_k ∈ [0, 1] for k ≠ y, g_y = −Σ_{k≠y} g_k}.

    g_k = clip(a_k − τ, 0, 1), τ the root of h(τ) = Σ_{k≠y} clip(a_k − τ, 0, 1) + a_y − τ, which lies between a_y and
    a_y + K − 1. h is piecewise linear and falls with the slope −1 − #{k : a_k − 1 < τ < a_k}: Newton's method ends on
    the piece of the root, and bisection keeps it inside.

    Parameters
    ----------
    points : ndarray of shape (n_samples, n_classes)
        The rows a.
    y : ndarray of shape (n_samples,)
        Codes of the classes.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        The nearest points of the polytopes.

    References
    ----------
    Wang and Scott, An exact solver for the Weston-Watkins SVM subproblem, ICML 2021 (the equation).
    """
    n_samples, n_classes = points.shape
    rows = np.arange(n_samples)
    # Entries are measured from a_y, so that numbers far below one keep their digits.
    others = points - points[rows, y][:, None]
    others[rows, y] = -np.inf
    low, high = np.zeros(n_samples, points.dtype), np.full(n_samples, n_classes - 1, points.dtype)
    tau = low
    for _ in range(MAX_ROUNDS):
        above = others - tau[:, None]
        n_inside = np.count_nonzero((above > 0) & (above < 1), axis=1).astype(points.dtype)
        height = np.clip(above, 0, 1).sum(axis=1) - tau
        low, high = np.where(height > 0, tau, low), np.where(height > 0, high, tau)
        newton = tau + height / (1 + n_inside)
        trial = np.where((low < newton) & (newton < high) | (newton == tau), newton, (low + high) / 2)
        if (is_found := (trial == tau) | (height == 0)).all():
            break
        tau = np.where(is_found, tau, trial)

    projected = np.clip(others - tau[:, None], 0, 1)
    projected[rows, y] = -projected.sum(axis=1)
    return projected
