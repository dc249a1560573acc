"""Scores in about twice the precision of float64, and the rounding error of a difference."""

import numpy as np
import scipy.sparse as sp

from linear_hinge.linalg.batches import sparse_slice

ACCURATE_AT_ONCE = 2**17  # products of numbers that are summed up in twice the precision at a time
SPLIT = 2.0**27 + 1  # the factor that splits the 53 digits of a float64


def accurate_product(X, coef, intercept):
    """Compute X W + b in about twice the precision of float64.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        The rows.
    coef : ndarray of shape (n_features, n_scores)
        W.
    intercept : ndarray of shape (n_scores,)
        The intercept b.

    Returns
    -------
    total, rest : ndarray of shape (n_samples, n_scores), dtype=float64
        The scores are the sum of both; ``rest`` is the rounding error of ``total``.

    References
    ----------
    Ogita, Rump and Oishi, Accurate sum and dot product, SIAM J. Sci. Comput. 2005 (Dot2, here with pairwise sums).
    """
    total, rest = np.empty((2, X.shape[0], coef.shape[1]))
    most = np.diff(X.indptr).max(initial=1) if sp.issparse(X) else X.shape[1]
    size = max(1, ACCURATE_AT_ONCE // (int(most) * coef.shape[1]))
    for first in range(0, X.shape[0], size):
        chunk = slice(first, min(first + size, X.shape[0]))
        x, W = _filled_rows(sparse_slice(X, chunk), coef) if sp.issparse(X) else (X[chunk], coef[None])
        terms, errors = _two_product(x[:, :, None].astype(np.float64, copy=False), W)
        while terms.shape[1] > 1:
            if terms.shape[1] % 2:
                terms, errors = (np.pad(part, ((0, 0), (0, 1), (0, 0))) for part in (terms, errors))
            left, right = terms[:, ::2], terms[:, 1::2]
            terms = left + right
            errors = errors[:, ::2] + errors[:, 1::2] + difference_error(left, -right, terms)
        total[chunk] = terms[:, 0] + intercept
        rest[chunk] = errors[:, 0] + difference_error(terms[:, 0], -intercept, total[chunk])
    return total, rest


def difference_error(left, right, difference):
    """Compute the rounding error of ``difference`` = left − right (Knuth's TwoSum)."""
    part = difference - left
    return (left - (difference - part)) - (right + part)


def _filled_rows(X, coef):
    """Return the entries of sparse rows, filled up with zeros to the same number, and their features' coefficients."""
    counts = np.diff(X.indptr)
    is_entry = np.arange(counts.max(initial=1)) < counts[:, None]
    x, features = np.zeros(is_entry.shape), np.zeros(is_entry.shape, X.indices.dtype)
    x[is_entry], features[is_entry] = X.data, X.indices
    return x, coef[features]


def _two_product(a, b):
    """Compute a b and its rounding error (Dekker 1971)."""
    rounded, (a_high, a_low), (b_high, b_low) = a * b, _halves(a), _halves(b)
    return rounded, ((a_high * b_high - rounded) + a_high * b_low + a_low * b_high) + a_low * b_low


def _halves(a):
    """Split a into the sum of two numbers of half as many digits."""
    high = a * SPLIT
    high = high - (high - a)
    return high, a - high
