"""Sums Σ_i g_i x_iᵀ over a minibatch, for the features that occur in it.

Coefficients are kept transposed, (n_features, n_scores), while they are trained: the coefficients of one feature lie
side by side, as products with CSR rows and updates of single features need them.
"""

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from linear_hinge.kernels import door
from linear_hinge.kernels.products import transposed_product
from linear_hinge.linalg.sums import inner


class Direction(NamedTuple):
    """The transposed sum (Σ_i g_i x_iᵀ)ᵀ over a batch, kept only for the features that occur in it.

    Attributes
    ----------
    features : slice or ndarray of shape (n_occurring_features,)
        The features that occur.
    values : ndarray of shape (n_occurring_features, n_scores)
        Their sums.
    """

    features: slice | np.ndarray
    values: np.ndarray

    def squared_norm(self):
        """Compute ‖Σ_i g_i x_iᵀ‖², a float."""
        return inner(self.values, self.values)

    def add_to(self, coef, scale):
        """Add a multiple of the direction to coefficients.

        Parameters
        ----------
        coef : ndarray of shape (n_features, n_scores)
            The transposed coefficients, changed in place.
        scale : float
            The multiple.
        """
        coef[self.features] += coef.dtype.type(scale) * self.values


def direction(X_batch, dual):
    """Compute Σ_i g_i x_iᵀ over the rows of a batch.

    Parameters
    ----------
    X_batch : ndarray or CSR of shape (n_rows, n_features)
        The rows x_i. Where a CSR batch has fewer entries than features, the cost depends on its entries only.
    dual : ndarray of shape (n_rows, n_scores)
        The g_i.

    Returns
    -------
    Direction
        The sum.
    """
    if not sp.issparse(X_batch) or X_batch.nnz > X_batch.shape[1]:
        return Direction(slice(None), transposed_product(X_batch, dual))
    features, positions = np.unique(X_batch.indices, return_inverse=True)
    packed = sp.csr_array((X_batch.data, positions, X_batch.indptr), shape=(len(dual), len(features)))
    return Direction(features, packed.T @ dual)


def add_product(coef, X_batch, dual, scale):
    """Add a multiple of the transposed sum (Σ_i g_i x_iᵀ)ᵀ over the rows of a batch to coefficients.

    Parameters
    ----------
    coef : ndarray of shape (n_features, n_scores)
        The transposed coefficients, changed in place, for sparse rows only those of features that occur.
    X_batch : ndarray or CSR of shape (n_rows, n_features)
        The rows x_i.
    dual : ndarray of shape (n_rows, n_scores)
        The g_i.
    scale : float
        The multiple.
    """
    if not door.add_product(coef, X_batch, dual, scale):
        direction(X_batch, dual).add_to(coef, scale)
