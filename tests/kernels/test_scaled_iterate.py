"""Coefficients that shrink, move and average, against arrays that do so in the open."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal

from linear_hinge.kernels.scaled_iterate import LARGEST_SCALE, Iterate


def draw_change(rng, dtype=np.float64):
    """A sparse batch with some of six features and its subgradients, and their product as a whole array."""
    X = (rng.normal(size=(2, 6)) * (rng.uniform(size=6) < 0.5)).astype(dtype)
    dual = rng.normal(size=(2, 3)).astype(dtype)
    return (sp.csr_array(X), dual), X.T.astype(float) @ dual


def start_of(rng, dtype=np.float64):
    coef, intercept = rng.normal(size=(6, 3)).astype(dtype), rng.normal(size=3).astype(dtype)
    return Iterate(coef.copy(), intercept.copy()), coef.astype(float), intercept.astype(float)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("begin", [1, 20, 1000], ids=["average", "late average", "last"])
@pytest.mark.parametrize("factor", [0.99, 0.9, 0.5, 1.0, 1.2, -0.5, -1.1, 0.0, 1e-9, 1e9])
def test_an_iterate_and_its_average_are_those_of_plain_arrays(factor, begin, dtype, rng):
    """The average weighs its iterates 1, 2, 3, …, however often the scale had to be renewed."""
    iterate, coef, intercept = start_of(rng, dtype)
    steps = 4 if abs(factor) > 2 else 50 if abs(factor) > 1 else 300
    coefs, intercepts = [], []
    for t in range(1, steps + 1):
        change, whole = draw_change(rng, dtype)
        iterate.shrink(factor)
        iterate.move(*change, -0.5)
        iterate.intercept += dtype(1 / t)
        coef, intercept = factor * coef - 0.5 * whole, intercept + dtype(1 / t)
        if t >= begin:
            iterate.add_to_average()
            coefs.append(coef)
            intercepts.append(intercept)
        expected = [coef, intercept]
        if coefs:
            p = np.arange(1, len(coefs) + 1)
            expected = [np.average(part, axis=0, weights=p) for part in (coefs, intercepts)]
        for result, reference in zip(iterate.coefficients(), expected, strict=True):
            assert result.dtype == dtype
            tolerance = 1e-4 if dtype == np.float32 else 1e-10
            assert_allclose(result, reference, rtol=0, atol=tolerance * np.abs(reference).max())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scores_are_those_of_the_last_iterate(dtype, rng):
    iterate, coef, intercept = start_of(rng, dtype)
    iterate.shrink(0.25)
    iterate.add_to_average()
    iterate.shrink(0.5)
    X = rng.normal(size=(10, 6)).astype(dtype)
    assert iterate.scores(X).dtype == iterate.dtype == dtype
    assert_allclose(iterate.scores(X), X.astype(float) @ coef / 8 + intercept, atol=10 * np.finfo(dtype).eps)


@pytest.mark.parametrize("averages", [False, True])
def test_shrinking_touches_no_coefficient_and_moving_only_those_of_its_features(averages, rng):
    iterate, _, _ = start_of(rng)
    for _ in range(3):
        if averages:
            iterate.add_to_average()
        before = iterate.unscaled.copy()
        iterate.shrink(0.9)
        assert_array_equal(iterate.unscaled, before)
        iterate.move(sp.csr_array(np.eye(6)[[2, 5]]), np.ones((2, 3)), 1.0)
        assert_array_equal(np.flatnonzero((iterate.unscaled != before).any(axis=1)), [2, 5])


@pytest.mark.parametrize("factor", [0.9, 1.1, -0.9, 0.0])
def test_the_scale_stays_in_its_bounds_and_is_seldom_renewed(factor, rng):
    iterate, _, _ = start_of(rng)
    renewals = 0
    for _ in range(500):
        iterate.shrink(factor)
        renewals += iterate.scale == 1
        assert 1 / LARGEST_SCALE < abs(iterate.scale) < LARGEST_SCALE
    assert renewals > 0
    assert factor == 0 or renewals <= 500 * abs(np.log(abs(factor))) / np.log(LARGEST_SCALE)


def test_coefficients_are_copies(rng):
    iterate, _, _ = start_of(rng)
    for _ in range(2):
        before = [part.copy() for part in iterate.coefficients()]
        for part in iterate.coefficients():
            part += 1
        for part, unchanged in zip(iterate.coefficients(), before, strict=True):
            assert_array_equal(part, unchanged)
        iterate.add_to_average()
