"""Sums whose every bit is the same on any number of threads: they are left to NumPy, which has one."""

import numpy as np

COMBINED_AT_ONCE = 2**18  # numbers


def combination(factors, rows):
    """Σ_i a_i g_i of some factors a_i, shape (n_scores,)."""
    # Along contiguous memory NumPy sums pairwise: a certificate needs all the digits. Copies are small.
    size = max(1, COMBINED_AT_ONCE // rows.shape[1])
    parts = [
        (factors[first : first + size] * np.ascontiguousarray(rows[first : first + size].T)).sum(axis=1)
        for first in range(0, max(1, len(rows)), size)
    ]
    return parts[0] if len(parts) == 1 else np.stack(parts, axis=1).sum(axis=1)


def weighted_mean(weights, values):
    """Σ_i ω_i v_i, a float."""
    return float((weights * values).sum())


def inner(left, right):
    """Σ_ik a_ik b_ik, a float, summed over the rows in float64."""
    return float(np.einsum("ik,ik->i", left, right).sum(dtype=np.float64))


def squared_rows(dual):
    """‖g_i‖² of every row."""
    return np.einsum("ik,ik->i", dual, dual)
