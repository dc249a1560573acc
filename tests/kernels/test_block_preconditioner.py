"""The class blocks of a Newton system, and that they make its solution short."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose
from problems import SMALL_CASES, start_newton
from references import CASES

from linear_hinge.kernels import door
from linear_hinge.kernels.block_preconditioner import solve_blocks
from linear_hinge.solvers.newton_system import Hessian

all_cases = pytest.mark.parametrize("case", CASES, ids=str)
small_cases = pytest.mark.parametrize("case", SMALL_CASES, ids=str)
with_and_without_intercept = pytest.mark.parametrize("fit_intercept", [True, False])


@pytest.fixture(params=["NumPy", "compiled"])
def kernels(request, monkeypatch):
    """With what is installed, and without."""
    if request.param == "NumPy":
        monkeypatch.setattr(door, "_kernels", None)


def system_of(newton):
    return Hessian(newton.problem, newton.mean, newton.point.dual, newton.curvature, imbalance=0.1).system


def matrix_of_class(system, shape, k):
    """What `System.apply` makes of the scores of a class out of its own coefficients."""
    n = shape[0]
    matrix = np.empty((n, n))
    for j in range(n):
        direction = np.zeros(shape)
        direction[j, k] = 1
        matrix[:, j] = system.apply(direction)[:, k]
    return matrix


@all_cases
@with_and_without_intercept
@pytest.mark.parametrize("n_samples", [30, 700])
@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array])
def test_the_factors_are_those_of_the_system(case, fit_intercept, n_samples, kind, kernels, rng):
    newton = start_newton(case, rng, n_samples=n_samples, fit_intercept=fit_intercept, kind=kind)
    system = system_of(newton)
    for k, factor in enumerate(system.class_blocks()):
        expected = matrix_of_class(system, newton.point.stacked.shape, k)
        if not fit_intercept:
            expected[-1], expected[:, -1], expected[-1, -1] = 0, 0, 1
        assert_allclose(np.tril(factor) @ np.tril(factor).T, expected, atol=1e-12 * np.abs(expected).max())


@all_cases
def test_blocks_are_solved_with_their_factors(case, kernels, rng):
    factors = system_of(start_newton(case, rng)).class_blocks()
    residual = rng.normal(size=(5, case.n_scores))
    for k, solution in enumerate(solve_blocks(factors, residual).T):
        factor = np.tril(factors[k])
        assert_allclose(factor @ factor.T @ solution, residual[:, k], rtol=1e-9)


@small_cases
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array])
def test_what_rounding_leaves_of_no_pivot_can_be_divided_by(case, dtype, kind, kernels, rng):
    """Two features that are constants but for rounding, and next to no alpha."""

    def with_constants(X):
        X[:, :2] = dtype(1e3) + dtype(0.1)
        return kind(X)

    newton = start_newton(case, rng, kind=with_constants, n_features=6, dtype=dtype, alpha=1e-14)
    factors = system_of(newton).class_blocks()
    assert np.isfinite(factors).all()
    assert (np.einsum("kjj->kj", factors) > 0).all()
    assert np.isfinite(solve_blocks(factors, np.ones((7, case.n_scores)))).all()
