"""Rows of X in minibatches and in chunks, dense or CSR, and sums Σ_i g_i x_iᵀ over them.

Coefficients are kept transposed, (n_features, n_scores), while they are trained: the scores of one feature lie
side by side, which is what products with CSR rows and updates of single features need.
"""

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.utils.extmath import row_norms

from linear_hinge.kernels import door
from linear_hinge.linalg.products import inner, transposed_product, widened

# Rows that a pass over all data looks at together: enough to keep a matrix product busy, few enough that what
# it needs beside X stays small.
CHUNK_SIZE = 512
ROWS_AT_ONCE = 4096  # of X, where they are copied
NUMBERS_AT_ONCE = 2**15  # of what has n_scores numbers a row, so that copies of it stay in a cache
ROUNDING = 64  # of a row that lies in the span of others, in units of the precision

FEWEST_BLOCKS = 16  # worth being shuffled, instead of single rows

# Dense data whose rows do not lie in one piece are copied up to this number of bytes.
LARGEST_COPY = 2**24


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


def with_whole_rows(X):
    """X, or a copy of it if the entries of its rows lie apart and it is small."""
    is_apart = not sp.issparse(X) and not door.has_whole_rows(X)
    return np.ascontiguousarray(X) if is_apart and X.nbytes <= LARGEST_COPY else X


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


def exact_transposed_product(X, dual, weights=None):
    """Xᵀ G of shape (n_features, n_scores), in float64; the rows of G multiplied by their weights, if there are any."""
    compiled = door.exact_transposed_product(X, dual, weights)
    if compiled is not None:
        return compiled
    dual = dual.astype(np.float64, copy=False) if weights is None else weights[:, None] * dual
    if X.dtype == np.float64:
        return transposed_product(X, dual)
    product = np.zeros((X.shape[1], dual.shape[1]))
    for chunk, rows in widened(X):
        product += transposed_product(rows, dual[chunk])
    return product


def _unique_pieces(X):
    """`widened`, with duplicate entries of a sparse matrix, which products do not mind, summed up."""
    for chunk, rows in widened(X):
        if sp.issparse(X) and not X.has_canonical_format:
            rows = rows.copy()
            rows.sum_duplicates()
        yield chunk, rows


def squared_norms(X):
    """‖x_i‖² in float64, shape (n_samples,); overflow gives inf."""
    return norms_and_bits(X)[0]


def norms_and_bits(X):
    """`squared_norms`, and bits for the features of dense rows that compiled code may leave out; mostly None."""
    compiled = door.norms_and_bits(X)
    if compiled is not None:
        return compiled
    norms = np.empty(X.shape[0])
    for chunk, rows in _unique_pieces(X):
        norms[chunk] = row_norms(rows, squared=True)
    return norms, None


def squared_transposed_product(X, dual):
    """(X ∘ X)ᵀ G of shape (n_features, n_scores), in float64."""
    compiled = door.exact_transposed_product(X, dual, is_squared=True) if sp.issparse(X) else None
    if compiled is not None:
        return compiled
    product = np.zeros((X.shape[1], dual.shape[1]))
    for chunk, rows in _unique_pieces(X):
        squares = rows.multiply(rows).tocsr() if sp.issparse(rows) else np.square(rows)
        product += transposed_product(squares, dual[chunk])
    return product


def row_space(X):
    """The space of few dense rows, by Gram and Schmidt.

    Returns
    -------
    coordinates : ndarray of shape (n_samples, rank)
    basis : ndarray of shape (n_features, rank)
        Orthonormal columns Q, with X = ``coordinates`` Qᵀ.
    """
    basis, coordinates = np.empty(X.shape), np.zeros((len(X), len(X)))
    rank = 0
    for row, along in zip(X.astype(np.float64, copy=False), coordinates, strict=True):
        rest, before, norm = row, np.inf, _norm(row)
        negligible = ROUNDING * np.finfo(float).eps * norm
        while negligible < norm < before / 2:  # what is much shorter than before has lost digits: once more
            part = np.einsum("kj,j->k", basis[:rank], rest)
            along[:rank] += part
            rest = rest - np.einsum("kj,k->j", basis[:rank], part)
            before, norm = norm, _norm(rest)
        if norm > negligible:
            basis[rank], along[rank] = rest / norm, norm
            rank += 1
    return np.ascontiguousarray(coordinates[:, :rank]), np.ascontiguousarray(basis[:rank].T)


def _norm(row):
    """‖x‖, the same on any number of threads."""
    return np.sqrt(np.einsum("j,j->", row, row))


def weighted_sum(X, weights):
    """Σ_i ω_i x_i of shape (n_features,), in float64."""
    return exact_transposed_product(X, weights[:, None])[:, 0]


def shares(weights):
    """Weights divided by their sum, which may be beyond the range of floats."""
    scaled = weights / weights.max(initial=np.finfo(float).tiny)
    return scaled / scaled.sum()
