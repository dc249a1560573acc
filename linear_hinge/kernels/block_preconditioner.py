"""Class blocks, which precondition conjugate gradients: the specification of ``block_preconditioner.pxi``.

They are the diagonal blocks of a Newton system, one for every class,

    B_k = Σ_i (ω_i/ρ) (J_i)_kk z_i z_iᵀ + diag(alpha, …, alpha, damping),      z_i = (x_i − μ, 1).

For one-vs-rest there are no other blocks. Their Cholesky factors B_k = L_k L_kᵀ are computed here, because the rounding
of LAPACK depends on the number of threads.

References
----------
Golub and Van Loan, Matrix Computations, 2013, sections 4.2 (Cholesky factors) and 11.5 (preconditioning).
"""

import numpy as np
import scipy.sparse as sp

from linear_hinge.kernels.door import SMALLEST_PIVOT
from linear_hinge.kernels.products import transposed_product
from linear_hinge.linalg.batches import chunks


def block_factors(system):
    """Compute the factors L_k of a Newton system.

    Parameters
    ----------
    system : NumpySystem
        The system.

    Returns
    -------
    ndarray of shape (n_scores, n_features + 1, n_features + 1), dtype=float64
        The L_k, in the lower triangles.
    """
    return _factors(_blocks(system))


def solve_blocks(factors, residual):
    """Compute B⁻¹ R, class by class.

    Parameters
    ----------
    factors : ndarray of shape (n_scores, n_features + 1, n_features + 1)
        The factors of `block_factors`.
    residual : ndarray of shape (n_features + 1, n_scores)
        R.

    Returns
    -------
    ndarray of shape (n_features + 1, n_scores)
        B⁻¹ R.
    """
    rest = np.array(residual.T, dtype=np.float64)
    for j in range(rest.shape[1]):
        rest[:, j] -= np.einsum("kj,kj->k", factors[:, j, :j], rest[:, :j])
        rest[:, j] /= factors[:, j, j]
    for j in reversed(range(rest.shape[1])):
        rest[:, j] /= factors[:, j, j]
        rest[:, :j] -= factors[:, j, :j] * rest[:, j : j + 1]
    return rest.T.astype(residual.dtype)


def _blocks(system):
    """Compute B_k of every class."""
    X, own, mean = system.X, system.own.astype(np.float64), system.mean.astype(np.float64)
    blocks = np.zeros((own.shape[1], len(mean) + 1, len(mean) + 1))
    for block, own_k in zip(blocks, own.T, strict=True):
        add_squares = _add_sparse_squares if sp.issparse(X) else _add_squares
        add_squares(block, X, own_k[:, None], mean)
    if not system.fit_intercept:  # the step of the intercept is zero
        blocks[:, -1] = blocks[:, :, -1] = 0
    diagonal = np.einsum("kjj->kj", blocks)
    diagonal[:, :-1] = np.maximum(diagonal[:, :-1], 0) + system.alpha
    diagonal[:, -1] += system.damping if system.fit_intercept else 1
    return blocks


def _add_squares(block, X, own, mean):
    """Add Σ_i own_i z_i z_iᵀ of one class."""
    for chunk in chunks(len(X)):
        rows = np.ones((len(X[chunk]), len(mean) + 1))
        rows[:, :-1] = X[chunk] - mean
        block += transposed_product(rows, own[chunk] * rows)


def _add_sparse_squares(block, X, own, mean):
    """Add the same for sparse rows, which are centred afterwards so that they stay sparse."""
    squares = (X.T @ X.multiply(own)).tocoo()
    np.add.at(block, (squares.row, squares.col), squares.data)
    sums, total = transposed_product(X, own)[:, 0], own.sum()
    block[:-1, :-1] += total * np.outer(mean, mean) - np.outer(sums, mean) - np.outer(mean, sums)
    block[-1, :-1] = block[:-1, -1] = sums - total * mean
    block[-1, -1] = total


def _factors(blocks):
    """Compute the Cholesky factors of the blocks, in place."""
    smallest = SMALLEST_PIVOT * np.einsum("kjj->kj", blocks)
    for j in range(blocks.shape[1]):
        column = blocks[:, j:, j] - np.einsum("kij,kj->ki", blocks[:, j:, :j], blocks[:, j, :j])
        column[:, 0] = np.maximum(column[:, 0], smallest[:, j])
        blocks[:, j:, j] = column / np.sqrt(column[:, :1])
    return blocks
