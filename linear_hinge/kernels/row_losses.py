"""Losses and prox steps of many rows: compiled for a loss that names its row kernel, else by its own NumPy code."""

import numpy as np

from linear_hinge.kernels import door
from linear_hinge.kernels.products import product
from linear_hinge.linalg.batches import ROWS_AT_ONCE, chunks
from linear_hinge.linalg.sums import squared_rows, weighted_mean


def mean_losses(loss, matrix, coef, intercept, y, weights, margins):
    """Σ_i ω_i ℓ(W x_i + b, y_i) for every Δ of some margins.

    Parameters
    ----------
    loss : HingeLoss
    matrix : Matrix
        View of X, of shape (n_samples, n_features).
    coef : ndarray of shape (n_features, n_scores or more)
        Wᵀ; it may be `filled` already.
    intercept : ndarray of shape (n_scores,)
    y : ndarray of shape (n_samples,)
        Codes of the classes.
    weights : ndarray of shape (n_samples,)
        ω_i.
    margins : ndarray of shape (n_margins,)

    Returns
    -------
    means : ndarray of shape (n_margins,), dtype=float64
    """
    X = matrix.X
    means = door.mean_losses(loss, X, matrix.rows, coef, intercept, y, weights, margins)
    if means is not None:
        return means
    means = np.zeros(len(margins))
    for some in chunks(len(y), ROWS_AT_ONCE):
        scores = product(X[some], coef[:, : len(intercept)]) + intercept
        for t, margin in enumerate(margins):
            means[t] += weighted_mean(weights[some], loss.values(scores, y[some], margin))
    return means


def prox_steps(loss, dual, scores, y, curvature, margin):
    """Prox steps g_i⁺ with the same ρ in all rows, and what follows from them.

    The Moreau envelopes are M_i(s) = max_{g ∈ D_y} ⟨g, s⟩ + Δ c(g) − ρ/2 ‖g − g_i‖², and ∇M_i = g_i⁺.

    Parameters
    ----------
    loss : HingeLoss
    dual, scores : ndarray of shape (n_samples, n_scores)
        G and S.
    y : ndarray of shape (n_samples,)
        Codes of the classes.
    curvature : float
        ρ.
    margin : float
        Δ.

    Returns
    -------
    better : ndarray of shape (n_samples, n_scores)
        G⁺.
    envelopes, excesses, moves : ndarray of shape (n_samples,)
        M_i(s_i), ℓ_i(s_i) − Δ c(g_i⁺) and ‖g_i⁺ − g_i‖².
    """
    compiled = door.prox_steps(loss, dual, scores, y, curvature, margin)
    if compiled is not None:
        return compiled
    better = loss.prox(dual, scores, y, np.full(len(scores), curvature, dtype=scores.dtype), margin)
    linear, moves = margin * loss.dual_values(better, y), squared_rows(better - dual)
    envelopes = np.einsum("ik,ik->i", better, scores) + linear - 0.5 * curvature * moves
    return better, envelopes, loss.values(scores, y, margin) - linear, moves


def projection(loss, dual, y):
    """The nearest feasible subgradients of G: a prox step where scores and margin do not matter."""
    zero = np.broadcast_to(dual.dtype.type(0), dual.shape)
    compiled = door.prox_steps(loss, dual, zero, y, 1.0, 0.0)
    return loss.prox(dual, zero, y, np.ones(len(dual), dual.dtype), 0.0) if compiled is None else compiled[0]
