"""Projections onto the polytopes of the losses that compare scores, row by row, each exact after one sort."""

import numpy as np


def project_crammer_singer(points, y):
    """Project every row onto {g : g_k ≥ 0 for k ≠ y, g_y = −Σ_{k≠y} g_k ≥ −1}, the simplex less e_y.

    g_k = max(a_k − τ, 0) for k ≠ y and g_y = max(a_y − τ, −1), with the one τ that makes them sum to zero: exact after
    one sort. Adding e_y, to project onto the simplex itself, would lose the digits of steps far below one.

    Parameters
    ----------
    points : ndarray of shape (n_samples, n_classes)
    y : ndarray of shape (n_samples,)

    References
    ----------
    Held, Wolfe and Crowder, Validation of subgradient optimization, Mathematical Programming 1974 (by sorting).
    """
    rows = np.arange(len(points))
    # Measured from the greatest of the others, so that a huge common level does not swallow the differences.
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
    tau = np.where(tau < target + 1, tau, tau_at_bound)

    projected = np.maximum(others - tau[:, None], 0)
    projected[rows, y] = -projected.sum(axis=1)
    return projected


def project_weston_watkins(points, y):
    """Project every row onto {g : g_k ∈ [0, 1] for k ≠ y, g_y = −Σ_{k≠y} g_k}.

    g_k = clip(a_k − τ, 0, 1), τ the root of h(τ) = Σ_{k≠y} clip(a_k − τ, 0, 1) + a_y − τ. The function h is
    piecewise linear and strictly decreasing with slope −1 − #{k : a_k − 1 < τ < a_k}, so that its values at the
    sorted breakpoints a_k − 1 and a_k give the root by one interpolation.

    Parameters
    ----------
    points : ndarray of shape (n_samples, n_classes)
    y : ndarray of shape (n_samples,)

    References
    ----------
    Wang and Scott, An exact solver for the Weston-Watkins SVM subproblem, ICML 2021.
    """
    n_samples, n_classes = points.shape
    rows = np.arange(n_samples)
    targets = points[rows, y]
    is_other = np.ones(points.shape, dtype=bool)
    is_other[rows, y] = False
    others = points[is_other].reshape(n_samples, n_classes - 1)

    breakpoints = np.concatenate([others - 1, others], axis=1)
    order = np.argsort(breakpoints, axis=1, kind="stable")
    breakpoints = np.take_along_axis(breakpoints, order, axis=1)
    n_active = np.cumsum(np.where(order < n_classes - 1, 1, -1), axis=1).astype(points.dtype)
    falls = (1 + n_active[:, :-1]) * np.diff(breakpoints, axis=1)
    at_first = targets - breakpoints[:, 0] + (n_classes - 1)
    heights = np.concatenate([at_first[:, None], at_first[:, None] - np.cumsum(falls, axis=1)], axis=1)

    last = np.maximum(np.count_nonzero(heights >= 0, axis=1) - 1, 0)
    slope = np.where(at_first >= 0, 1 + n_active[rows, last], 1)
    tau = breakpoints[rows, last] + heights[rows, last] / slope
    projected = np.clip(points - tau[:, None], 0, 1)
    projected[rows, y] = 0
    projected[rows, y] = -projected.sum(axis=1)
    return projected
