"""Products with X and sums of its rows, against dense products."""

import numpy as np
import pytest
import scipy.sparse as sp
from layouts import all_layouts, sparse_rows
from numpy.testing import assert_allclose, assert_array_equal

from linear_hinge.kernels import door
from linear_hinge.kernels.products import (
    exact_transposed_product,
    squared_norms,
    weighted_sum,
)
from linear_hinge.linalg.batches import CHUNK_SIZE


def many_rows(rng, dtype=np.float64):
    """Rows for three chunks, most of whose entries are zero."""
    shape = (2 * CHUNK_SIZE + 3, 4)
    return (rng.normal(size=shape) * (rng.uniform(size=shape) < 0.3)).astype(dtype)


@all_layouts
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_transposed_product_is_the_dense_one_in_float64(layout, dtype, rng):
    X = many_rows(rng, dtype)
    dual = rng.normal(size=(len(X), 3)).astype(dtype)
    dual[CHUNK_SIZE : 2 * CHUNK_SIZE] = 0
    product = exact_transposed_product(layout(X), dual)
    assert product.dtype == np.float64
    assert_allclose(product, X.T.astype(float) @ dual.astype(float), atol=1e-11)
    weights = rng.uniform(size=len(X))
    product = exact_transposed_product(layout(X), dual, weights)
    assert product.dtype == np.float64
    assert_allclose(product, X.T.astype(float) @ (weights[:, None] * dual), atol=1e-11)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_product_with_no_rows_is_zero(dtype, kind, compiled, monkeypatch):
    """A partition may be empty."""
    if not compiled:
        monkeypatch.setattr(door, "_kernels", None)
    X = kind(np.zeros((0, 5), dtype))
    product = exact_transposed_product(X, np.zeros((0, 3), dtype), np.zeros(0))
    assert product.dtype == np.float64
    assert_array_equal(product, np.zeros((5, 3)))


@all_layouts
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weighted_sum_of_rows_is_float64(layout, dtype, rng):
    X, weights = many_rows(rng, dtype), rng.dirichlet(np.ones(2 * CHUNK_SIZE + 3))
    mean = weighted_sum(layout(X), weights)
    assert mean.dtype == np.float64
    assert_allclose(mean, weights @ X.astype(float), rtol=1e-14, atol=1e-16)


@all_layouts
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_squared_norms_are_sums_of_squares_in_float64(layout, dtype, rng):
    X = sparse_rows(rng).astype(dtype)
    norms = squared_norms(layout(X))
    assert norms.dtype == np.float64
    assert_allclose(norms, (X.astype(float) ** 2).sum(axis=1), rtol=1e-14)


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array])
def test_squared_norms_across_chunks(kind, rng):
    X = many_rows(rng)
    assert_allclose(squared_norms(kind(X)), (X**2).sum(axis=1), rtol=1e-14)


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array])
def test_squared_norms_at_the_ends_of_the_range(kind):
    assert_allclose(squared_norms(kind(np.array([[1e30, 0]], np.float32))), np.float64(np.float32(1e30)) ** 2)
    with np.errstate(over="ignore"):
        assert_array_equal(squared_norms(kind(np.array([[1e200, 0], [1, 2]]))), [np.inf, 5])
