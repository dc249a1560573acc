"""The largest variance of the rows in any direction."""

import numpy as np

from linear_hinge.kernels.products import product, weighted_sum
from linear_hinge.linalg.sums import weighted_mean

POWER_ITERATIONS = 10
SMALLEST_VARIANCE = 1e-10  # in parts of ‖μ‖²


def largest_variance(X, weights, mean):
    """The largest eigenvalue of Σ_i ω_i (x_i − μ)(x_i − μ)ᵀ, by power iterations.

    It is the length σ² of the feature whose coefficient is the intercept: the mean squared norm, its sum over all
    directions, is far too large and makes the rows of a batch resemble each other.
    """
    # Any vector that is not special will do, the same in every call.
    vector = np.random.RandomState(0).standard_normal(X.shape[1])
    value = _length(vector)
    for _ in range(POWER_ITERATIONS):
        if not value > 0:
            return 1.0
        vector = (vector / value).astype(X.dtype)
        along = product(X, vector[:, None])[:, 0] - (mean * vector).sum()
        vector = weighted_sum(X, weights * along)
        vector -= mean * weighted_mean(weights, along)
        value = _length(vector)
    # Where there is no variance beyond rounding, every length serves.
    return value if value > SMALLEST_VARIANCE * float((mean * mean).sum()) else 1.0


def _length(vector):
    """‖v‖."""
    return float(np.sqrt((vector * vector).sum(dtype=np.float64)))
