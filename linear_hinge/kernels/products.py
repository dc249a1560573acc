"""Products with X, sums of its rows and their norms: compiled where that is faster, in NumPy and SciPy otherwise.

Every bit is the same on any number of threads.
"""

import numpy as np
import scipy.sparse as sp
from sklearn.utils.extmath import row_norms

from linear_hinge.kernels import door
from linear_hinge.linalg.batches import widened
from linear_hinge.linalg.blocks import product_in_blocks, transposed_product_in_blocks

WORTH_THREADS = 2**20  # multiplications of a dense product that several threads make sooner than BLAS on one


def product(X, coef):
    """X W of shape (n_samples, n_scores), for X dense or CSR and W of shape (n_features, n_scores).

    The product of float32 data with float64 coefficients is summed up in float64.
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
    """Xᵀ G of shape (n_features, n_scores), for X dense or CSR and G of shape (n_samples, n_scores)."""
    compiled = door.exact_transposed_product(X, dual) if sp.issparse(X) else None
    if compiled is None:
        return transposed_product_in_blocks(X, dual)
    return compiled.astype(np.result_type(X, dual), copy=False)


def exact_transposed_product(X, dual, weights=None):
    """Xᵀ G of shape (n_features, n_scores), in float64; the rows of G multiplied by their weights, if there are any."""
    compiled = door.exact_transposed_product(X, dual, weights)
    if compiled is not None:
        return compiled
    dual = dual.astype(np.float64, copy=False) if weights is None else weights[:, None] * dual
    if X.dtype == np.float64:
        return transposed_product(X, dual)
    total = np.zeros((X.shape[1], dual.shape[1]))
    for chunk, rows in widened(X):
        total += transposed_product(rows, dual[chunk])
    return total


def squared_transposed_product(X, dual):
    """(X ∘ X)ᵀ G of shape (n_features, n_scores), in float64."""
    compiled = door.exact_transposed_product(X, dual, is_squared=True) if sp.issparse(X) else None
    if compiled is not None:
        return compiled
    total = np.zeros((X.shape[1], dual.shape[1]))
    for chunk, rows in _unique_pieces(X):
        squares = rows.multiply(rows).tocsr() if sp.issparse(rows) else np.square(rows)
        total += transposed_product(squares, dual[chunk])
    return total


def weighted_sum(X, weights):
    """Σ_i ω_i x_i of shape (n_features,), in float64."""
    return exact_transposed_product(X, weights[:, None])[:, 0]


def squared_norms(X):
    """‖x_i‖² in float64, shape (n_samples,); overflow gives inf."""
    return norms_and_bits(X)[0]


def norms_and_bits(X):
    """`squared_norms`, and what `Matrix` takes as ``occupied``."""
    compiled = door.norms_and_bits(X)
    if compiled is not None:
        return compiled
    norms = np.empty(X.shape[0])
    for chunk, rows in _unique_pieces(X):
        norms[chunk] = row_norms(rows, squared=True)
    return norms, None


def _unique_pieces(X):
    """`widened`, with duplicate entries of a sparse matrix, which products do not mind, summed up."""
    for chunk, rows in widened(X):
        if sp.issparse(X) and not X.has_canonical_format:
            rows = rows.copy()
            rows.sum_duplicates()
        yield chunk, rows
