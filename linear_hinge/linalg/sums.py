"""Sums with the same bits on any number of threads: NumPy computes them, on one thread."""

import numpy as np

COMBINED_AT_ONCE = 2**18  # numbers of the rows that are summed up at a time

# Rows of at least `WIDE` numbers are summed up `ONE_BY_ONE` rows at a time before the sums are summed up in pairs, as
# NumPy does with contiguous numbers: copies of whole columns take three times as long.
WIDE = 8
ONE_BY_ONE = 32


def combination(factors, rows):
    """Compute Σ_i a_i g_i, of shape (n_scores,), with some factors a_i."""
    # NumPy sums pairwise along contiguous memory: a certificate needs all the digits. The copies are small.
    if rows.shape[1] >= WIDE and len(rows) >= 2 * ONE_BY_ONE:
        n_whole = len(rows) // ONE_BY_ONE * ONE_BY_ONE
        blocks = factors[:n_whole].reshape(-1, ONE_BY_ONE), rows[:n_whole].reshape(-1, ONE_BY_ONE, rows.shape[1])
        sums = np.ascontiguousarray(np.einsum("bi,bik->kb", *blocks)).sum(axis=1)
        return sums + combination(factors[n_whole:], rows[n_whole:])
    size = max(1, COMBINED_AT_ONCE // rows.shape[1])
    parts = [
        (factors[first : first + size] * np.ascontiguousarray(rows[first : first + size].T)).sum(axis=1)
        for first in range(0, max(1, len(rows)), size)
    ]
    return parts[0] if len(parts) == 1 else np.stack(parts, axis=1).sum(axis=1)


def weighted_mean(weights, values):
    """Compute Σ_i ω_i v_i, a float."""
    return float((weights * values).sum())


def inner(left, right):
    """Compute Σ_ik a_ik b_ik, a float; rows are summed up in float64."""
    return float(np.einsum("ik,ik->i", left, right).sum(dtype=np.float64))


def squared_rows(dual):
    """Compute ‖g_i‖² of every row."""
    return np.einsum("ik,ik->i", dual, dual)
