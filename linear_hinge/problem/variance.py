"""The largest variance of the rows in any direction."""

import numpy as np

from linear_hinge.kernels.products import product, weighted_sum
from linear_hinge.linalg.sums import weighted_mean

POWER_ITERATIONS = 10
SMALLEST_VARIANCE = 1e-10  # as a share of ‖μ‖²


def largest_variance(X, weights, mean):
    """Compute the largest eigenvalue of Σ_i ω_i (x_i − μ)(x_i − μ)ᵀ, by power iterations.

    It is the squared length σ² of the feature whose coefficient is the intercept. The mean squared norm, which is the
    sum of all eigenvalues, would be far too large and make the rows of a batch resemble each other.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        The rows x_i.
    weights : ndarray of shape (n_samples,)
        The ω_i, which sum to one.
    mean : ndarray of shape (n_features,)
        The mean μ = Σ_i ω_i x_i.

    Returns
    -------
    float
        An estimate from below, in the squared units of X; 1 where rounding leaves no variance.

    References
    ----------
    Golub and Van Loan, Matrix Computations, 2013, section 8.2 (the power method).
    """
    # Any vector will do, as long as it is the same in every call.
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
    # Where there is no variance beyond rounding, any length will do.
    return value if value > SMALLEST_VARIANCE * float((mean * mean).sum()) else 1.0


def _length(vector):
    """Return ‖v‖."""
    return float(np.sqrt((vector * vector).sum(dtype=np.float64)))
