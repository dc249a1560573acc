"""The primal and the dual objective in rational arithmetic, without rounding and without the package.

Floats are rational numbers, so ``P`` and ``D`` of given floats are rational, too. Arrays are turned into Python's
integers over one denominator, and NumPy computes with these.
"""

from fractions import Fraction
from math import lcm

import numpy as np


def over_one_denominator(values):
    """An array of integers, and the denominator that makes of them the floats or fractions that are given."""
    values = np.asarray(values)
    pairs = [value.as_integer_ratio() for value in values.ravel().tolist()]
    denominator = lcm(*(below for _, below in pairs))
    integers = np.empty(len(pairs), dtype=object)
    integers[:] = [above * (denominator // below) for above, below in pairs]
    return integers.reshape(values.shape), denominator


def as_fractions(values):
    """The array with fractions in place of floats."""
    return np.vectorize(Fraction, otypes=[object])(np.asarray(values, dtype=np.float64))


def exact_shares(y, sample_weight=None, class_weight=None):
    """ω_i: sample weights times class weights, divided by their sum; an array of fractions.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Codes, 0 … n_classes − 1.
    sample_weight : array-like of shape (n_samples,), default=None
    class_weight : dict, "balanced" or None
    """
    weights = [Fraction(1)] * len(y) if sample_weight is None else [Fraction(float(w)) for w in sample_weight]
    codes = y.tolist()
    if class_weight == "balanced":
        totals = {code: sum(w for w, c in zip(weights, codes, strict=True) if c == code) for code in set(codes)}
        weights = [w / totals[code] if totals[code] else w for w, code in zip(weights, codes, strict=True)]
    elif class_weight is not None:
        weights = [w * Fraction(class_weight.get(code, 1)) for w, code in zip(weights, codes, strict=True)]
    total = sum(weights)
    shares = np.empty(len(y), dtype=object)
    shares[:] = [w / total for w in weights]
    return shares


def exact_primal(X, y, shares, coef, intercept, *, loss, alpha, margin=1.0):
    """P(W, b) as a `Fraction`.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
        Codes, 0 … n_classes − 1.
    shares : ndarray of shape (n_samples,)
        ω_i.
    coef, intercept : ndarray of shape (n_scores, n_features), (n_scores,)
        Floats or fractions.
    loss : {"crammer_singer", "weston_watkins", "one_vs_rest"}
        With one score it is the binary hinge.
    alpha : float
    margin : float, Fraction or array of shape (n_classes, n_classes) of them
        Δ, or Δ(y, j) for every pair of classes.
    """
    (rows, of_rows), (W, of_coef) = over_one_denominator(X), over_one_denominator(coef)
    (b, of_intercept), (omega, of_shares) = over_one_denominator(intercept), over_one_denominator(shares)
    delta, of_margin = over_one_denominator(margin)
    unit = lcm(of_rows * of_coef, of_intercept, of_margin)
    scores = rows @ W.T * (unit // (of_rows * of_coef)) + b * (unit // of_intercept)
    losses = _losses(scores, y, delta * (unit // of_margin), loss)
    penalty = Fraction(alpha) / 2 * Fraction((W**2).sum(), of_coef**2)
    return penalty + Fraction(omega @ losses, of_shares * unit)


def _losses(scores, y, margin, loss):
    """ℓ(s_i, y_i) of every row, in whole numbers."""
    margins = _by_rows(margin, y, max(2, scores.shape[1]))
    if scores.shape[1] == 1:
        return np.maximum(0, margins[np.arange(len(y)), 1 - y] - np.where(y == 1, 1, -1) * scores[:, 0])
    rows, truth = np.arange(len(y)), y[:, None] == np.arange(scores.shape[1])
    if loss == "one_vs_rest":
        return np.maximum(0, margins - np.where(truth, 1, -1) * scores).sum(axis=1)
    violated = np.maximum(0, margins + scores - scores[rows, y][:, None])
    violated[truth] = 0
    return violated.max(axis=1) if loss == "crammer_singer" else violated.sum(axis=1)


def _by_rows(margin, y, n_classes):
    """Δ(y_i, j) of every row and class."""
    return np.broadcast_to(margin, (n_classes, n_classes))[y]


def exact_dual(X, y, shares, dual, *, loss, alpha, margin=1.0):
    """D(G) as a `Fraction`, whether G is feasible or not; see `is_exactly_feasible` and `exact_balance`.

    Parameters
    ----------
    dual : ndarray of shape (n_samples, n_scores)
        Floats or fractions.
    """
    (rows, of_rows), (omega, of_shares) = over_one_denominator(X), over_one_denominator(shares)
    G, of_dual = over_one_denominator(dual)
    delta, of_margin = over_one_denominator(margin)
    weighted = omega[:, None] * G
    gains = _gains(weighted, y, delta, loss)
    linear = Fraction(int(gains.sum()), of_margin * of_shares * of_dual)
    V = weighted.T @ rows
    return linear - Fraction((V**2).sum(), (of_shares * of_dual * of_rows) ** 2) / (2 * Fraction(alpha))


def _gains(dual, y, margin, loss):
    """Δ c(g_i) of every row, which is linear in g_i."""
    margins = _by_rows(margin, y, max(2, dual.shape[1]))
    if dual.shape[1] == 1:
        return -np.where(y == 1, 1, -1) * dual[:, 0] * margins[np.arange(len(y)), 1 - y]
    truth = y[:, None] == np.arange(dual.shape[1])
    if loss == "one_vs_rest":
        return -(np.where(truth, 1, -1) * dual * margins).sum(axis=1)
    return (np.where(truth, 0, dual) * margins).sum(axis=1)


def exact_balance(shares, dual):
    """v = Σ_i ω_i g_i, which is zero where the intercept is free; an array of fractions."""
    (omega, of_shares), (G, of_dual) = over_one_denominator(shares), over_one_denominator(dual)
    return [Fraction(int(total), of_shares * of_dual) for total in omega @ G]


def is_exactly_feasible(dual, y, *, loss):
    """Whether g_i ∈ D_{y_i}, for every row."""
    G, one = over_one_denominator(dual)
    if dual.shape[1] == 1:
        beta = -np.where(y == 1, 1, -1)[:, None] * G
        return bool(((beta >= 0) & (beta <= one)).all())
    truth = y[:, None] == np.arange(dual.shape[1])
    if loss == "one_vs_rest":
        beta = np.where(truth, -1, 1) * G
        return bool(((beta >= 0) & (beta <= one)).all())
    others = np.where(truth, 0, G)
    largest = others.sum(axis=1) if loss == "crammer_singer" else others.max(axis=1)
    return bool((others >= 0).all() and (largest <= one).all() and (G.sum(axis=1) == 0).all())
