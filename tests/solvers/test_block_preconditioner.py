"""The class blocks of a Newton system, and that they make its solution short."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose
from problems import SMALL_CASES, start_newton
from references import CASES

from linear_hinge.kernels import door
from linear_hinge.solvers.block_preconditioner import LARGEST_BLOCKS, ClassBlocks, cost_of_blocks
from linear_hinge.solvers.newton_system import Hessian

all_cases = pytest.mark.parametrize("case", CASES, ids=str)
small_cases = pytest.mark.parametrize("case", SMALL_CASES, ids=str)
with_and_without_intercept = pytest.mark.parametrize("fit_intercept", [True, False])


@pytest.fixture(params=["NumPy", "compiled"])
def kernels(request, monkeypatch):
    """With what is installed, and without."""
    if request.param == "NumPy":
        monkeypatch.setattr(door, "_kernels", None)


def hessian_of(newton):
    return Hessian(newton.problem, newton.mean, newton.point.dual, newton.curvature, imbalance=0.1)


def matrix_of_class(hessian, shape, k):
    """What `Hessian.apply` makes of the scores of a class out of its own coefficients."""
    n = shape[0]
    matrix = np.empty((n, n))
    for j in range(n):
        direction = np.zeros(shape)
        direction[j, k] = 1
        matrix[:, j] = hessian.apply(direction)[:, k]
    return matrix


@all_cases
@with_and_without_intercept
@pytest.mark.parametrize("n_samples", [30, 700])
@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array])
def test_the_factors_are_those_of_the_system(case, fit_intercept, n_samples, kind, kernels, rng):
    newton = start_newton(case, rng, n_samples=n_samples, fit_intercept=fit_intercept, kind=kind)
    hessian = hessian_of(newton)
    for k, factor in enumerate(ClassBlocks(hessian).factors):
        expected = matrix_of_class(hessian, newton.point.weights.shape, k)
        if not fit_intercept:
            expected[-1], expected[:, -1], expected[-1, -1] = 0, 0, 1
        assert_allclose(np.tril(factor) @ np.tril(factor).T, expected, atol=1e-12 * np.abs(expected).max())


@all_cases
def test_blocks_are_solved_with_their_factors(case, kernels, rng):
    blocks = ClassBlocks(hessian_of(start_newton(case, rng)))
    residual = rng.normal(size=(5, case.n_scores))
    for k, solution in enumerate(blocks.solve(residual).T):
        factor = np.tril(blocks.factors[k])
        assert_allclose(factor @ factor.T @ solution, residual[:, k], rtol=1e-9)


@with_and_without_intercept
def test_one_vs_rest_is_solved_in_one_step(fit_intercept, kernels, rng):
    """Its classes have nothing to do with each other."""
    case = next(case for case in SMALL_CASES if case.n_scores > 1 and not case.loss.sums_to_zero)
    newton = start_newton(case, rng, n_samples=100, n_features=20, fit_intercept=fit_intercept)
    hessian, rhs = hessian_of(newton), -newton._gradient()
    solution, n_steps = hessian.solve(rhs, exact=True)
    assert n_steps <= 2 + hessian.cost_of_blocks  # the second for rounding
    assert_allclose(hessian.apply(solution), rhs, atol=1e-9 * np.abs(rhs).max())


@small_cases
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array])
def test_what_rounding_leaves_of_no_pivot_can_be_divided_by(case, dtype, kind, kernels, rng):
    """Two features that are constants but for rounding, and next to no alpha."""

    def with_constants(X):
        X[:, :2] = dtype(1e3) + dtype(0.1)
        return kind(X)

    newton = start_newton(case, rng, kind=with_constants, n_features=6, dtype=dtype, alpha=1e-14)
    blocks = ClassBlocks(hessian_of(newton))
    assert np.isfinite(blocks.factors).all()
    assert (np.einsum("kjj->kj", blocks.factors) > 0).all()
    assert np.isfinite(blocks.solve(np.ones((7, case.n_scores)))).all()


def test_blocks_cost_more_the_more_features_and_the_fewer_entries():
    X, wide = np.ones((30, 20)), np.ones((30, 200))
    assert cost_of_blocks(X, 1000, 10) < cost_of_blocks(wide, 1000, 10)
    assert cost_of_blocks(X, 1000, 10) < cost_of_blocks(X, 10, 10)
    assert cost_of_blocks(X, 10**9, 10) == pytest.approx(5)  # half a multiplication of each pair, of two a product
    assert cost_of_blocks(sp.csr_array(X), 1000, 10) == cost_of_blocks(X, 1000, 10)
    assert cost_of_blocks(sp.csr_array(np.eye(20)), 10**9, 10) == pytest.approx(0.25, rel=1e-3)
    assert cost_of_blocks(wide, 1000, LARGEST_BLOCKS // 200**2 + 1) == np.inf
    assert np.isfinite(cost_of_blocks(X, 0, 3))
