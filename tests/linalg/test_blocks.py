"""Products in blocks against plain NumPy, and their bits, and those of sums, on one thread and on several."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from threadpoolctl import threadpool_limits

from linear_hinge.linalg.blocks import LARGEST_BLOCK, _blocks, product_in_blocks, transposed_product_in_blocks
from linear_hinge.linalg.sums import combination, inner

# Rows, features, scores: small; one score; a block and one row; wide enough to split the features; no features left.
SHAPES = [(5, 3, 2), (1, 7, 3), (700, 300, 1), (131, 800, 10), (2000, 64, 10), (3, 30_000, 20), (40, 1, 4)]


def operands(rng, shape, dtype=np.float64, order="C"):
    n_rows, n_features, n_scores = shape
    X = rng.standard_normal((n_rows, n_features)).astype(dtype, order=order)
    return X, rng.standard_normal((n_features, n_scores)).astype(dtype), rng.standard_normal((n_rows, n_scores))


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES)
def test_products_are_those_of_numpy(shape, dtype, order, rng):
    X, coef, dual = operands(rng, shape, dtype, order)
    dual = dual.astype(dtype)
    atol = 100 * np.finfo(dtype).eps * np.sqrt(max(shape))
    assert_allclose(product_in_blocks(X, coef), X.astype(float) @ coef, atol=atol)
    assert_allclose(transposed_product_in_blocks(X, dual), X.T.astype(float) @ dual, atol=atol)
    assert product_in_blocks(X, coef).dtype == transposed_product_in_blocks(X, dual).dtype == dtype


@pytest.mark.parametrize("kind", [sp.csr_array, sp.csr_matrix])
def test_products_with_sparse_rows_are_dense(kind, rng):
    X, coef, dual = operands(rng, (30, 20, 3))
    X[X < 1] = 0
    for result, expected in [
        (product_in_blocks(kind(X), coef), X @ coef),
        (transposed_product_in_blocks(kind(X), dual), X.T @ dual),
    ]:
        assert isinstance(result, np.ndarray)
        assert_allclose(result, expected, atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_bit_is_the_same_on_any_number_of_threads(shape, dtype, rng):
    X, coef, dual = operands(rng, shape, dtype)
    weights = rng.random(len(X))
    results = []
    for n_threads in (1, 2, 4):
        with threadpool_limits(n_threads):
            results.append(
                (
                    product_in_blocks(X, coef),
                    transposed_product_in_blocks(X, dual),
                    combination(weights, dual),
                    inner(dual, dual),
                )
            )
    for other in results[1:]:
        for left, right in zip(results[0], other, strict=True):
            assert_array_equal(left, right)


@pytest.mark.parametrize("shape", SHAPES)
def test_blocks_cover_everything_once_and_stay_small(shape):
    n_rows, n_features, n_scores = shape
    row_blocks, feature_blocks = _blocks((n_rows, n_features), n_scores)
    for blocks, length in [(row_blocks, n_rows), (feature_blocks, n_features)]:
        assert [i for block in blocks for i in range(block.start, block.stop)] == list(range(length))
    rows, features = (max(b.stop - b.start for b in blocks) for blocks in (row_blocks, feature_blocks))
    assert rows * features * n_scores <= LARGEST_BLOCK
    # A single row would be a vector, which BLAS splits much earlier.
    assert n_rows == 1 or min(block.stop - block.start for block in row_blocks) > 1
