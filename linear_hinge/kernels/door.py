"""The only callers of compiled code, which check memory and types and cut the work into pieces that Ctrl-C can end.

A function here has the name and the arguments of the function in `kernels` that it serves, and describes only what
differs. Where there is no compiled code for its arguments it returns None, or False if it works in place. The modules
of `kernels` then compute the same in NumPy, so that no caller has to ask.
"""

import numpy as np
import scipy.sparse as sp

from linear_hinge.kernels import _kernels
from linear_hinge.kernels.layout import has_whole_rows
from linear_hinge.kernels.memory import filled, is_filled, whole_vectors
from linear_hinge.kernels.threads import max_threads, team
from linear_hinge.linalg.batches import chunks, rows_of_block
from linear_hinge.linalg.sums import weighted_rows

# After this number of multiplications, some tenths of a second, control returns to Python, which sees Ctrl-C.
PIECE = 2**28

# Threads that need more than this time for a multiplication of a minibatch step, in seconds, wait for each other in
# vain: other processes keep the cores busy, and every step may take a time slice. One thread needs a fraction of it.
PATIENCE = 1e-9

# Newton systems of float32 data are solved in float64 if the rows have at most this number of entries, a copy of 16 MB.
LARGEST_WIDENED = 2**21

# A batch of rows whose entries lie apart is copied if it holds at most `LARGEST_SHARE` of all rows, or `FEW_ROWS`.
LARGEST_SHARE = 0.05
FEW_ROWS = 256

# The subgradients of this number of rows are multiplied by their weights at a time: memory that is touched for the
# first time is slow, in a virtual machine up to a hundred times as slow as a cache.
WEIGHTED_ROWS = 2048

# In a transposed product with dense rows, G may have this share of non-zeros: with more, blocks of BLAS are faster.
LARGEST_DENSITY = 0.25

# Rounding may make a pivot zero or negative: it is at least this share of the diagonal.
SMALLEST_PIVOT = 1e-12


def row_loss(loss):
    """Return the row kernel that the class of a loss names; None if there is none."""
    name = vars(type(loss)).get("row_kernel")  # not that of a parent, which computes something else
    return None if _kernels is None or name is None else getattr(_kernels, name)(loss.smallest_curvature, loss.costs)


def rows_of(X):
    """Return the compiled view of X, where the entries of its rows lie side by side; None otherwise."""
    return _kernels.Rows(X) if _is_suitable(X, X) else None


def sweep(state, loss, X, matrix, rows, mean=None):
    """Make the steps of `dual_step.sweep`, with ``matrix`` the `rows_of` X; return whether there is code for them."""
    twin = row_loss(loss)
    is_in_place = has_whole_rows(X)
    most_rows = max(FEW_ROWS, int(LARGEST_SHARE * X.shape[0]))
    is_copied = not is_in_place and not sp.issparse(X) and min(state.batch_size, len(rows)) <= most_rows
    if twin is None or not (is_in_place or is_copied):
        return False
    n_rows = _rows_of_a_piece(X, state.memory.shape[1])
    if not is_in_place:
        n_rows = min(n_rows, most_rows)
    n_rows = max(1, int(n_rows / state.batch_size)) * state.batch_size
    for start in range(0, len(rows), n_rows):
        places = piece = rows[start : start + n_rows]
        if not is_in_place:
            matrix, places = _kernels.Rows(np.ascontiguousarray(X[piece])), np.arange(len(piece))
        lost = _kernels.sweep(state, twin, matrix, state.memory, piece, places, max_threads(), PATIENCE, mean)
        if lost > 0:
            team.rest(lost)
    return True


def product(X, coef):
    """Compute `products.product`, unless W has more rows than a sparse X has entries and would have to be filled up."""
    is_small = sp.issparse(X) and X.nnz < len(coef)
    if not _is_suitable(X, coef) or (is_small and not is_filled(coef)):
        return None
    rows, W, n_threads = _kernels.Rows(X), filled(coef), max_threads()
    scores = [_kernels.product(rows, W, first, last, n_threads) for first, last in _pieces(X, W)]
    return (scores[0] if len(scores) == 1 else np.concatenate(scores))[:, : coef.shape[1]]


def exact_transposed_product(X, dual, weights=None, *, is_squared=False):
    """Compute `products.exact_transposed_product`, or `squared_transposed_product` if ``is_squared``.

    There is compiled code for dense X where G is mostly zero, and for squares of sparse X without duplicate entries.
    """
    if not _is_suitable(X, X):
        return None
    if not sp.issparse(X):
        is_nonzero = dual != 0
        if np.count_nonzero(is_nonzero) > LARGEST_DENSITY * dual.size:
            return None
        sums = np.zeros((dual.shape[1], X.shape[1]))
        # The kernel visits the rows once for every class and every block of columns: not those of a file.
        for piece in chunks(len(X), rows_of_block(X) or max(1, len(X))):
            values = dual[piece][is_nonzero[piece]].astype(np.float64, copy=False)
            pairs = entries(X[piece], np.arange(len(X[piece])), is_nonzero[piece])
            if weights is not None:
                values *= np.repeat(weights[piece], pairs.counts)
            sums += pairs.sums(values, is_squared)
        return sums.T
    if is_squared and not X.has_canonical_format:
        return None
    rows = _kernels.Rows(X)
    sums = np.zeros((X.shape[1], whole_vectors(dual.shape[1], 8)))
    for first, last in _pieces(X, sums, WEIGHTED_ROWS):
        G = filled(weighted_rows(dual[first:last], None if weights is None else weights[first:last]))
        _kernels.add_transposed_product(rows, G, first, is_squared, sums)
    return sums[:, : dual.shape[1]]


def squared_norms(X):
    """Compute `products.squared_norms`."""
    if not _is_suitable(X, X):
        return None
    rows = _kernels.Rows(X)
    if sp.issparse(X):
        return _kernels.sparse_norms(rows)
    norms = np.empty(len(X))
    for first, last in _pieces(X, norms[:, None]):
        _kernels.dense_norms(rows, first, last, max_threads(), norms)
    return norms


def mean_losses(loss, X, matrix, coef, intercept, y, weights, margins):
    """Compute `row_losses.mean_losses`, with ``matrix`` the `rows_of` X."""
    twin = row_loss(loss)
    if twin is None or not _is_suitable(X, coef) or coef.dtype != intercept.dtype:
        return None
    coef, n_threads = filled(coef), max_threads()
    data = matrix, twin, coef, intercept, y.astype(np.int64, copy=False), weights, margins
    return sum(_kernels.mean_losses(*data, *piece, n_threads) for piece in _pieces(X, coef))


def _pieces(X, W, most=PIECE):
    """Return where pieces of the rows begin and end; Ctrl-C is seen between them."""
    size = min(_rows_of_a_piece(X, W.shape[1]), most)
    return [(first, min(first + size, X.shape[0])) for first in range(0, max(1, X.shape[0]), size)]


def _rows_of_a_piece(X, width):
    """Return how many rows of X make about `PIECE` multiplications with a W of this width."""
    return max(1, int(PIECE / (1 + _entries_of_a_row(X) * width)))


def _entries_of_a_row(X):
    return X.nnz / max(1, X.shape[0]) if sp.issparse(X) else X.shape[1]


def entries(X, rows, mask, most_copied=0):
    """Return the compiled pairs of rows and classes that ``mask`` marks; None if there is no code for them.

    Rows whose entries lie apart are copied if they are at most the share ``most_copied`` of all rows. There is no code
    for sparse rows with duplicate entries, because of their squares.
    """
    if _kernels is None or X.dtype.char not in "fd" or (sp.issparse(X) and not X.has_canonical_format):
        return None
    if not has_whole_rows(X):
        if sp.issparse(X) or len(rows) > most_copied * len(X):
            return None
        X, rows = np.ascontiguousarray(X[rows]), np.arange(len(rows))
    if X.dtype == np.float32 and 0 < len(rows) * _entries_of_a_row(X) <= LARGEST_WIDENED:
        X = X[rows].astype(np.float64) if sp.issparse(X) else np.array(X[rows], np.float64, order="C")
        rows = np.arange(len(rows))
    return _kernels.Entries(_kernels.Rows(X), mask, rows, max_threads())


def newton_system(pairs, stiffness, mean, *, alpha, damping, sums_to_zero, fit_intercept):
    """Return the compiled system over `entries`."""
    return _kernels.System(pairs, stiffness, mean, alpha, damping, sums_to_zero, fit_intercept)


def class_blocks(pairs, own, mean, *, alpha, damping, fit_intercept):
    """Compute `block_factors` of a system over `entries`."""
    added = alpha, damping if fit_intercept else 1
    own, mean = own.astype(np.float64), mean.astype(np.float64)
    return _kernels.class_blocks(pairs, own, mean, *added, fit_intercept, SMALLEST_PIVOT, max_threads())


def prox_steps(loss, dual, scores, y, curvature, margin):
    """Compute `row_losses.prox_steps`."""
    twin = row_loss(loss)
    if twin is None or not _are_floats(dual, scores):
        return None
    return _kernels.prox_steps(twin, dual, scores, y.astype(np.int64, copy=False), curvature, margin, max_threads())


def climb(loss, gram, scores, y, weights, alpha, margin, limits):
    """Make the steps of `batch_climb.climb` with a Gram matrix and its constants, ``limits``."""
    twin = row_loss(loss)
    if twin is None:
        return None
    arrays = (np.ascontiguousarray(array, dtype=np.float64) for array in (gram, scores))
    y, weights = y.astype(np.int64, copy=False), weights.astype(np.float64, copy=False)
    dual = _kernels.climb(twin, *arrays, y, weights, alpha, margin, limits)
    return dual.astype(scores.dtype, copy=False)


def absorb(state, loss, X, rows, y, weights, alpha, margin, average, batch_size, largest_scale, limits):
    """Make the steps of `stream_step.sweep` over sparse rows; return whether there is code for them."""
    twin, iterate = row_loss(loss), state.iterate
    if twin is None or not sp.issparse(X) or not _moves_on(iterate, X):
        return False
    numbers = np.array([*_numbers_of(iterate), state.weight_seen])
    arrays = *_arrays_of(iterate), state.imbalance, state.centre, numbers
    constants = alpha, margin, state.sigma2, largest_scale, state.n_seen, int(average)
    y, weights = y.astype(np.int64, copy=False), weights.astype(np.float64, copy=False)
    _kernels.absorb(twin, _kernels.Rows(X), rows, batch_size, y, weights, *arrays, *constants, limits)
    state.weight_seen = float(numbers[-1])
    _keep(state, numbers, rows, batch_size)
    return True


def descend(state, loss, X, rows, y, weights, etas, alpha, margin, fit_intercept, average, batch_size, largest_scale):
    """Make the steps of `subgradient_step.sweep`; return whether there is code for them."""
    twin, iterate = row_loss(loss), state.iterate
    if twin is None or not _moves_on(iterate, X):
        return False
    coef, lag, *intercepts = _arrays_of(iterate)
    # Dense rows make sums of whole vectors; a copy of W for sparse rows could cost more than the steps.
    moved = (coef, lag) if sp.issparse(X) else (filled(coef), None if lag is None else filled(lag))
    numbers = np.array(_numbers_of(iterate))
    arrays = *moved, *intercepts, numbers
    constants = alpha, margin, fit_intercept, largest_scale, state.n_seen, int(average)
    y, weights = y.astype(np.int64, copy=False), weights.astype(np.float64, copy=False)
    _kernels.descend(twin, _kernels.Rows(X), rows, batch_size, y, weights, etas, *arrays, *constants)
    for array, wide in zip((coef, lag), moved, strict=True):
        if array is not wide:
            array[:] = wide[:, : array.shape[1]]
    _keep(state, numbers, rows, batch_size)
    return True


def _moves_on(iterate, X):
    """Return whether there are compiled steps of an iterate on these rows."""
    coef, lag = iterate.unscaled, iterate.lag
    is_whole = coef.flags.c_contiguous and (lag is None or lag.flags.c_contiguous)
    return is_whole and coef.size > 0 and _is_suitable(X, coef)


def _arrays_of(iterate):
    return iterate.unscaled, iterate.lag, iterate.intercept, iterate.average_intercept


def _numbers_of(iterate):
    return float(iterate.scale), float(iterate.scale_sum), float(iterate.n_averaged)


def _keep(state, numbers, rows, batch_size):
    """Write the numbers of the iterate after a sweep over some rows into the state, and count its steps and rows."""
    iterate = state.iterate
    iterate.scale, iterate.scale_sum, n_averaged = numbers[:3].tolist()
    iterate.n_averaged = int(n_averaged)
    state.t += -(-len(rows) // batch_size)
    state.n_seen += len(rows)


def add_product(coef, X_batch, dual, scale):
    """Compute `direction.add_product` with sparse rows; return whether there is code for them."""
    is_sparse = sp.issparse(X_batch) and coef.flags.c_contiguous and dual.flags.c_contiguous
    if not is_sparse or dual.dtype != coef.dtype or not _is_suitable(X_batch, coef):
        return False
    _kernels.add_rows(_kernels.Rows(X_batch), dual, scale, coef)
    return True


def _are_floats(*arrays):
    return arrays[0].dtype.char in "fd" and len({array.dtype for array in arrays}) == 1


def _is_suitable(X, other):
    return _kernels is not None and X.dtype == other.dtype and X.dtype.char in "fd" and has_whole_rows(X)
