"""What is checked of data from outside before compiled code reads them by their addresses."""

import numpy as np
import scipy.sparse as sp


def checked_sparse(X):
    """X itself, or a sparse array whose parts are copied where compiled code could not read them.

    It comes before any conversion, because SciPy's own compiled code trusts the indices as well.
    """
    if not sp.issparse(X):
        return X
    if X.format == "coo":
        for index, size in ((X.row, X.shape[0]), (X.col, X.shape[1])):
            _check_range(index, size)
            _require(len(index) == len(X.data), "indices and data differ in length")
    if X.format not in ("csr", "csc", "bsr"):
        return X
    _check_compressed(X)
    kind = np.int64 if max(X.indices.itemsize, X.indptr.itemsize) == 8 else np.int32
    dtype = np.float64 if X.data.dtype.kind == "b" else X.data.dtype.newbyteorder("=")
    parts = (X.data, X.indices, X.indptr)
    read = tuple(np.require(a, dtype=d, requirements="CA") for a, d in zip(parts, (dtype, kind, kind), strict=True))
    return X if all(a is b for a, b in zip(parts, read, strict=True)) else type(X)(read, shape=X.shape)


def checked_dense(X):
    """X itself, or a copy if its numbers do not lie at multiples of their size."""
    if sp.issparse(X) or (X.flags.aligned and all(stride % X.itemsize == 0 for stride in X.strides)):
        return X
    return np.array(X, order="C")


def _check_compressed(X):
    height, width = X.blocksize if X.format == "bsr" else (1, 1)
    n_rows, n_columns = X.shape[0] // height, X.shape[1] // width
    n_lines, n_others = (n_columns, n_rows) if X.format == "csc" else (n_rows, n_columns)
    indptr = X.indptr
    _require(indptr.dtype.kind in "iu" and indptr.shape == (n_lines + 1,), "indptr has a wrong type or length")
    _require(indptr[0] == 0 and (indptr[1:] >= indptr[:-1]).all(), "indptr does not rise from 0")
    _require(indptr[-1] <= min(len(X.indices), len(X.data)), "indptr goes beyond the indices or the data")
    _check_range(X.indices[: indptr[-1]], n_others)


def _check_range(index, size):
    _require(index.dtype.kind in "iu" and index.ndim == 1, "indices are not integers")
    _require(index.size == 0 or (index.min() >= 0 and index.max() < size), "indices are out of range")


def _require(condition, what):
    if not condition:
        raise ValueError(f"The sparse X is not valid: {what}.")
