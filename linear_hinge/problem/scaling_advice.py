"""Advice where a fit gets nowhere, because features have very different scales or rows are too long for alpha."""

import numpy as np
import scipy.sparse as sp

from linear_hinge.kernels.products import squared_transposed_product, weighted_sum

# The scales are to blame if the largest standard deviation of a feature is more than this multiple of the median one.
VERY_DIFFERENT = 1e3

# Features whose median standard deviation is within this factor of one count as scaled.
NEAR_ONE = 3


def advice_on_scales(problem):
    """Write a sentence that names the cause and the cure.

    Parameters
    ----------
    problem : Problem
        The problem whose fit gets nowhere.

    Returns
    -------
    str
        The sentence.
    """
    mean = weighted_sum(problem.X, problem.weights) * problem.fit_intercept
    squares = squared_transposed_product(problem.X, problem.weights[:, None])[:, 0]
    spreads = np.sqrt(np.maximum(squares - mean**2, 0))
    largest, median = spreads.max(), np.median(spreads[spreads > 0]) if spreads.any() else 0.0
    scaler = "MaxAbsScaler" if sp.issparse(problem.X) else "StandardScaler"
    if largest > VERY_DIFFERENT * median:
        return (
            f"the standard deviations of the features go up to {largest:.1e}, with a median of {median:.1e}. Scale the"
            f" features with {scaler}."
        )
    length = np.sqrt((spreads**2).sum())
    is_scaled = 1 / NEAR_ONE <= median <= NEAR_ONE
    return f"alpha={problem.alpha:g} regularises rows with a length of {length:.1e} only weakly. " + (
        "A larger alpha is faster." if is_scaled else f"Scale the features with {scaler}, or increase alpha."
    )
