"""Rows in batches and chunks."""

import numpy as np
import pytest
import scipy.sparse as sp
from layouts import all_layouts, sparse_rows
from numpy.testing import assert_allclose, assert_array_equal

from linear_hinge.linalg import batches as batches_module
from linear_hinge.linalg.batches import (
    CHUNK_SIZE,
    FEWEST_BLOCKS,
    bytes_of_row,
    chunks,
    csr_of,
    minibatches,
    shuffled,
    take_rows,
)


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


# Data that may lie in a file


@pytest.mark.parametrize("shuffles", [True, False])
def test_groups_of_blocks_hold_every_row_once(shuffles, rng):
    rows = np.flatnonzero(rng.uniform(size=1000) < 0.7)
    groups = batches_module.shuffled_in_blocks(rows, 10, rng if shuffles else None)
    assert_array_equal(np.sort(np.concatenate(groups)), rows)
    for group in groups:
        assert len(np.unique(group // 10)) <= batches_module.BLOCKS_AT_ONCE
    if shuffles:
        assert any((np.diff(group) < 0).any() for group in groups)
        assert any(np.ptp(group) > 500 for group in groups)  # from distant places


def test_only_large_data_have_blocks(monkeypatch):
    X = np.zeros((1000, 16))
    assert batches_module.rows_of_block(X) is None
    monkeypatch.setattr(batches_module, "LARGE_BYTES", X.nbytes - 1)
    monkeypatch.setattr(batches_module, "BLOCK_BYTES", 1280)
    assert batches_module.rows_of_block(X) == 10
