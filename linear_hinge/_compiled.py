"""The compiled minibatch steps, where they are installed: `_kernels` if there was a compiler, None otherwise.

The environment variable LINEAR_HINGE_PURE_PYTHON=1, read at import, leaves them out.
"""

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

# Of the rows, in a batch that is copied.
LARGEST_SHARE = 0.05
FEW_ROWS = 256

VECTOR_BYTES = 32  # as in _row_loops.h


def is_available():
    """Whether the compiled steps are in use."""
    return _kernels is not None


def max_threads():
    """How many threads a step may use: OpenMP's number, which threadpoolctl and joblib set, or the cores if fewer."""
    return min(_kernels.max_threads(), joblib.cpu_count())


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


def sweep(ascent, rows, mean):
    """Minibatch steps over these rows, in this order; False if there is no compiled code for them."""
    X, batch_size = ascent.problem.X, ascent.batch_size
    loss = None if _kernels is None else row_loss(ascent.problem.loss)
    if loss is None or not _fits(X, min(batch_size, len(rows))):
        return False
    per_row = (X.nnz / X.shape[0] if sp.issparse(X) else X.shape[1]) * ascent.memory.shape[1]
    n_rows = max(1, int(PIECE / (1 + per_row) / batch_size)) * batch_size
    for start in range(0, len(rows), n_rows):
        _kernels.sweep(ascent, loss, ascent.memory, rows[start : start + n_rows], max_threads(), mean)
    return True


def _fits(X, size):
    """Whether what a batch needs is small beside X: its sparse entries are renumbered, and scattered ones copied."""
    in_place = not sp.issparse(X) and X.strides[1] == X.itemsize
    return in_place or size <= max(FEW_ROWS, LARGEST_SHARE * X.shape[0])
