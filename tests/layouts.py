"""Containers that a matrix may come in, and rows to put into them."""

import numpy as np
import pytest
import scipy.sparse as sp


def with_int64_indices(X):
    X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    return X


def with_split_and_unsorted_entries(X):
    """The same matrix, in which every entry is stored in two halves, from right to left."""
    row, column = X.nonzero()
    order = np.lexsort((-np.tile(column, 2), np.tile(row, 2)))
    data = np.tile(X[row, column] / 2, 2)[order].astype(X.dtype)
    starts = np.concatenate([[0], 2 * np.cumsum((X != 0).sum(axis=1))])
    split = sp.csr_array((data, np.tile(column, 2)[order], starts), shape=X.shape)
    assert split.nnz == 2 * len(row)
    assert not split.has_sorted_indices
    return split


LAYOUTS = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "csr_matrix": sp.csr_matrix,
    "csr_array": sp.csr_array,
    "int64 csr_matrix": lambda X: with_int64_indices(sp.csr_matrix(X)),
    "int64 csr_array": lambda X: with_int64_indices(sp.csr_array(X)),
    "duplicates": with_split_and_unsorted_entries,
}

SPARSE_LAYOUTS = {name: layout for name, layout in LAYOUTS.items() if name not in ("C", "F")}

all_layouts = pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)


def sparse_rows(rng, n_samples=12, n_features=30):
    """Few non-zeros, rows and columns without any, as a dense array."""
    X = rng.normal(size=(n_samples, n_features)) * (rng.uniform(size=(n_samples, n_features)) < 0.2)
    X[[0, 5, -1]] = 0
    X[:, [0, 7, -1]] = 0
    return X
