"""Subgradients of one batch of a stream that nearly maximise the dual, those of all other rows being fixed."""

from functools import partial

import numpy as np
import scipy.sparse as sp

from linear_hinge.kernels import door
from linear_hinge.kernels.products import product, transposed_product
from linear_hinge.linalg.sums import squared_rows, weighted_mean

# A batch is done after this number of steps, or when they have left at most this share of its gap.
MAX_BATCH_STEPS = 30
BATCH_ACCURACY = 0.02

# Power iterations see the largest eigenvalue from below.
POWER_ITERATIONS = 10
SAFETY_FACTOR = 1.1

# Batches with more rows than this go without a Gram matrix.
LARGEST_GRAM = 1024


def climb(loss, X_batch, scores, y, weights, *, alpha, margin, sigma2):
    """Compute subgradients G of a batch that nearly maximise the dual, with accelerated prox steps from G = 0.

    A step is G⁺ = Prox(H, S(H), ρ) from H = G + θ (G − last G), where S(H) = S + θ (S − last S) because scores are
    linear in the subgradients: S(G) = S(0) − K Ω G/α with K = X_B X_Bᵀ + σ². The curvature ρ is the largest eigenvalue
    of Ω^½ K Ω^½/α. The steps end with `BATCH_ACCURACY` or `MAX_BATCH_STEPS`.

    Parameters
    ----------
    loss : HingeLoss
        The loss ℓ.
    X_batch : ndarray or CSR of shape (n_rows, n_features)
        The rows X_B of the batch.
    scores : ndarray of shape (n_rows, n_scores)
        Their scores S(0) before the batch has a part in the coefficients.
    y : ndarray of shape (n_rows,)
        Codes of the classes.
    weights : ndarray of shape (n_rows,)
        The diagonal ω of Ω.
    alpha : float
        The constant α of the regularisation.
    margin : float
        The margin Δ.
    sigma2 : float
        The squared length σ² of the feature whose coefficient is the intercept.

    Returns
    -------
    ndarray of shape (n_rows, n_scores)
        The subgradients G.

    References
    ----------
    Beck and Teboulle, A fast iterative shrinkage-thresholding algorithm for linear inverse problems, 2009.
    """
    if X_batch.shape[0] > LARGEST_GRAM:
        along = product_with_gram(X_batch, sigma2)
    else:
        gram = gram_matrix(X_batch, sigma2)
        compiled = door.climb(loss, gram, scores, y, weights, alpha, margin, limits())
        if compiled is not None:
            return compiled
        along = partial(product, gram)
    curvature = np.full(len(y), largest_eigenvalue(along, weights) / alpha, dtype=scores.dtype)
    dual = last_dual = np.zeros_like(scores)
    last_scores, first_gap, speed = scores, None, 1.0
    for _ in range(MAX_BATCH_STEPS):
        row_gaps = loss.values(scores, y, margin) - np.einsum("ik,ik->i", dual, scores)
        gap = weighted_mean(weights, row_gaps - margin * loss.dual_values(dual, y))
        if first_gap is None:
            first_gap = gap
        elif gap <= BATCH_ACCURACY * first_gap:
            break
        last_speed, speed = speed, (1 + np.sqrt(1 + 4 * speed**2)) / 2
        theta = scores.dtype.type((last_speed - 1) / speed)
        ahead, scores_ahead = dual + theta * (dual - last_dual), scores + theta * (scores - last_scores)
        last_dual, last_scores = dual, scores
        dual = loss.prox(ahead, scores_ahead, y, curvature, margin)
        weighted = (weights[:, None] * (dual - last_dual)).astype(scores.dtype)
        scores = scores - (along(weighted) / alpha).astype(scores.dtype)
    return dual


def limits():
    """Return the constants of the steps, as compiled code takes them."""
    return POWER_ITERATIONS, SAFETY_FACTOR, MAX_BATCH_STEPS, BATCH_ACCURACY


def largest_eigenvalue(along, weights):
    """Estimate the largest eigenvalue of Ω^½ K Ω^½ from above.

    Parameters
    ----------
    along : callable
        The product with the Gram matrix K.
    weights : ndarray of shape (n_rows,)
        The diagonal of Ω.

    Returns
    -------
    float
        The estimate.

    References
    ----------
    Golub and Van Loan, Matrix Computations, 2013, section 8.2 (the power method).
    """
    roots = np.sqrt(weights)[:, None]
    vector, value = roots, 0.0
    for _ in range(POWER_ITERATIONS):
        vector = vector / max(np.sqrt(squared_rows(vector).sum()), np.finfo(float).tiny)
        vector = roots * along(roots * vector)
        value = np.sqrt(squared_rows(vector).sum())
    return SAFETY_FACTOR * value


def gram_matrix(X_batch, sigma2):
    """Compute K = X_B X_Bᵀ + σ².

    Parameters
    ----------
    X_batch : ndarray or CSR of shape (n_rows, n_features)
        The rows X_B.
    sigma2 : float
        The constant σ².

    Returns
    -------
    ndarray of shape (n_rows, n_rows)
        The matrix K.
    """
    gram = (X_batch @ X_batch.T).toarray() if sp.issparse(X_batch) else product(X_batch, X_batch.T)
    gram += gram.dtype.type(sigma2)
    return gram


def product_with_gram(X_batch, sigma2):
    """Return the product with K = X_B X_Bᵀ + σ² for batches that are too large for the matrix.

    Parameters
    ----------
    X_batch : ndarray or CSR of shape (n_rows, n_features)
        The rows X_B.
    sigma2 : float
        The constant σ².

    Returns
    -------
    callable
        A function of an array of shape (n_rows, n_scores).
    """
    return lambda dual: product(X_batch, transposed_product(X_batch, dual)) + sigma2 * dual.sum(axis=0)
