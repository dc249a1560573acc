"""The Newton systems: their matrix, its diagonal, and the conjugate gradients that solve them."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose
from problems import SMALL_CASES, dense, slopes, start_newton
from references import CASES

from linear_hinge.kernels import door
from linear_hinge.kernels import newton_system as systems_module
from linear_hinge.solvers import newton_system as newton_system_module
from linear_hinge.solvers.newton_system import LARGEST_BLOCKS, Hessian, cost_of_blocks

all_cases = pytest.mark.parametrize("case", CASES, ids=str)
small_cases = pytest.mark.parametrize("case", SMALL_CASES, ids=str)
with_and_without_intercept = pytest.mark.parametrize("fit_intercept", [True, False])
containers = pytest.mark.parametrize("kind", [np.asarray, sp.csr_array])


def hessian_of(newton, imbalance=1.0):
    return Hessian(newton.problem, newton.mean, newton.point.dual, newton.curvature, imbalance)


def dense_hessian(newton):
    """alpha I + Σ_i (ω_i/ρ) J_i ⊗ (x_i, 1)(x_i, 1)ᵀ, the Jacobian J_i of every prox step by differences."""
    problem, rho = newton.problem, newton.curvature
    X = np.hstack([dense(problem) - newton.mean, np.ones((len(problem.y), 1))])
    size, n_scores = newton.point.stacked.size, problem.n_scores
    hessian = np.diag(np.repeat([problem.alpha, 0], [size - n_scores, n_scores]))
    for i in range(len(problem.y)):
        rest = newton.outer_dual[i : i + 1], problem.y[i : i + 1], np.array([rho]), problem.margin

        def prox(scores, rest=rest):
            return problem.loss.prox(rest[0], scores[None], *rest[1:])[0]

        J = slopes(prox, newton.point.scores[i], 1e-7) * rho
        hessian += problem.weights[i] / rho * np.kron(np.outer(X[i], X[i]), J)
    return hessian


def applied_to_every_direction(hessian, shape):
    """The matrix that `System.apply` stands for."""
    directions = np.eye(np.prod(shape)).reshape(-1, *shape)
    return np.array([hessian.system.apply(direction).ravel() for direction in directions]).T


@all_cases
@containers
@pytest.mark.parametrize("curvature", [1.0, 10.0])
def test_hessian_is_built_from_the_jacobians_of_the_prox_steps(case, kind, curvature, rng):
    newton = start_newton(case, rng, kind=kind, curvature=curvature, n_features=2)
    hessian = hessian_of(newton)
    assert hessian.share_of_rows > 0
    expected = dense_hessian(newton)
    n_scores = case.n_scores
    expected[-n_scores:, -n_scores:] += hessian.system.damping * np.eye(n_scores)
    found = applied_to_every_direction(hessian, newton.point.stacked.shape)
    assert_allclose(found, expected, atol=1e-6 * np.abs(expected).max())
    assert_allclose(found, found.T, atol=1e-13 * np.abs(found).max())
    assert np.linalg.eigvalsh(found)[0] > 0


@all_cases
def test_hessian_is_the_slope_of_the_gradient(case, rng):
    newton = start_newton(case, rng, fit_intercept=False)
    stacked, hessian = newton.point.stacked, hessian_of(newton)

    def gradient(stacked):
        newton.point = newton._point(stacked, newton._scores(stacked))
        return newton._gradient()

    direction = rng.normal(size=stacked.shape)
    direction[-1] = 0
    expected = (gradient(stacked + 1e-7 * direction) - gradient(stacked - 1e-7 * direction)) / 2e-7
    assert_allclose(hessian.system.apply(direction), expected, atol=1e-6 * np.abs(expected).max())


@all_cases
@containers
@with_and_without_intercept
@pytest.mark.parametrize("n_samples", [30, 600])
def test_the_diagonal_is_that_of_the_products(case, kind, fit_intercept, n_samples, rng):
    newton = start_newton(case, rng, kind=kind, fit_intercept=fit_intercept, n_samples=n_samples, curvature=0.2)
    hessian = hessian_of(newton)
    diagonal = np.diag(applied_to_every_direction(hessian, newton.point.stacked.shape))
    diagonal = diagonal.reshape(newton.point.stacked.shape)
    n_rows = None if fit_intercept else -1  # the last row stands for an intercept that is not there
    assert_allclose(hessian.system.diagonal[:n_rows], diagonal[:n_rows], rtol=1e-10)


@small_cases
@pytest.mark.parametrize("most_gathered", [0.0, 1.0])
def test_rows_gathered_or_not_give_the_same_products(case, most_gathered, rng, monkeypatch, numpy_steps):
    newton = start_newton(case, rng)
    direction = rng.normal(size=newton.point.stacked.shape)
    product = hessian_of(newton).system.apply(direction)
    monkeypatch.setattr(systems_module, "LARGEST_GATHERED", most_gathered)
    hessian = hessian_of(newton)
    assert (len(hessian.system.free) == 30) == (most_gathered == 0)
    assert_allclose(hessian.system.apply(direction), product, rtol=1e-12)


def test_damping_of_the_intercept_vanishes_with_the_imbalance(rng):
    newton = start_newton(CASES[0], rng)
    hard, soft, none = (hessian_of(newton, imbalance).system.damping for imbalance in (1e-2, 1e-4, 0.0))
    assert hard == pytest.approx(100 * soft)
    assert 0 < none < 1e-6 * soft
    assert hessian_of(start_newton(CASES[0], rng, fit_intercept=False)).system.damping == 0


@small_cases
def test_rows_without_weight_have_no_part_in_the_hessian(case, rng):
    newton = start_newton(case, rng)
    direction = rng.normal(size=newton.point.stacked.shape)
    newton.problem.weights[::2] = 0
    product = hessian_of(newton).system.apply(direction)
    newton.problem.X[::2] = 1e6
    newton.point.dual[::2] = 0.5
    assert_allclose(hessian_of(newton).system.apply(direction), product, rtol=1e-12)


@all_cases
@with_and_without_intercept
@pytest.mark.parametrize("with_blocks", [False, True])
def test_conjugate_gradients_solve(case, fit_intercept, with_blocks, rng, monkeypatch):
    monkeypatch.setattr(newton_system_module, "MANY_CG_STEPS", 1 if with_blocks else np.inf)
    newton = start_newton(case, rng, fit_intercept=fit_intercept)
    hessian, rhs = hessian_of(newton), -newton._gradient()
    rough, few = hessian.solve(rhs)
    assert (hessian.factors is not None) == with_blocks
    residual = rhs - hessian.system.apply(rough)
    energy, first_energy = (
        np.vdot(each, hessian.system.preconditioned(np.array(each), hessian.factors)) for each in (residual, rhs)
    )
    assert energy <= 0.1**2 * first_energy
    assert np.vdot(rough, rhs) > 0  # downhill
    monkeypatch.setattr(newton_system_module, "CG_ACCURACY", 1e-11)
    exact, many = hessian.solve(rhs)
    assert few > 0
    assert with_blocks or many > few
    assert_allclose(hessian.system.apply(exact), rhs, atol=1e-9 * np.abs(rhs).max())


@small_cases
@pytest.mark.parametrize("compiled", [False, True])
def test_dear_blocks_are_made_where_a_system_takes_long_and_serve_the_next(case, compiled, rng, monkeypatch):
    if not compiled:
        monkeypatch.setattr(door, "_kernels", None)
    monkeypatch.setattr(newton_system_module, "CHEAP_BLOCKS", 0)
    monkeypatch.setattr(newton_system_module, "MANY_CG_STEPS", 2)
    newton = start_newton(case, rng, n_samples=60, n_features=12)
    rhs = -newton._gradient()
    easy, hard = hessian_of(newton), hessian_of(newton)
    easy.cost_of_blocks, hard.cost_of_blocks = 100.0, 1.0
    expected, _ = easy.solve(rhs, exact=True)
    assert easy.factors is None
    found, few = hard.solve(rhs, exact=True)
    assert hard.factors is not None
    assert few > 3  # two in vain, and the blocks
    assert_allclose(found, expected, atol=1e-8 * np.abs(expected).max())
    following = Hessian(newton.problem, newton.mean, newton.point.dual, newton.curvature, 1.0, hard.factors)
    following.cost_of_blocks = 100.0
    found, fewer = following.solve(rhs, exact=True)
    assert following.factors is hard.factors
    assert fewer < few
    assert_allclose(found, expected, atol=1e-8 * np.abs(expected).max())


@small_cases
def test_an_exact_solution_is_exact_to_rounding(case, rng):
    newton = start_newton(case, rng)
    hessian, rhs = hessian_of(newton), -newton._gradient()
    solution, _ = hessian.solve(rhs, exact=True)
    assert_allclose(hessian.system.apply(solution), rhs, atol=1e-8 * np.abs(rhs).max())


@pytest.mark.parametrize("case", [case for case in SMALL_CASES if case.loss.sums_to_zero], ids=str)
def test_no_common_level_of_the_intercepts_creeps_in(case, rng):
    newton = start_newton(case, rng)
    solution, _ = hessian_of(newton).solve(newton._gradient() + 1.0)
    assert abs(solution[-1].sum()) < 1e-12 * np.abs(solution).max()


def test_conjugate_gradients_have_nothing_to_do_at_the_minimum(rng):
    newton = start_newton(CASES[0], rng)
    solution, n_steps = hessian_of(newton).solve(np.zeros_like(newton.point.stacked))
    assert n_steps == 0
    assert not solution.any()


@with_and_without_intercept
def test_one_vs_rest_is_solved_in_one_step(fit_intercept, rng):
    """Its classes have nothing to do with each other."""
    case = next(case for case in SMALL_CASES if case.n_scores > 1 and not case.loss.sums_to_zero)
    newton = start_newton(case, rng, n_samples=100, n_features=20, fit_intercept=fit_intercept)
    hessian, rhs = hessian_of(newton), -newton._gradient()
    solution, n_steps = hessian.solve(rhs, exact=True)
    assert n_steps <= 2 + hessian.cost_of_blocks  # the second for rounding
    assert_allclose(hessian.system.apply(solution), rhs, atol=1e-9 * np.abs(rhs).max())


def test_blocks_cost_more_the_more_features_and_the_fewer_entries():
    X, wide = np.ones((30, 20)), np.ones((30, 200))
    assert cost_of_blocks(X, 1000, 10) < cost_of_blocks(wide, 1000, 10)
    assert cost_of_blocks(X, 1000, 10) < cost_of_blocks(X, 10, 10)
    assert cost_of_blocks(X, 10**9, 10) == pytest.approx(5)  # half a multiplication of each pair, of two a product
    assert cost_of_blocks(sp.csr_array(X), 1000, 10) == cost_of_blocks(X, 1000, 10)
    assert cost_of_blocks(sp.csr_array(np.eye(20)), 10**9, 10) == pytest.approx(0.25, rel=1e-3)
    assert cost_of_blocks(wide, 1000, LARGEST_BLOCKS // 200**2 + 1) == np.inf
    assert np.isfinite(cost_of_blocks(X, 0, 3))
