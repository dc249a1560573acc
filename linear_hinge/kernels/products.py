"""Products with X, sums of its rows and their norms: compiled where that is faster, in NumPy and SciPy otherwise.

All results have the same bits on any number of threads.
"""

import numpy as np
import scipy.sparse as sp
from sklearn.utils.extmath import row_norms

from linear_hinge.kernels import door
from linear_hinge.linalg.batches import widened
from linear_hinge.linalg.blocks import product_in_blocks, transposed_product_in_blocks
from linear_hinge.linalg.sums import weighted_rows

WORTH_THREADS = 2**20  # multiplications of a dense product from which several threads are faster than BLAS on one


def product(X, coef):
    """Compute X W.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        The rows.
    coef : ndarray of shape (n_features, n_scores)
        W.

    Returns
    -------
    ndarray of shape (n_samples, n_scores)
        The product, in the wider of both dtypes. The product of float32 rows with float64 coefficients is summed up in
        float64.
    """
    if X.dtype == np.float64:
        coef = coef.astype(np.float64, copy=False)
    elif X.dtype != coef.dtype:
        result = np.empty((X.shape[0], coef.shape[1]), np.result_type(X, coef))
        for chunk, rows in widened(X):
            result[chunk] = product(rows, coef)
        return result
    is_large = coef.shape[1] > 1 and X.shape[0] * coef.size >= WORTH_THREADS
    compiled = door.product(X, coef) if sp.issparse(X) or is_large else None
    return product_in_blocks(X, coef) if compiled is None else compiled


def transposed_product(X, dual):
    """Compute Xᵀ G.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        The rows.
    dual : ndarray of shape (n_samples, n_scores)
        G.

    Returns
    -------
    ndarray of shape (n_features, n_scores)
        The product, in the wider of both dtypes.
    """
    compiled = door.exact_transposed_product(X, dual) if sp.issparse(X) else None
    if compiled is None:
        return transposed_product_in_blocks(X, dual)
    return compiled.astype(np.result_type(X, dual), copy=False)


def exact_transposed_product(X, dual, weights=None):
    """Compute Xᵀ diag(ω) G in float64.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        The rows.
    dual : ndarray of shape (n_samples, n_scores)
        G.
    weights : ndarray of shape (n_samples,), optional
        The ω_i; ones by default.

    Returns
    -------
    ndarray of shape (n_features, n_scores), dtype=float64
        The product.
    """
    compiled = door.exact_transposed_product(X, dual, weights)
    if compiled is not None:
        return compiled
    total = None  # the product of a single piece may be large, and is not copied
    for chunk, rows in widened(X):
        of_piece = transposed_product(rows, weighted_rows(dual[chunk], None if weights is None else weights[chunk]))
        total = of_piece if total is None else np.add(total, of_piece, out=total)
    return np.zeros((X.shape[1], dual.shape[1])) if total is None else total


def squared_transposed_product(X, dual):
    """Compute (X ∘ X)ᵀ G in float64.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        The rows. Duplicate entries of a sparse row are summed up before they are squared.
    dual : ndarray of shape (n_samples, n_scores)
        G.

    Returns
    -------
    ndarray of shape (n_features, n_scores), dtype=float64
        The product.
    """
    compiled = door.exact_transposed_product(X, dual, is_squared=True) if sp.issparse(X) else None
    if compiled is not None:
        return compiled
    total = np.zeros((X.shape[1], dual.shape[1]))
    for chunk, rows in _unique_pieces(X):
        squares = rows.multiply(rows).tocsr() if sp.issparse(rows) else np.square(rows)
        total += transposed_product(squares, dual[chunk])
    return total


def weighted_sum(X, weights):
    """Compute Σ_i ω_i x_i in float64.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        The rows x_i.
    weights : ndarray of shape (n_samples,)
        The ω_i.

    Returns
    -------
    ndarray of shape (n_features,), dtype=float64
        The sum.
    """
    return exact_transposed_product(X, weights[:, None])[:, 0]


def squared_norms(X):
    """Compute ‖x_i‖² in float64.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        The rows x_i.

    Returns
    -------
    ndarray of shape (n_samples,), dtype=float64
        The squared norms, inf where they overflow.
    """
    if X.shape[0] == 0:
        return np.empty(0)
    compiled = door.squared_norms(X)
    if compiled is not None:
        return compiled
    norms = np.empty(X.shape[0])
    for chunk, rows in _unique_pieces(X):
        norms[chunk] = row_norms(rows, squared=True)
    return norms


def _unique_pieces(X):
    """Yield the pieces of `widened`, in which duplicate entries of sparse rows are summed up."""
    for chunk, rows in widened(X):
        if sp.issparse(X) and not X.has_canonical_format:
            rows = rows.copy()
            rows.sum_duplicates()
        yield chunk, rows
