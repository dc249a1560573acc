"""Losses and prox steps of many rows: compiled for a loss that names its row kernel, else by its own NumPy code."""

import numpy as np

from linear_hinge.kernels import door
from linear_hinge.kernels.products import product
from linear_hinge.linalg.batches import ROWS_AT_ONCE, chunks
from linear_hinge.linalg.sums import squared_rows, weighted_mean


def mean_losses(loss, matrix, coef, intercept, y, weights, margins):
    """Compute the mean loss Σ_i ω_i ℓ(W x_i + b, y_i) for several margins Δ.

    Parameters
    ----------
    loss : HingeLoss
        The loss ℓ.
    matrix : Matrix
        The view of X, of shape (n_samples, n_features).
    coef : ndarray of shape (n_features, n_scores or more)
        Wᵀ; it may be `filled` already.
    intercept : ndarray of shape (n_scores,)
        The intercept b.
    y : ndarray of shape (n_samples,)
        Codes of the classes.
    weights : ndarray of shape (n_samples,)
        The ω_i.
    margins : ndarray of shape (n_margins,)
        The margins Δ.

    Returns
    -------
    ndarray of shape (n_margins,), dtype=float64
        The mean loss of every margin, from scores in the dtype of ``coef``.
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
    """Make prox steps g_i⁺ with the same ρ for all rows, and compute the Moreau envelopes of the losses.

    These are M_i(s) = max_{g ∈ D_y} ⟨g, s⟩ + Δ c(g) − ρ/2 ‖g − g_i‖², with ∇M_i = g_i⁺.

    Parameters
    ----------
    loss : HingeLoss
        The loss ℓ.
    dual, scores : ndarray of shape (n_samples, n_scores)
        The subgradients G, where the steps start, and the scores S.
    y : ndarray of shape (n_samples,)
        Codes of the classes.
    curvature : float
        The curvature ρ > 0.
    margin : float
        The margin Δ.

    Returns
    -------
    better : ndarray of shape (n_samples, n_scores)
        G⁺.
    envelopes, excesses, moves : ndarray of shape (n_samples,)
        M_i(s_i), ℓ_i(s_i) − Δ c(g_i⁺) and ‖g_i⁺ − g_i‖².

    References
    ----------
    Moreau, Proximité et dualité dans un espace hilbertien, Bulletin de la SMF 1965.
    """
    compiled = door.prox_steps(loss, dual, scores, y, curvature, margin)
    if compiled is not None:
        return compiled
    better = loss.prox(dual, scores, y, np.full(len(scores), curvature, dtype=scores.dtype), margin)
    linear, moves = margin * loss.dual_values(better, y), squared_rows(better - dual)
    envelopes = np.einsum("ik,ik->i", better, scores) + linear - 0.5 * curvature * moves
    return better, envelopes, loss.values(scores, y, margin) - linear, moves


def projection(loss, dual, y):
    """Project G onto the feasible subgradients, with a prox step in which scores and margin are zero.

    Parameters
    ----------
    loss : HingeLoss
        The loss, whose polytopes D_y are projected onto.
    dual : ndarray of shape (n_samples, n_scores)
        G.
    y : ndarray of shape (n_samples,)
        Codes of the classes.

    Returns
    -------
    ndarray of shape (n_samples, n_scores)
        The nearest feasible subgradients.
    """
    zero = np.broadcast_to(dual.dtype.type(0), dual.shape)
    compiled = door.prox_steps(loss, dual, zero, y, 1.0, 0.0)
    return loss.prox(dual, zero, y, np.ones(len(dual), dual.dtype), 0.0) if compiled is None else compiled[0]
