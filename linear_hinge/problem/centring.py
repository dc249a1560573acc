"""A shift of rows that are so far from zero that half of their digits say nothing else."""

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from linear_hinge.kernels.products import squared_norms, weighted_sum
from linear_hinge.linalg.batches import take_rows

LOOKED_AT = 64  # number of rows that show a large common shift


def centred(problem):
    """Return an equivalent problem whose rows are near zero.

    It is the same problem, unless a shift that is common to all rows takes half of their digits. The test looks at
    some of the rows. Only an intercept can take up the shift, and it costs a copy of X: the mean is subtracted from
    dense rows. Sparse rows would not stay sparse; those of float32 become float64, those of float64 stay as they are.

    Parameters
    ----------
    problem : Problem
        The problem of the given rows.

    Returns
    -------
    Problem
        The problem of the shifted rows.
    """
    X = problem.X
    is_wide = X.dtype == np.float64
    if not problem.fit_intercept or (sp.issparse(X) and is_wide) or not _is_far_from_zero(problem):
        return problem
    if sp.issparse(X):
        wide = type(X)((X.data.astype(np.float64), X.indices, X.indptr), shape=X.shape)
        return replace(problem, X=wide, given_X=X)
    shift = weighted_sum(X, problem.weights)
    rows = np.empty(X.shape)
    np.subtract(X, shift, out=rows)
    return replace(problem, X=rows, shift=shift, given_X=X)


def _is_far_from_zero(problem):
    """Return whether the mean of some rows is so long, beside their distance from it, that half the digits are lost."""
    X = problem.X
    some = take_rows(X, problem.rows[:: max(1, len(problem.rows) // LOOKED_AT)]).astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = np.asarray(some.mean(axis=0)).ravel()
        squared = mean @ mean
        spread = squared_norms(some).mean() - squared if sp.issparse(X) else np.square(some - mean).sum(axis=1).mean()
    return squared > max(spread, 0) / np.sqrt(np.finfo(X.dtype).eps)
