"""Rows in batches and chunks, and sums Σ g xᵀ over them, against dense products."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal

from linear_hinge.linalg import batches as batches_module
from linear_hinge.linalg.batches import (
    CHUNK_SIZE,
    FEWEST_BLOCKS,
    bytes_of_row,
    chunks,
    csr_of,
    direction,
    exact_transposed_product,
    minibatches,
    row_space,
    shuffled,
    squared_norms,
    take_rows,
    weighted_sum,
    with_whole_rows,
)


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

all_layouts = pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)


def sparse_rows(rng, n_samples=12, n_features=30):
    """Few non-zeros, rows and columns without any, as a dense array."""
    X = rng.normal(size=(n_samples, n_features)) * (rng.uniform(size=(n_samples, n_features)) < 0.2)
    X[[0, 5, -1]] = 0
    X[:, [0, 7, -1]] = 0
    return X


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


@pytest.mark.parametrize("n_rows", [96, 100])
@pytest.mark.parametrize("batch_size", [1, 3])
def test_batches_share_blocks_of_rows_that_lie_side_by_side(n_rows, batch_size):
    rows = np.arange(n_rows) + 100
    visited = shuffled(rows, batch_size, np.random.RandomState(0), together=2)
    assert_array_equal(np.sort(visited), rows)
    assert_array_equal(rows, np.arange(n_rows) + 100)
    n_whole = n_rows // (2 * batch_size) * 2 * batch_size
    blocks = visited[:n_whole].reshape(-1, 2, batch_size)
    first = blocks[:, :1, :1]
    assert (np.diff(first.ravel()) != 2 * batch_size).any()
    expected = first + np.arange(2)[:, None] + 2 * np.arange(batch_size)
    assert_array_equal(blocks, expected)


def test_few_rows_are_shuffled_one_by_one():
    rows = np.arange(6 * (FEWEST_BLOCKS - 1))
    visited = shuffled(rows, 3, np.random.RandomState(0), together=2)
    assert_array_equal(visited, np.random.RandomState(0).permutation(rows))


@pytest.mark.parametrize("shape", [(1, 1), (7, 1), (9, 5)])
def test_csr_of_the_nonzeros_is_that_of_scipy(shape, rng):
    dense = rng.normal(size=shape) * (rng.uniform(size=shape) < 0.5)
    found, expected = csr_of(dense), sp.csr_array(dense)
    for name in ("data", "indices", "indptr"):
        assert_array_equal(getattr(found, name), getattr(expected, name))
        assert getattr(found, name).dtype == getattr(expected, name).dtype


def test_memory_of_a_row():
    X = np.zeros((4, 6), np.float32)
    X[0, :4] = 1
    assert bytes_of_row(X) == 24
    assert bytes_of_row(sp.csr_array(X)) == 8  # four numbers and their int32 indices, over four rows


@pytest.mark.parametrize("batch_size", [1, 4, 10, 11, 12, 100])
@pytest.mark.parametrize("shuffled", [False, True])
def test_minibatches_visit_every_row_once(batch_size, shuffled):
    rows = np.arange(3, 25, 2)
    batches = list(minibatches(rows, batch_size, np.random.RandomState(0) if shuffled else None))
    assert_array_equal(np.sort(np.concatenate(batches)), rows)
    assert [len(batch) for batch in batches[:-1]] == [batch_size] * (len(batches) - 1)
    assert 0 < len(batches[-1]) <= batch_size
    in_order = np.array_equal(np.concatenate(batches), rows)
    assert in_order == (not shuffled or batch_size >= len(rows))


def test_minibatches_follow_the_generator_and_leave_it_alone_when_there_is_one_batch():
    rows, rng = np.arange(10), np.random.RandomState(0)
    list(minibatches(rows, 10, rng))
    assert_array_equal(np.concatenate(list(minibatches(rows, 3, rng))), np.random.RandomState(0).permutation(10))
    assert_array_equal(rows, np.arange(10))


def test_only_small_data_whose_rows_lie_apart_are_copied(rng, monkeypatch):
    X = rng.normal(size=(6, 4))
    sparse = sp.csr_array(X)
    assert with_whole_rows(X) is X
    assert with_whole_rows(sparse) is sparse
    apart = np.asfortranarray(X)
    copy = with_whole_rows(apart)
    assert copy.flags.c_contiguous
    assert_array_equal(copy, X)
    monkeypatch.setattr(batches_module, "LARGEST_COPY", X.nbytes - 1)
    assert with_whole_rows(apart) is apart


@all_layouts
def test_take_rows_copies_nothing_when_it_takes_all(layout, rng):
    X = layout(sparse_rows(rng))
    assert take_rows(X, np.arange(12)) is X
    some = take_rows(X, np.array([7, 2, 5]))
    assert_allclose(some.toarray() if sp.issparse(some) else some, sparse_rows(np.random.RandomState(0))[[7, 2, 5]])


@pytest.mark.parametrize("n_samples", [0, 1, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, 3 * CHUNK_SIZE])
@pytest.mark.parametrize("size", [None, 1000, CHUNK_SIZE + 1])
def test_chunks_cover_every_row_once(n_samples, size):
    rows = np.arange(n_samples)
    slices = chunks(n_samples) if size is None else chunks(n_samples, size)
    pieces = [rows[chunk] for chunk in slices]
    assert_array_equal(np.concatenate([*pieces, []]), rows)
    assert all(0 < len(piece) <= (size or CHUNK_SIZE) for piece in pieces)


# Sums over all rows


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


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_row_space_of_few_rows_holds_them_to_rounding(dtype, rng):
    X = rng.randint(-8, 8, size=(6, 40)).astype(dtype)
    X[3], X[4], X[5] = X[0], 0, X[1] - 1e5 * X[2]
    coordinates, basis = row_space(X)
    eps = np.finfo(np.float64).eps
    assert coordinates.dtype == basis.dtype == np.float64
    assert basis.shape == (40, 3)
    assert_allclose(basis.T @ basis, np.eye(3), atol=20 * eps)
    assert_allclose(coordinates @ basis.T, X, atol=100 * eps * np.abs(X).max(axis=1).max())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_row_space_of_rows_that_nearly_depend_on_each_other(dtype, rng):
    """More of them than are looked at together."""
    X = rng.standard_normal((30, 80)).astype(dtype)
    eps = np.finfo(dtype).eps
    X[[4, 20]] = X[1] + 1e3 * eps * rng.standard_normal((2, 80))
    X[[5, 21]] = X[2]
    coordinates, basis = row_space(X)
    assert basis.shape == (80, 28)
    assert_allclose(basis.T @ basis, np.eye(28), atol=20 * eps)
    assert_allclose(coordinates @ basis.T, X, atol=100 * eps * np.abs(X).max())
