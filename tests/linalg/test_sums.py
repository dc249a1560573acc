"""Sums against those of NumPy."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from linear_hinge.linalg.sums import COMBINED_AT_ONCE, combination, inner, squared_rows, weighted_mean


def test_sums_are_those_of_numpy(rng):
    dual = rng.standard_normal((50, 4))
    weights = rng.uniform(size=50)
    assert_allclose(combination(weights, dual), weights @ dual)
    assert_allclose(weighted_mean(weights, dual[:, 0]), weights @ dual[:, 0])
    assert_allclose(inner(dual, 2 * dual), 2 * np.sum(dual**2))
    assert_allclose(squared_rows(dual), np.sum(dual**2, axis=1))


def test_a_combination_of_many_rows_keeps_its_digits():
    """A balanced dual must be seen to be balanced to 1e-13, whatever the number of rows."""
    rng = np.random.default_rng(0)
    half = rng.random((100_000, 3))
    dual = np.concatenate([half, -half])[rng.permutation(200_000)]
    assert np.abs(combination(np.full(200_000, 1 / 200_000), dual)).max() < 1e-15


@pytest.mark.parametrize("n_scores", [1, 3, 20])
@pytest.mark.parametrize("n_rows", [0, 1, 70, COMBINED_AT_ONCE // 3 + 5])
def test_a_combination_of_a_function_of_the_rows(n_rows, n_scores, rng):
    """In chunks, whose sums are added up."""
    dual, weights = rng.standard_normal((n_rows, n_scores)), rng.uniform(size=n_rows) / max(1, n_rows)
    assert_allclose(combination(weights, dual, np.abs), weights @ np.abs(dual), atol=1e-15)
    assert_allclose(combination(weights, dual), weights @ dual, atol=1e-14)
