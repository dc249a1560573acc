"""Products and sums whose every bit is the same on any number of threads.

BLAS splits large products over its threads, and the number of threads changes the rounding. Telling it to use one
thread would change the state of the whole process. Products are therefore made of blocks that are too small for
OpenBLAS to split (it does so beyond 2¹⁸ multiplications), and sums are left to NumPy. Where there is compiled code,
`door` makes the products with sparse matrices, which are SciPy's otherwise, and the largest dense ones.
"""

from functools import lru_cache
from itertools import pairwise

import numpy as np
import scipy.sparse as sp

from linear_hinge.kernels import door

LARGEST_BLOCK = 2**18
FEWEST_ROWS = 32  # of a block, where n_features allows no more
ACCURATE_AT_ONCE = 2**17  # products of numbers that are summed up in twice the precision at a time
COMBINED_AT_ONCE = 2**18  # numbers
WIDENED_AT_ONCE = 2**17  # numbers of X that are converted to float64 at a time
SPLIT = 2.0**27 + 1  # halves the 53 digits of a float64
WORTH_THREADS = 2**20  # multiplications of a dense product that several threads make sooner than BLAS on one


def product(X, coef):
    """X W of shape (n_samples, n_scores), for X dense or CSR and W of shape (n_features, n_scores).

    The product of float32 data with float64 coefficients is summed up in float64.
    """
    if X.dtype == np.float64:
        coef = coef.astype(np.float64, copy=False)
    elif X.dtype != coef.dtype:
        result = np.empty((X.shape[0], coef.shape[1]), np.result_type(X, coef))
        for chunk, rows in widened(X):
            result[chunk] = product(rows, coef)
        return result
    is_large = coef.shape[1] > 1 and X.shape[0] * coef.size >= WORTH_THREADS
    compiled = door.product(X, coef) if sp.issparse(X) or is_large else None
    if compiled is not None:
        return compiled
    if sp.issparse(X):
        return X @ coef
    if coef.shape[1] == 1:
        return np.einsum("ij,j->i", X, coef[:, 0])[:, None]
    if len(X) == 1:
        return np.einsum("j,jk->k", X[0], coef)[None, :]
    row_blocks, feature_blocks = _blocks(X.shape, coef.shape[1])
    result = np.zeros((len(X), coef.shape[1]), dtype=np.result_type(X, coef))
    for rows in row_blocks:
        for features in feature_blocks:
            result[rows] += X[rows, features] @ coef[features]
    return result


def transposed_product(X, dual):
    """Xᵀ G of shape (n_features, n_scores), for X dense or CSR and G of shape (n_samples, n_scores)."""
    if sp.issparse(X):
        compiled = door.exact_transposed_product(X, dual)
        return X.T @ dual if compiled is None else compiled.astype(np.result_type(X, dual), copy=False)
    if dual.shape[1] == 1:
        return np.einsum("ij,i->j", X, dual[:, 0])[:, None]
    if len(X) == 1:
        return np.multiply.outer(X[0], dual[0])
    row_blocks, feature_blocks = _blocks(X.shape, dual.shape[1])
    result = np.zeros((X.shape[1], dual.shape[1]), dtype=np.result_type(X, dual))
    for rows in row_blocks:
        for features in feature_blocks:
            result[features] += X[rows, features].T @ dual[rows]
    return result


def accurate_product(X, coef, intercept):
    """X W + b as the sum of two arrays of shape (n_samples, n_scores), as if in twice the precision of float64.

    References
    ----------
    Ogita, Rump and Oishi, Accurate sum and dot product, SIAM J. Sci. Comput. 2005 (Dot2, here with pairwise sums).
    """
    total, rest = np.empty((2, X.shape[0], coef.shape[1]))
    most = np.diff(X.indptr).max(initial=1) if sp.issparse(X) else X.shape[1]
    size = max(1, ACCURATE_AT_ONCE // (int(most) * coef.shape[1]))
    for first in range(0, X.shape[0], size):
        chunk = slice(first, min(first + size, X.shape[0]))
        x, W = _filled_rows(_sparse_slice(X, chunk), coef) if sp.issparse(X) else (X[chunk], coef[None])
        terms, errors = _two_product(x[:, :, None].astype(np.float64, copy=False), W)
        while terms.shape[1] > 1:
            if terms.shape[1] % 2:
                terms, errors = (np.pad(part, ((0, 0), (0, 1), (0, 0))) for part in (terms, errors))
            left, right = terms[:, ::2], terms[:, 1::2]
            terms = left + right
            errors = errors[:, ::2] + errors[:, 1::2] + difference_error(left, -right, terms)
        total[chunk] = terms[:, 0] + intercept
        rest[chunk] = errors[:, 0] + difference_error(terms[:, 0], -intercept, total[chunk])
    return total, rest


def difference_error(left, right, difference):
    """What rounding left out of ``difference``, which is left − right (Knuth's TwoSum)."""
    part = difference - left
    return (left - (difference - part)) - (right + part)


def _filled_rows(X, coef):
    """The entries of sparse rows, filled up with zeros to the same number, and the coefficients of their features."""
    counts = np.diff(X.indptr)
    is_entry = np.arange(counts.max(initial=1)) < counts[:, None]
    x, features = np.zeros(is_entry.shape), np.zeros(is_entry.shape, X.indices.dtype)
    x[is_entry], features[is_entry] = X.data, X.indices
    return x, coef[features]


def _two_product(a, b):
    """a b rounded, and the rounding error (Dekker 1971)."""
    product, (a_high, a_low), (b_high, b_low) = a * b, _halves(a), _halves(b)
    return product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def _halves(a):
    """Two numbers of half as many digits, whose sum is a."""
    high = a * SPLIT
    high = high - (high - a)
    return high, a - high


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
            yield chunk, (_sparse_slice(X, chunk) if sp.issparse(X) else X[chunk]).astype(np.float64, copy=False)
        else:
            rows = memory[: chunk.stop - first]
            rows[:] = X[chunk]
            yield chunk, rows


def _sparse_slice(X, chunk):
    """These rows of a CSR matrix, which share its memory; SciPy's own slices are copies."""
    begin, end = X.indptr[chunk.start], X.indptr[chunk.stop]
    indptr = X.indptr[chunk.start : chunk.stop + 1] - begin
    shape = chunk.stop - chunk.start, X.shape[1]
    return sp.csr_array((X.data[begin:end], X.indices[begin:end], indptr), shape=shape)


def combination(weights, rows):
    """Σ_i ω_i g_i, shape (n_scores,)."""
    # Along contiguous memory NumPy sums pairwise: a certificate needs all the digits. Copies are small.
    size = max(1, COMBINED_AT_ONCE // rows.shape[1])
    parts = [
        (weights[first : first + size] * np.ascontiguousarray(rows[first : first + size].T)).sum(axis=1)
        for first in range(0, max(1, len(rows)), size)
    ]
    return parts[0] if len(parts) == 1 else np.stack(parts, axis=1).sum(axis=1)


def weighted_mean(weights, values):
    """Σ_i ω_i v_i, a float."""
    return float((weights * values).sum())


def inner(left, right):
    """Σ_ik a_ik b_ik, a float, summed over the rows in float64."""
    return float(np.einsum("ik,ik->i", left, right).sum(dtype=np.float64))


def squared_rows(dual):
    """‖g_i‖² of every row."""
    return np.einsum("ik,ik->i", dual, dual)


@lru_cache
def _blocks(shape, n_scores):
    """Slices of rows and of features, none of a single row unless there is no other."""
    n_rows, n_features = shape
    most_features = max(1, LARGEST_BLOCK // (FEWEST_ROWS * n_scores))
    feature_blocks = _even_slices(n_features, most_features)
    width = feature_blocks[0].stop
    return _even_slices(n_rows, max(2, LARGEST_BLOCK // (width * n_scores))), feature_blocks


def _even_slices(length, most):
    """Slices of nearly the same size, at most ``most``, that cover ``length``, the longest first."""
    n_slices = max(1, -(-length // most))
    size, n_longer = divmod(length, n_slices)
    stops = np.cumsum([0] + [size + 1] * n_longer + [size] * (n_slices - n_longer))
    return [slice(start, stop) for start, stop in pairwise(stops)]
