"""Rows of X in minibatches and in chunks, dense or CSR."""

import numpy as np
import scipy.sparse as sp

# Rows that a pass over all data looks at together: enough to keep a matrix product busy, few enough that what
# it needs beside X stays small.
CHUNK_SIZE = 512
ROWS_AT_ONCE = 4096  # of X, where they are copied
NUMBERS_AT_ONCE = 2**15  # of what has n_scores numbers a row, so that copies of it stay in a cache
WIDENED_AT_ONCE = 2**17  # numbers of X that are converted to float64 at a time

FEWEST_BLOCKS = 16  # worth being shuffled, instead of single rows


def shuffled(rows, batch_size, rng, together=1):
    """The row numbers in another order, when there is a generator and more than one batch.

    Blocks of rows that lie side by side are shuffled, each shared by ``together`` batches: of two, one has the even and
    one the odd rows of a block.
    """
    if rng is None or batch_size >= len(rows):
        return rows
    n_blocks = len(rows) // (together * batch_size)
    if together == 1 or n_blocks < FEWEST_BLOCKS:
        return rng.permutation(rows)
    n_whole = n_blocks * together * batch_size
    blocks = rng.permutation(rows[:n_whole].reshape(n_blocks, batch_size, together))
    return np.concatenate([blocks.transpose(0, 2, 1).ravel(), rows[n_whole:]])


def bytes_of_row(X):
    """How much memory a row takes, on average, with indices of 32 bits: those of 64 must not give another model."""
    n_bytes = len(X.data) * (X.data.itemsize + 4) if sp.issparse(X) else X.nbytes
    return n_bytes / X.shape[0]


def minibatches(rows, batch_size, rng=None):
    """Split the row numbers into batches, `shuffled` if there is a generator."""
    rows = shuffled(rows, batch_size, rng)
    for start in range(0, len(rows), batch_size):
        yield rows[start : start + batch_size]


def take_rows(X, rows):
    """The rows of X with these numbers; X itself, not a copy, when a minibatch holds all of them."""
    return X if len(rows) == X.shape[0] else X[rows]


def csr_of(dense):
    """A CSR array of the non-zeros: SciPy's own way goes through coordinates and takes three times as long."""
    is_nonzero = dense != 0
    flat = np.flatnonzero(is_nonzero)
    index_dtype = np.int32 if max(len(flat), dense.shape[1]) <= np.iinfo(np.int32).max else np.int64
    indptr = np.zeros(len(dense) + 1, index_dtype)
    np.cumsum(np.count_nonzero(is_nonzero, axis=1), out=indptr[1:])
    indices = (flat % dense.shape[1]).astype(index_dtype)
    return sp.csr_array((dense.ravel()[flat], indices, indptr), shape=dense.shape)


def chunks(n_samples, size=CHUNK_SIZE):
    """Slices that cover the rows 0 … n_samples − 1."""
    for start in range(0, n_samples, size):
        yield slice(start, min(start + size, n_samples))


def cached_chunks(n_samples, n_scores):
    """The same where each row has n_scores numbers."""
    return chunks(n_samples, max(1, NUMBERS_AT_ONCE // n_scores))


def normalised(weights):
    """Weights divided by their sum, which may be beyond the range of floats."""
    scaled = weights / weights.max(initial=np.finfo(float).tiny)
    return scaled / scaled.sum()


def widened(X):
    """Slices and these rows of X in float64: X is converted in pieces, never whole.

    Dense pieces share memory, so that each is overwritten by the next.
    """
    n_samples = X.shape[0]
    per_row = X.nnz / max(1, n_samples) if sp.issparse(X) else X.shape[1]
    at_once = WIDENED_AT_ONCE / 2 if sp.issparse(X) else WIDENED_AT_ONCE  # of sparse pieces two may be alive
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
    """These rows of a CSR matrix, which share its memory; SciPy's own slices are copies."""
    begin, end = X.indptr[chunk.start], X.indptr[chunk.stop]
    indptr = X.indptr[chunk.start : chunk.stop + 1] - begin
    shape = chunk.stop - chunk.start, X.shape[1]
    return sp.csr_array((X.data[begin:end], X.indices[begin:end], indptr), shape=shape)
