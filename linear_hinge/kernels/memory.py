"""Coefficients in memory as the kernels want them: rows of whole vectors, which lie on lines of memory."""

import numpy as np

from linear_hinge.kernels import _kernels

VECTOR_BYTES, LINE_BYTES = 32, 64  # as in vectors.h


def padded(coef, dtype=None):
    """A copy of ``coef``, of shape (n_features, n_scores), as the left part of rows of whole vectors."""
    n_features, n_scores = coef.shape
    dtype = np.dtype(dtype or coef.dtype)
    width = whole_vectors(n_scores, dtype.itemsize)
    # No vector across two lines of memory.
    line = LINE_BYTES // dtype.itemsize
    memory = np.zeros(n_features * width + line, dtype=dtype)
    first = -memory.ctypes.data // dtype.itemsize % line
    memory = memory[first : first + n_features * width].reshape(n_features, width)
    memory[:, :n_scores] = coef
    return memory


def whole_vectors(n_scores, itemsize):
    """How many numbers a row has when it is filled up; a single one stays alone."""
    multiple = 1 if n_scores == 1 else VECTOR_BYTES // itemsize
    return -(-n_scores // multiple) * multiple


def is_filled(coef):
    """Whether the rows are whole vectors, side by side."""
    return coef.shape[1] == whole_vectors(coef.shape[1], coef.itemsize) and coef.flags.c_contiguous


def whole_of(coef):
    """The memory that `padded` made, of which these are the first columns; None if they are not."""
    n_features, n_scores = coef.shape
    width, owner = whole_vectors(n_scores, coef.itemsize), coef.base
    if coef.strides != (width * coef.itemsize, coef.itemsize) or not isinstance(owner, np.ndarray) or owner.ndim != 1:
        return None
    first = (coef.ctypes.data - owner.ctypes.data) // coef.itemsize
    if owner.dtype != coef.dtype or not owner.flags.c_contiguous or first + n_features * width > owner.size:
        return None
    return owner[first : first + n_features * width].reshape(n_features, width)


def filled(coef, dtype=None):
    """``coef`` with rows of whole vectors, side by side: itself, what it is the left part of, or a padded copy.

    Where nothing is compiled it is not filled up.
    """
    dtype = np.dtype(dtype or coef.dtype)
    if _kernels is None:
        return coef.astype(dtype, copy=False)
    if coef.dtype == dtype and is_filled(coef):
        return coef
    whole = whole_of(coef) if coef.dtype == dtype else None
    return padded(coef, dtype) if whole is None else whole
