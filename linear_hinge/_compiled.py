"""The compiled minibatch steps, where they are installed: `_kernels` if there was a compiler, None otherwise.

The environment variable LINEAR_HINGE_PURE_PYTHON=1, read at import, leaves them out.
"""

import functools
import os

import joblib
import numpy as np
import scipy.sparse as sp

try:
    from linear_hinge import _kernels
except ImportError:
    _kernels = None
if os.environ.get("LINEAR_HINGE_PURE_PYTHON") == "1":
    _kernels = None

# Multiplications after which control comes back to Python, which sees Ctrl-C: some tenths of a second.
PIECE = 2**28

# A batch needs a number for each of its sparse entries, and a copy of rows whose entries lie apart: it may hold this
# share of all rows, or so few that it does not matter.
LARGEST_SHARE = 0.05
FEW_ROWS = 256

VECTOR_BYTES = 32  # as in _row_loops.h


def is_available():
    """Whether the compiled steps are in use."""
    return _kernels is not None


def max_threads():
    """How many threads a step may use: OpenMP's number, which threadpoolctl and joblib set, or the cores if fewer."""
    return min(_kernels.max_threads(), _cpu_count())


@functools.cache
def _cpu_count():
    return joblib.cpu_count()


def row_loss(loss):
    """The compiled twin of a loss, which has its name; None if there is none."""
    kind = getattr(_kernels, type(loss).__name__, None)
    return None if kind is None else kind()


def padded(coef):
    """A copy of ``coef``, of shape (n_features, n_scores), as the left part of rows of whole vectors."""
    n_features, n_scores = coef.shape
    multiple = 1 if n_scores == 1 else VECTOR_BYTES // coef.itemsize
    memory = np.zeros((n_features, -(-n_scores // multiple) * multiple), dtype=coef.dtype)
    memory[:, :n_scores] = coef
    return memory


def _is_filled(coef):
    """Whether the rows are whole vectors, side by side."""
    is_whole = coef.shape[1] == 1 or coef.shape[1] * coef.itemsize % VECTOR_BYTES == 0
    return is_whole and coef.flags.c_contiguous


def _filled(coef):
    """``coef`` itself if its rows are whole vectors, side by side; otherwise a padded copy."""
    return coef if _is_filled(coef) else padded(coef)


def sweep(ascent, rows, mean):
    """Minibatch steps over these rows, in this order; False if there is no compiled code for them."""
    X, batch_size = ascent.problem.X, ascent.batch_size
    loss = None if _kernels is None else row_loss(ascent.problem.loss)
    is_in_place = _has_whole_rows(X)
    most_rows = max(FEW_ROWS, int(LARGEST_SHARE * X.shape[0]))
    if loss is None or (min(batch_size, len(rows)) > most_rows and (sp.issparse(X) or not is_in_place)):
        return False
    per_row = (X.nnz / X.shape[0] if sp.issparse(X) else X.shape[1]) * ascent.memory.shape[1]
    n_rows = PIECE / (1 + per_row)
    if not is_in_place:
        n_rows = min(n_rows, most_rows)
    n_rows = max(1, int(n_rows / batch_size)) * batch_size
    matrix = _kernels.Rows(X) if is_in_place else None
    for start in range(0, len(rows), n_rows):
        places = piece = rows[start : start + n_rows]
        if not is_in_place:
            matrix, places = _kernels.Rows(np.ascontiguousarray(X[piece])), np.arange(len(piece))
        _kernels.sweep(ascent, loss, matrix, ascent.memory, piece, places, max_threads(), mean)
    return True


def product(X, coef):
    """X W of shape (n_samples, n_scores); None if there is no compiled code for them, or W is not worth filling up."""
    is_small = sp.issparse(X) and X.nnz < len(coef)
    if not _is_suitable(X, coef) or (is_small and not _is_filled(coef)):
        return None
    return _kernels.product(_kernels.Rows(X), _filled(coef), max_threads())[:, : coef.shape[1]]


def transposed_product(X, dual):
    """Xᵀ G of shape (n_features, n_scores); None if there is no compiled code for them."""
    if not _is_suitable(X, dual):
        return None
    return _kernels.transposed_product(_kernels.Rows(X), _filled(dual), max_threads())[:, : dual.shape[1]]


def _is_suitable(X, other):
    return _kernels is not None and X.dtype == other.dtype and X.dtype.char in "fd" and _has_whole_rows(X)


def _has_whole_rows(X):
    """Whether the entries of a row lie side by side."""
    return sp.issparse(X) or X.strides[1] == X.itemsize
