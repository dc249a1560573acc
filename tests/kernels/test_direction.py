"""Sums Σ g xᵀ over a minibatch, against dense products."""

import numpy as np
import pytest
import scipy.sparse as sp
from layouts import all_layouts, sparse_rows
from numpy.testing import assert_allclose, assert_array_equal

from linear_hinge.kernels import door, is_compiled
from linear_hinge.kernels.direction import add_product, direction


@all_layouts
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_direction_is_the_product_of_the_duals_and_the_rows(layout, dtype, rng):
    X, dual = sparse_rows(rng).astype(dtype), rng.normal(size=(12, 3)).astype(dtype)
    coef = rng.normal(size=(30, 3)).astype(dtype)
    expected = coef.astype(float) - 0.5 * X.T.astype(float) @ dual.astype(float)
    change = direction(layout(X), dual)
    assert change.squared_norm() == pytest.approx(((X.T @ dual) ** 2).sum(dtype=float), rel=1e-5)
    assert type(change.squared_norm()) is float
    change.add_to(coef, -0.5)
    assert_allclose(coef, expected, atol=8 * np.finfo(dtype).eps)


@pytest.mark.parametrize("kind", [sp.csr_matrix, sp.csr_array])
def test_sparse_direction_holds_only_the_features_that_occur(kind, rng):
    X = sparse_rows(rng)[:3]
    change = direction(kind(X), np.ones((3, 2)))
    assert_array_equal(change.features, np.flatnonzero(X.any(axis=0)))
    assert change.values.shape == (len(change.features), 2)
    empty = direction(kind(np.zeros((3, 30))), np.ones((3, 2)))
    assert empty.values.shape == (0, 2)
    coef = np.ones((30, 2))
    empty.add_to(coef, 1.0)
    assert_array_equal(coef, np.ones((30, 2)))


@all_layouts
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_scores", [1, 3, 8])
def test_a_product_is_added_to_coefficients(layout, dtype, n_scores, rng):
    X, dual = sparse_rows(rng).astype(dtype), rng.normal(size=(12, n_scores)).astype(dtype)
    dual[3] = 0
    coef = rng.normal(size=(30, n_scores)).astype(dtype)
    expected = coef.astype(float) - 0.5 * X.T.astype(float) @ dual.astype(float)
    add_product(coef, layout(X), dual, -0.5)
    assert_allclose(coef, expected, atol=8 * np.finfo(dtype).eps)


@pytest.mark.skipif(not is_compiled(), reason="is about compiled code")
def test_there_is_compiled_code_for_sparse_rows_and_whole_coefficients(rng):
    X, dual, coef = sp.csr_array(sparse_rows(rng)), rng.normal(size=(12, 4)), np.zeros((30, 4))
    assert door.add_product(coef, X, dual, 1.0)
    for other in (coef[:, ::2], coef.astype(np.float32)):
        assert not door.add_product(other, X, dual[:, : other.shape[1]].astype(other.dtype), 1.0)
    for rows, few in ((X, dual[:5]), (X, dual[:, :2]), (X[:, :7], dual)):
        with pytest.raises(ValueError, match="layout was not checked"):
            door.add_product(coef, rows, np.ascontiguousarray(few), 1.0)
