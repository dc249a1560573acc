"""Sums with the same bits on any number of threads: NumPy computes them, on one thread."""

import numpy as np

COMBINED_AT_ONCE = 2**18  # numbers of the rows that are summed up at a time

# Rows of at least `WIDE` numbers are summed up `ONE_BY_ONE` rows at a time before the sums are summed up in pairs, as
# NumPy does with contiguous numbers: copies of whole columns take three times as long.
WIDE = 8
ONE_BY_ONE = 32


def combination(factors, rows, of=None):
    """Compute Σ_i a_i g_i, of shape (n_scores,), with some factors a_i; Σ_i a_i f(g_i) with a function f = ``of``."""
    size = max(1, COMBINED_AT_ONCE // rows.shape[1])
    if len(rows) <= size:
        return _combination(factors, rows if of is None else of(rows))
    firsts = range(0, len(rows), size)
    parts = [combination(factors[first : first + size], rows[first : first + size], of) for first in firsts]
    return np.stack(parts, axis=1).sum(axis=1)


def _combination(factors, rows):
    # NumPy sums pairwise along contiguous memory: a certificate needs all the digits. The copies are small.
    n_whole = len(rows) // ONE_BY_ONE * ONE_BY_ONE
    if rows.shape[1] < WIDE or n_whole < 2 * ONE_BY_ONE:
        return (factors * np.ascontiguousarray(rows.T)).sum(axis=1)
    blocks = factors[:n_whole].reshape(-1, ONE_BY_ONE), rows[:n_whole].reshape(-1, ONE_BY_ONE, rows.shape[1])
    sums = np.ascontiguousarray(np.einsum("bi,bik->kb", *blocks)).sum(axis=1)
    return sums + _combination(factors[n_whole:], rows[n_whole:])


def weighted_mean(weights, values):
    """Compute Σ_i ω_i v_i, a float."""
    return float((weights * values).sum())


def inner(left, right):
    """Compute Σ_ik a_ik b_ik, a float; rows are summed up in float64."""
    return float(np.einsum("ik,ik->i", left, right).sum(dtype=np.float64))


def squared_rows(dual):
    """Compute ‖g_i‖² of every row."""
    return np.einsum("ik,ik->i", dual, dual)


def weighted_rows(dual, weights=None):
    """Compute ω_i g_i in float64; g_i without weights."""
    return dual.astype(np.float64, copy=False) if weights is None else weights[:, None] * dual
