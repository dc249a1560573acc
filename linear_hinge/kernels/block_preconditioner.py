"""Class blocks, which precondition conjugate gradients: the specification of ``block_preconditioner.pxi``.

Of a Newton system they are what every class has to do with itself,

    B_k = Σ_i (ω_i/ρ) (J_i)_kk z_i z_iᵀ + diag(alpha, …, alpha, damping),      z_i = (x_i − μ, 1),

which is all of it for one-vs-rest, and their Cholesky factors B_k = L_k L_kᵀ. Rounding must not depend on the number of
threads: LAPACK's does.
"""

import numpy as np
import scipy.sparse as sp

from linear_hinge.kernels.door import SMALLEST_PIVOT
from linear_hinge.kernels.products import transposed_product
from linear_hinge.linalg.batches import chunks


def block_factors(system):
    """The factors L_k of a `NumpySystem`, below the diagonal and on it.

    Returns
    -------
    factors : ndarray of shape (n_scores, n_features + 1, n_features + 1), dtype=float64
    """
    return _factors(_blocks(system))


def solve_blocks(factors, residual):
    """B⁻¹ R of shape (n_features + 1, n_scores), R of the same shape."""
    rest = np.array(residual.T, dtype=np.float64)
    for j in range(rest.shape[1]):
        rest[:, j] -= np.einsum("kj,kj->k", factors[:, j, :j], rest[:, :j])
        rest[:, j] /= factors[:, j, j]
    for j in reversed(range(rest.shape[1])):
        rest[:, j] /= factors[:, j, j]
        rest[:, :j] -= factors[:, j, :j] * rest[:, j : j + 1]
    return rest.T.astype(residual.dtype)


def _blocks(system):
    """B_k of every class."""
    X, own, mean = system.X, system.own.astype(np.float64), system.mean.astype(np.float64)
    blocks = np.zeros((own.shape[1], len(mean) + 1, len(mean) + 1))
    for block, own_k in zip(blocks, own.T, strict=True):
        add_squares = _add_sparse_squares if sp.issparse(X) else _add_squares
        add_squares(block, X, own_k[:, None], mean)
    if not system.fit_intercept:  # its step is zero
        blocks[:, -1] = blocks[:, :, -1] = 0
    diagonal = np.einsum("kjj->kj", blocks)
    diagonal[:, :-1] = np.maximum(diagonal[:, :-1], 0) + system.alpha
    diagonal[:, -1] += system.damping if system.fit_intercept else 1
    return blocks


def _add_squares(block, X, own, mean):
    """Σ_i own_i z_i z_iᵀ of one class."""
    for chunk in chunks(len(X)):
        rows = np.ones((len(X[chunk]), len(mean) + 1))
        rows[:, :-1] = X[chunk] - mean
        block += transposed_product(rows, own[chunk] * rows)


def _add_sparse_squares(block, X, own, mean):
    """The same, centred afterwards: the rows stay sparse."""
    squares = (X.T @ X.multiply(own)).tocoo()
    np.add.at(block, (squares.row, squares.col), squares.data)
    sums, total = transposed_product(X, own)[:, 0], own.sum()
    block[:-1, :-1] += total * np.outer(mean, mean) - np.outer(sums, mean) - np.outer(mean, sums)
    block[-1, :-1] = block[:-1, -1] = sums - total * mean
    block[-1, -1] = total


def _factors(blocks):
    """Their Cholesky factors, in place."""
    smallest = SMALLEST_PIVOT * np.einsum("kjj->kj", blocks)
    for j in range(blocks.shape[1]):
        column = blocks[:, j:, j] - np.einsum("kij,kj->ki", blocks[:, j:, :j], blocks[:, j, :j])
        column[:, 0] = np.maximum(column[:, 0], smallest[:, j])
        blocks[:, j:, j] = column / np.sqrt(column[:, :1])
    return blocks
