"""Coefficients in memory as the kernels need them: rows of whole vectors, none of which crosses a line of memory."""

import numpy as np

from linear_hinge.kernels import _kernels

VECTOR_BYTES, LINE_BYTES = 32, 64  # as in vectors.h


def padded(coef, dtype=None):
    """Copy coefficients into the left part of rows of whole vectors.

    Parameters
    ----------
    coef : ndarray of shape (n_features, n_scores)
        The transposed coefficients.
    dtype : dtype, optional
        The dtype of the copy, by default that of ``coef``.

    Returns
    -------
    ndarray of shape (n_features, width)
        The coefficients in the first n_scores columns, and zeros in the others.
    """
    n_features, n_scores = coef.shape
    dtype = np.dtype(dtype or coef.dtype)
    width = whole_vectors(n_scores, dtype.itemsize)
    # No vector may cross two lines of memory.
    line = LINE_BYTES // dtype.itemsize
    memory = np.zeros(n_features * width + line, dtype=dtype)
    first = -memory.ctypes.data // dtype.itemsize % line
    memory = memory[first : first + n_features * width].reshape(n_features, width)
    memory[:, :n_scores] = coef
    return memory


def whole_vectors(n_scores, itemsize):
    """Compute the width of a row that is filled up to whole vectors.

    Parameters
    ----------
    n_scores : int
        Numbers of the row.
    itemsize : int
        Bytes of a number.

    Returns
    -------
    int
        The width, in numbers. A single number stays alone.
    """
    multiple = 1 if n_scores == 1 else VECTOR_BYTES // itemsize
    return -(-n_scores // multiple) * multiple


def is_filled(coef):
    """Return whether rows are whole vectors and lie side by side.

    Parameters
    ----------
    coef : ndarray of shape (n_features, width)
        The rows.

    Returns
    -------
    bool
        Whether they are and do.
    """
    return coef.shape[1] == whole_vectors(coef.shape[1], coef.itemsize) and coef.flags.c_contiguous


def whole_of(coef):
    """Find the memory that `padded` made, given its first columns.

    Parameters
    ----------
    coef : ndarray of shape (n_features, n_scores)
        The columns.

    Returns
    -------
    ndarray of shape (n_features, width) or None
        A view of the memory; None if the columns are not part of such memory.
    """
    n_features, n_scores = coef.shape
    width, owner = whole_vectors(n_scores, coef.itemsize), coef.base
    if coef.strides != (width * coef.itemsize, coef.itemsize) or not isinstance(owner, np.ndarray) or owner.ndim != 1:
        return None
    first = (coef.ctypes.data - owner.ctypes.data) // coef.itemsize
    if owner.dtype != coef.dtype or not owner.flags.c_contiguous or first + n_features * width > owner.size:
        return None
    return owner[first : first + n_features * width].reshape(n_features, width)


def filled(coef, dtype=None):
    """Return coefficients with rows of whole vectors, side by side; without compiled code, of their own width.

    Parameters
    ----------
    coef : ndarray of shape (n_features, n_scores)
        The transposed coefficients.
    dtype : dtype, optional
        The dtype of the result, by default that of ``coef``.

    Returns
    -------
    ndarray of shape (n_features, width)
        ``coef`` itself, the memory of which it is the left part, or a copy.
    """
    dtype = np.dtype(dtype or coef.dtype)
    if _kernels is None:
        return coef.astype(dtype, copy=False)
    if coef.dtype == dtype and is_filled(coef):
        return coef
    whole = whole_of(coef) if coef.dtype == dtype else None
    return padded(coef, dtype) if whole is None else whole
