"""The largest variance of the rows."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal
from references import CASES

from linear_hinge.problem import problem as problem_module
from linear_hinge.problem.problem import ROWS_OF_VARIANCE
from linear_hinge.problem.variance import largest_variance

containers = pytest.mark.parametrize("kind", [np.asarray, sp.csr_array, sp.csr_matrix])


@containers
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e6])
def test_largest_variance_is_the_largest_eigenvalue_of_the_covariance(kind, dtype, scale, rng):
    for n_features in (1, 2, 7, 40):
        X = (scale * (0.5 + rng.normal(size=(60, n_features)) * rng.uniform(0.1, 2, size=n_features))).astype(dtype)
        weights = rng.dirichlet(np.ones(60))
        mean = weights @ X
        covariance = (X - mean).T @ (weights[:, None] * (X - mean))
        largest = np.linalg.eigvalsh(covariance)[-1]
        found = largest_variance(kind(X), weights, mean.astype(dtype))
        assert 0.85 * largest <= found <= (1 + 1e-5) * largest


@containers
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("level", [0.0, 0.1, 1e5])
def test_constant_features_have_no_variance_and_any_length_serves(kind, dtype, level):
    X = np.full((50, 3), level, dtype)
    weights = np.full(50, 1 / 50)
    assert largest_variance(kind(X), weights, (weights @ X).astype(dtype)) == 1.0


def test_largest_variance_ignores_rows_without_weight_and_has_nothing_random(rng):
    X, weights = rng.normal(size=(40, 5)), np.repeat([0, 1 / 20], 20)
    alone = largest_variance(X[20:], weights[20:], weights @ X)
    assert largest_variance(X, weights, weights @ X) == pytest.approx(alone, rel=1e-12)
    state = np.random.get_state()[1].copy()
    assert largest_variance(X, weights, weights @ X) == largest_variance(X, weights, weights @ X)
    assert_array_equal(np.random.get_state()[1], state)


@containers
def test_the_variance_of_many_rows_is_that_of_some_of_them(kind, rng, monkeypatch):
    X = rng.normal(size=(12_345, 6)) * [3, 1, 1, 1, 1, 1] + 5
    y, weights = rng.randint(2, size=len(X)), rng.uniform(0.5, 1.5, size=len(X)) * (rng.uniform(size=len(X)) < 0.9)
    seen = []

    def spy(X, weights, mean):
        seen.append(X.shape[0])
        assert weights.sum() == pytest.approx(1)
        return largest_variance(X, weights, mean)

    monkeypatch.setattr(problem_module, "largest_variance", spy)
    problem = problem_module.Problem(kind(X), y, weights / weights.sum(), CASES[0].loss, 1, 0.1, 1.0, True)
    assert problem.variance == pytest.approx(9, rel=0.1)
    assert ROWS_OF_VARIANCE <= seen.pop() < 2 * ROWS_OF_VARIANCE
    monkeypatch.setattr(problem_module, "BYTES_OF_VARIANCE", 2**14)  # rows are copied, which must not take much memory
    problem = problem_module.Problem(kind(X), y, weights / weights.sum(), CASES[0].loss, 1, 0.1, 1.0, True)
    assert problem.variance == pytest.approx(9, rel=0.4)
    assert seen[0] * 6 * 8 <= 1.5 * 2**14
