"""Checks of data from outside, before compiled code reads them by their addresses."""

import numpy as np
import scipy.sparse as sp

# Dense data whose rows do not lie in one piece are copied if they have at most this number of bytes.
LARGEST_COPY = 2**24


def checked_sparse(X):
    """Check the structure of sparse X.

    The check precedes any conversion, because SciPy's own compiled code trusts the indices as well.

    Parameters
    ----------
    X : object
        Anything that a user passes as X.

    Returns
    -------
    object
        X itself, or a sparse array whose parts are copied where compiled code could not read them.

    Raises
    ------
    ValueError
        If X is sparse and its indices are out of range, or do not fit its shape or each other.
    """
    if not sp.issparse(X):
        return X
    _require(len(X.shape) == 2, f"expected 2 dimensions, got {len(X.shape)}")
    if X.format in ("csr", "csc", "bsr"):
        return _checked_compressed(X)
    X = X.tocoo()
    _require(X.data.shape == X.row.shape == X.col.shape, "indices and data differ in length")
    _check_range(X.row, X.shape[0])
    _check_range(X.col, X.shape[1])
    return X


def for_kernels(X):
    """Convert what scikit-learn's validation has let through into numbers that kernels can read.

    Version 1.9 of scikit-learn leaves a sparse DataFrame of bools or integers as it is.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        The validated data.

    Returns
    -------
    ndarray or CSR of shape (n_samples, n_features)
        X itself or a copy, of float32 or float64, whose numbers lie at multiples of their size.
    """
    if X.dtype.char not in "fd":
        return X.astype(np.float64)
    if sp.issparse(X) or (X.flags.aligned and all(stride % X.itemsize == 0 for stride in X.strides)):
        return X
    return np.array(X, order="C")


def _checked_compressed(X):
    data, indices, indptr = X.data, X.indices, X.indptr
    blocks = X.blocksize if X.format == "bsr" else ()
    height, width = blocks or (1, 1)
    n_rows, n_columns = X.shape[0] // height, X.shape[1] // width
    n_lines, n_others = (n_columns, n_rows) if X.format == "csc" else (n_rows, n_columns)
    _require(indptr.dtype.kind in "iu" and indptr.shape == (n_lines + 1,), "indptr has a wrong type or length")
    _require(indptr[0] == 0 and (indptr[1:] >= indptr[:-1]).all(), "indptr does not rise from 0")
    _require(data.shape == indices.shape + blocks, "indices and data differ in length")
    n_entries = int(indptr[-1])
    _require(n_entries <= len(indices), "indptr goes beyond the indices")
    if n_entries < len(indices):
        data, indices = data[:n_entries], indices[:n_entries]
    _check_range(indices, n_others)
    kind = np.int32 if np.can_cast(indices.dtype, np.int32) and np.can_cast(indptr.dtype, np.int32) else np.int64
    dtypes = data.dtype if data.dtype.isnative else data.dtype.newbyteorder("="), kind, kind
    read = [np.require(a, d, "CA") for a, d in zip((data, indices, indptr), dtypes, strict=True)]
    is_same = all(a is b for a, b in zip((X.data, X.indices, X.indptr), read, strict=True))
    return X if is_same else type(X)(tuple(read), shape=X.shape)


def _check_range(index, size):
    _require(index.dtype.kind in "iu" and index.ndim == 1, "indices are not integers")
    _require(index.size == 0 or (index.min() >= 0 and index.max() < size), "indices are out of range")


def _require(condition, what):
    if not condition:
        raise ValueError(f"The sparse X is not valid: {what}.")


def with_whole_rows(X, largest=None):
    """Copy dense X that is not too large if the entries of its rows lie apart.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        The data.
    largest : float, optional
        Most bytes that may be copied; `LARGEST_COPY` by default.

    Returns
    -------
    ndarray or CSR of shape (n_samples, n_features)
        X itself, or a copy in C order.
    """
    largest = LARGEST_COPY if largest is None else largest
    is_apart = not sp.issparse(X) and not has_whole_rows(X)
    return np.ascontiguousarray(X) if is_apart and X.nbytes <= largest else X


def has_whole_rows(X):
    """Return whether the entries of a row lie side by side, which compiled code needs.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        The data.

    Returns
    -------
    bool
        Whether they do, as aligned numbers in the byte order of the machine.
    """
    if sp.issparse(X):
        return X.format == "csr" and all(_is_native(part) and part.flags.c_contiguous for part in (X.data, X.indices))
    return _is_native(X) and X.strides[0] % X.itemsize == 0 and X.strides[1] == X.itemsize


def _is_native(array):
    return array.dtype.isnative and array.flags.aligned
