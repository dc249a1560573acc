"""Rows of X in minibatches and in chunks, dense or CSR."""

import mmap

import numpy as np
import scipy.sparse as sp

# Rows that a pass over all data processes together: enough for a fast matrix product, and few enough that it needs
# little memory beside X.
CHUNK_SIZE = 512
ROWS_AT_ONCE = 4096  # rows of X that are copied at a time
NUMBERS_AT_ONCE = 2**15  # numbers of an array with n_scores numbers in a row, so that copies of them stay in a cache
WIDENED_AT_ONCE = 2**17  # numbers of X that are converted to float64 at a time

# Data of more than `LARGE_BYTES` may lie in a file: they are visited block by block, a few of them at a time.
LARGE_BYTES, BLOCK_BYTES, BLOCKS_AT_ONCE = 2**30, 2**24, 8
PAGE_BYTES = 4096
ASKED_BYTES = 2**17  # a system may read only the first part of what it is asked for at a time

FEWEST_BLOCKS = 16  # fewer blocks are not shuffled; single rows are


def shuffled(rows, batch_size, rng, together=1):
    """Shuffle row numbers, if there is a generator and more than one batch.

    Parameters
    ----------
    rows : ndarray of shape (n_rows,)
        Row numbers.
    batch_size : int
        Rows of a batch.
    rng : RandomState or None
        The generator.
    together : int
        If it is more than 1, blocks of rows that lie side by side are shuffled, each for ``together`` batches. Of two
        batches, one has the even and one the odd rows of a block.

    Returns
    -------
    ndarray of shape (n_rows,)
        The row numbers in another order.
    """
    if rng is None or batch_size >= len(rows):
        return rows
    n_blocks = len(rows) // (together * batch_size)
    if together == 1 or n_blocks < FEWEST_BLOCKS:
        return rng.permutation(rows)
    n_whole = n_blocks * together * batch_size
    blocks = rng.permutation(rows[:n_whole].reshape(n_blocks, batch_size, together))
    return np.concatenate([blocks.transpose(0, 2, 1).ravel(), rows[n_whole:]])


def rows_of_block(X):
    """Return how many rows make a block of data that may be too large for memory; None for smaller data.

    That goes by the size alone: data in memory and in a file give the same model.
    """
    size = bytes_of_row(X)
    return max(1, int(BLOCK_BYTES / size)) if size * X.shape[0] > LARGE_BYTES else None


def shuffled_in_blocks(rows, n_together, rng):
    """Groups of row numbers in another order, each from `BLOCKS_AT_ONCE` blocks of ``n_together`` rows.

    The blocks of a group are drawn from all, so that a group of data in the order of their classes has several.
    """
    if rng is None:
        return np.split(rows, np.flatnonzero(np.diff(rows // (n_together * BLOCKS_AT_ONCE))) + 1)
    n_blocks = int(rows.max(initial=0)) // n_together + 1
    group_of_block = rng.permutation(n_blocks) // BLOCKS_AT_ONCE
    mixed = rng.permutation(rows)
    groups = group_of_block[mixed // n_together]
    order = np.argsort(groups, kind="stable")
    return np.split(mixed[order], np.flatnonzero(np.diff(groups[order])) + 1)


def read_blocks(X, rows, n_together):
    """Read the blocks of dense rows in the order of their places: a file is read faster so than row by row."""
    if sp.issparse(X) or not X.flags.c_contiguous:
        return
    mapping = _mapping_of(X)
    for number in np.unique(rows // n_together):
        block = X[number * n_together : (number + 1) * n_together]
        if mapping is not None:
            _ask_for(mapping, block)
        block.reshape(-1)[:: PAGE_BYTES // X.itemsize].max()


def _mapping_of(X):
    """Return the memory map that an array lies in; None for an array in memory, and where maps take no advice."""
    while isinstance(X, np.ndarray | memoryview):
        X = X.base if isinstance(X, np.ndarray) else X.obj
    return X if isinstance(X, mmap.mmap) and hasattr(mmap, "MADV_WILLNEED") else None


def _ask_for(mapping, block):
    """Ask the system to read a block of a file, and nothing around it, which it does where pages are touched."""
    start = block.ctypes.data - np.frombuffer(mapping, np.uint8).ctypes.data
    first, end = start // mmap.PAGESIZE * mmap.PAGESIZE, start + block.nbytes
    for place in range(first, end, ASKED_BYTES):
        mapping.madvise(mmap.MADV_WILLNEED, place, min(ASKED_BYTES, end - place))


def some_rows(X, n_together):
    """Numbers of as many rows as a block has, from `BLOCKS_AT_ONCE` places, evenly spaced."""
    first = np.linspace(0, X.shape[0] - n_together, BLOCKS_AT_ONCE).astype(np.intp)
    return np.unique(first[:, None] + np.arange(max(1, n_together // BLOCKS_AT_ONCE)))


def bytes_of_row(X):
    """Return the mean number of bytes of a row, with 32 bits for an index: those of 64 must not give another model."""
    n_bytes = len(X.data) * (X.data.itemsize + 4) if sp.issparse(X) else X.nbytes
    return n_bytes / max(1, X.shape[0])


def minibatches(rows, batch_size, rng=None):
    """Yield batches of row numbers, `shuffled` if there is a generator."""
    rows = shuffled(rows, batch_size, rng)
    for start in range(0, len(rows), batch_size):
        yield rows[start : start + batch_size]


def take_rows(X, rows):
    """Return the rows of X with these numbers; if a minibatch holds all rows, that is X itself and not a copy."""
    return X if len(rows) == X.shape[0] else X[rows]


def csr_of(dense):
    """Return a CSR array of the non-zeros. SciPy's conversion goes through coordinates and is three times as slow."""
    is_nonzero = dense != 0
    flat = np.flatnonzero(is_nonzero)
    index_dtype = np.int32 if max(len(flat), dense.shape[1]) <= np.iinfo(np.int32).max else np.int64
    indptr = np.zeros(len(dense) + 1, index_dtype)
    np.cumsum(np.count_nonzero(is_nonzero, axis=1), out=indptr[1:])
    indices = (flat % dense.shape[1]).astype(index_dtype)
    return sp.csr_array((dense.ravel()[flat], indices, indptr), shape=dense.shape)


def chunks(n_samples, size=CHUNK_SIZE):
    """Yield slices that cover the rows 0 … n_samples − 1."""
    for start in range(0, n_samples, size):
        yield slice(start, min(start + size, n_samples))


def cached_chunks(n_samples, n_scores):
    """Yield slices of so few rows, of n_scores numbers each, that they stay in a cache."""
    return chunks(n_samples, max(1, NUMBERS_AT_ONCE // n_scores))


def normalised(weights):
    """Divide weights by their sum, which may be beyond the range of floats."""
    scaled = weights / weights.max(initial=np.finfo(float).tiny)
    return scaled / scaled.sum()


def widened(X):
    """Yield slices, and the rows of X in them as float64: X is converted in pieces, never as a whole.

    All dense pieces use the same memory, so that each is overwritten by the next. Sparse pieces have at least as many
    entries as X has columns, because the sum of their products with W would otherwise cost more than the products.
    """
    n_samples = X.shape[0]
    per_row = X.nnz / max(1, n_samples) if sp.issparse(X) else X.shape[1]
    # Two sparse pieces may be alive.
    at_once = max(WIDENED_AT_ONCE / 2, X.shape[1]) if sp.issparse(X) else WIDENED_AT_ONCE
    size = max(1, int(at_once / max(1, per_row)))
    is_given = sp.issparse(X) or X.dtype == np.float64
    memory = None if is_given else np.empty((min(size, n_samples), X.shape[1]))
    for first in range(0, n_samples, size):
        chunk = slice(first, min(first + size, n_samples))
        if is_given:
            yield chunk, (sparse_slice(X, chunk) if sp.issparse(X) else X[chunk]).astype(np.float64, copy=False)
        else:
            rows = memory[: chunk.stop - first]
            rows[:] = X[chunk]
            yield chunk, rows


def sparse_slice(X, chunk):
    """Return some rows of a CSR matrix. SciPy copies them if they are less than half of its entries."""
    begin, end = X.indptr[chunk.start], X.indptr[chunk.stop]
    indptr = X.indptr[chunk.start : chunk.stop + 1] - begin
    shape = chunk.stop - chunk.start, X.shape[1]
    return sp.csr_array((X.data[begin:end], X.indices[begin:end], indptr), shape=shape)
