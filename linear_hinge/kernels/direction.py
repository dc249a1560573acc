"""Sums Σ_i g_i x_iᵀ over a minibatch, for the features that occur in it.

Coefficients are kept transposed, (n_features, n_scores), while they are trained: the scores of one feature lie
side by side, which is what products with CSR rows and updates of single features need.
"""

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from linear_hinge.kernels.products import transposed_product
from linear_hinge.linalg.sums import inner


class Direction(NamedTuple):
    """(Σ_i g_i x_iᵀ)ᵀ over a batch, kept only for the features that occur in it."""

    features: slice | np.ndarray
    values: np.ndarray  # (n_occurring_features, n_scores)

    def squared_norm(self):
        """‖Σ_i g_i x_iᵀ‖²."""
        return inner(self.values, self.values)

    def add_to(self, coef, scale):
        """coef += scale · direction, for ``coef`` of shape (n_features, n_scores)."""
        coef[self.features] += coef.dtype.type(scale) * self.values


def direction(X_batch, dual):
    """Σ_i g_i x_iᵀ as a `Direction`; for CSR its cost follows the non-zeros of the batch where they are fewer."""
    if not sp.issparse(X_batch) or X_batch.nnz > X_batch.shape[1]:
        return Direction(slice(None), transposed_product(X_batch, dual))
    features, positions = np.unique(X_batch.indices, return_inverse=True)
    packed = sp.csr_array((X_batch.data, positions, X_batch.indptr), shape=(len(dual), len(features)))
    return Direction(features, packed.T @ dual)
