"""Products with the same bits on any number of threads.

BLAS splits large products over its threads, and the number of threads changes the rounding. To set it to one would
change the state of the whole process. Products are therefore made of blocks that are too small for OpenBLAS to split,
which it does beyond 2¹⁸ multiplications. SciPy computes products with sparse matrices, on one thread.
"""

from functools import lru_cache
from itertools import pairwise

import numpy as np
import scipy.sparse as sp

LARGEST_BLOCK = 2**18
FEWEST_ROWS = 32  # rows of a block, however many features there are


def product_in_blocks(X, coef):
    """Compute X W, of shape (n_samples, n_scores), for dense or CSR X and W of shape (n_features, n_scores)."""
    if sp.issparse(X):
        return X @ coef
    if coef.shape[1] == 1:
        return np.einsum("ij,j->i", X, coef[:, 0])[:, None]
    if len(X) == 1:
        return np.einsum("j,jk->k", X[0], coef)[None, :]
    row_blocks, feature_blocks = _blocks(X.shape, coef.shape[1])
    result = np.zeros((len(X), coef.shape[1]), dtype=np.result_type(X, coef))
    for rows in row_blocks:
        for features in feature_blocks:
            result[rows] += X[rows, features] @ coef[features]
    return result


def transposed_product_in_blocks(X, dual):
    """Compute Xᵀ G, of shape (n_features, n_scores), for dense or CSR X and G of shape (n_samples, n_scores)."""
    if sp.issparse(X):
        return X.T @ dual
    if dual.shape[1] == 1:
        return np.einsum("ij,i->j", X, dual[:, 0])[:, None]
    if len(X) == 1:
        return np.multiply.outer(X[0], dual[0])
    row_blocks, feature_blocks = _blocks(X.shape, dual.shape[1])
    result = np.zeros((X.shape[1], dual.shape[1]), dtype=np.result_type(X, dual))
    for rows in row_blocks:
        for features in feature_blocks:
            result[features] += X[rows, features].T @ dual[rows]
    return result


@lru_cache
def _blocks(shape, n_scores):
    """Return slices of rows and of features; no slice has a single row, unless there is no other."""
    n_rows, n_features = shape
    most_features = max(1, LARGEST_BLOCK // (FEWEST_ROWS * n_scores))
    feature_blocks = _even_slices(n_features, most_features)
    width = feature_blocks[0].stop
    return _even_slices(n_rows, max(2, LARGEST_BLOCK // (width * n_scores))), feature_blocks


def _even_slices(length, most):
    """Return slices of nearly the same size, at most ``most``, that cover ``length``, the longest first."""
    n_slices = max(1, -(-length // most))
    size, n_longer = divmod(length, n_slices)
    stops = np.cumsum([0] + [size + 1] * n_longer + [size] * (n_slices - n_longer))
    return [slice(start, stop) for start, stop in pairwise(stops)]
