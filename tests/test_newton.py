"""The smoothed problem φ: its gradient and its Hessian, the steps that minimise it, and where they lead."""

import numpy as np
import pytest
import scipy.sparse as sp
from independent_solvers import solve_binary_with_intercept
from numpy.testing import assert_allclose
from problems import SMALL_CASES, dense, draw_problem, optimum_by_slsqp
from references import CASES

from linear_hinge import _newton
from linear_hinge._certificate import best_bound
from linear_hinge._newton import Hessian, ProximalNewton
from linear_hinge._objective import primal_objective

all_cases = pytest.mark.parametrize("case", CASES, ids=str)
small_cases = pytest.mark.parametrize("case", SMALL_CASES, ids=str)
with_and_without_intercept = pytest.mark.parametrize("fit_intercept", [True, False])
containers = pytest.mark.parametrize("kind", [np.asarray, sp.csr_array])


def start_newton(case, rng, *, curvature=1.0, **options):
    """Newton somewhere in the middle: random coefficients and feasible subgradients."""
    problem = draw_problem(case, rng, **options)
    dual = case.draw_feasible(rng, problem.y).astype(problem.X.dtype)
    coef = 0.3 * rng.normal(size=(problem.X.shape[1], case.n_scores)).astype(problem.X.dtype)
    intercept = 0.3 * rng.normal(size=case.n_scores) * problem.fit_intercept
    return ProximalNewton(problem, dual, coef, intercept, curvature)


def solve(problem, n_steps):
    """Newton from zero until it has stalled, so many steps at most."""
    shape = problem.X.shape[1], problem.n_scores
    dual = np.zeros((len(problem.y), problem.n_scores), problem.X.dtype)
    newton = ProximalNewton(problem, dual, np.zeros(shape), np.zeros(problem.n_scores), 10.0)
    for _ in range(n_steps):
        newton.step()
        if newton.stalled:
            break
    return newton


def phi(newton, weights):
    """φ by its formula, in float64 and for dense rows."""
    problem, rho = newton.problem, newton.curvature
    scores = (dense(problem) - newton.mean) @ weights[:-1] + weights[-1]
    curvature = np.full(len(scores), rho)
    dual = problem.loss.prox(newton.outer_dual, scores, problem.y, curvature, problem.margin)
    values = (dual * scores).sum(axis=1) + problem.margin * problem.loss.dual_values(dual, problem.y)
    values -= rho / 2 * ((dual - newton.outer_dual) ** 2).sum(axis=1)
    return problem.alpha / 2 * (weights[:-1] ** 2).sum() + problem.weights @ values


def slopes(function, at, step):
    """Central differences, one axis for every entry of ``at`` in front of those of the function."""
    differences = []
    for index in np.ndindex(at.shape):
        move = np.zeros(at.shape)
        move[index] = step
        differences.append((function(at + move) - function(at - move)) / (2 * step))
    return np.reshape(differences, at.shape + np.shape(differences[0]))


# φ, its gradient and its Hessian


@all_cases
@containers
@with_and_without_intercept
def test_gradient_is_the_slope_of_phi(case, kind, fit_intercept, rng):
    newton = start_newton(case, rng, kind=kind, fit_intercept=fit_intercept)
    weights = newton.point.weights
    assert newton.point.phi == pytest.approx(phi(newton, weights), rel=1e-12)
    expected = slopes(lambda at: phi(newton, at), weights, 1e-5)
    expected[-1] *= fit_intercept
    assert_allclose(newton._gradient(), expected, atol=1e-7)


@all_cases
@with_and_without_intercept
def test_phi_is_below_the_objective_and_close_to_it_for_a_small_curvature(case, fit_intercept, rng):
    last = np.inf
    for curvature in (1.0, 1e-2, 1e-4, 1e-6):
        newton = start_newton(case, np.random.RandomState(0), curvature=curvature, fit_intercept=fit_intercept)
        difference = primal_objective(newton.problem, *newton.coefficients()) - newton.point.phi
        assert -1e-13 <= difference <= min(last, 0.5 * curvature * case.n_scores**2)
        last = difference


@all_cases
@containers
@with_and_without_intercept
def test_gap_is_that_of_the_coefficients_and_the_new_subgradients(case, kind, fit_intercept, rng):
    newton = start_newton(case, rng, kind=kind, fit_intercept=fit_intercept)
    problem, weights = newton.problem, newton.point.weights
    newton._gradient()
    dual = newton.point.dual
    pull = (dense(problem) - newton.mean).T @ (problem.weights[:, None] * dual) / problem.alpha
    bound = problem.margin * problem.weights @ case.by_rows("dual_value", dual, problem.y)
    bound -= problem.alpha / 2 * (pull**2).sum()
    scores = (dense(problem) - newton.mean) @ weights[:-1] + weights[-1]
    primal = problem.alpha / 2 * (weights[:-1] ** 2).sum()
    primal += problem.weights @ case.by_rows("value", scores, problem.y, problem.margin)
    assert newton.gap == pytest.approx(primal - bound, rel=1e-10)


def hessian_of(newton, imbalance=1.0):
    return Hessian(newton.problem, newton.mean, newton.point.dual, newton.curvature, imbalance)


def dense_hessian(newton):
    """alpha I + Σ_i (ω_i/ρ) J_i ⊗ (x_i, 1)(x_i, 1)ᵀ, the Jacobian J_i of every prox step by differences."""
    problem, rho = newton.problem, newton.curvature
    X = np.hstack([dense(problem) - newton.mean, np.ones((len(problem.y), 1))])
    size, n_scores = newton.point.weights.size, problem.n_scores
    hessian = np.diag(np.repeat([problem.alpha, 0], [size - n_scores, n_scores]))
    for i in range(len(problem.y)):
        rest = newton.outer_dual[i : i + 1], problem.y[i : i + 1], np.array([rho]), problem.margin

        def prox(scores, rest=rest):
            return problem.loss.prox(rest[0], scores[None], *rest[1:])[0]

        J = slopes(prox, newton.point.scores[i], 1e-7) * rho
        hessian += problem.weights[i] / rho * np.kron(np.outer(X[i], X[i]), J)
    return hessian


def applied_to_every_direction(hessian, shape):
    """The matrix that `Hessian.apply` stands for."""
    directions = np.eye(np.prod(shape)).reshape(-1, *shape)
    return np.array([hessian.apply(direction).ravel() for direction in directions]).T


@all_cases
@containers
@pytest.mark.parametrize("curvature", [1.0, 10.0])
def test_hessian_is_built_from_the_jacobians_of_the_prox_steps(case, kind, curvature, rng):
    newton = start_newton(case, rng, kind=kind, curvature=curvature, n_features=2)
    hessian = hessian_of(newton)
    assert hessian.free.any()
    expected = dense_hessian(newton)
    n_scores = case.n_scores
    expected[-n_scores:, -n_scores:] += hessian.damping * np.eye(n_scores)
    found = applied_to_every_direction(hessian, newton.point.weights.shape)
    assert_allclose(found, expected, atol=1e-6 * np.abs(expected).max())
    assert_allclose(found, found.T, atol=1e-13 * np.abs(found).max())
    assert np.linalg.eigvalsh(found)[0] > 0


@all_cases
def test_hessian_is_the_slope_of_the_gradient(case, rng):
    newton = start_newton(case, rng, fit_intercept=False)
    weights, hessian = newton.point.weights, hessian_of(newton)

    def gradient(weights):
        newton.point = newton._point(weights, newton._scores(weights))
        return newton._gradient()

    direction = rng.normal(size=weights.shape)
    direction[-1] = 0
    expected = (gradient(weights + 1e-7 * direction) - gradient(weights - 1e-7 * direction)) / 2e-7
    assert_allclose(hessian.apply(direction), expected, atol=1e-6 * np.abs(expected).max())


@all_cases
@containers
@with_and_without_intercept
@pytest.mark.parametrize("n_samples", [30, 600])
def test_the_diagonal_is_that_of_the_products(case, kind, fit_intercept, n_samples, rng):
    newton = start_newton(case, rng, kind=kind, fit_intercept=fit_intercept, n_samples=n_samples, curvature=0.2)
    hessian = hessian_of(newton)
    diagonal = np.diag(applied_to_every_direction(hessian, newton.point.weights.shape))
    diagonal = diagonal.reshape(newton.point.weights.shape)
    n_rows = None if fit_intercept else -1  # the last row stands for an intercept that is not there
    assert_allclose(hessian.diagonal[:n_rows], diagonal[:n_rows], rtol=1e-10)


@small_cases
@pytest.mark.parametrize("share", [0.0, 1.0])
def test_rows_gathered_or_not_give_the_same_products(case, share, rng, monkeypatch):
    newton = start_newton(case, rng)
    direction = rng.normal(size=newton.point.weights.shape)
    product = hessian_of(newton).apply(direction)
    monkeypatch.setattr(_newton, "LARGEST_GATHERED", share)
    hessian = hessian_of(newton)
    assert (len(hessian.free) == 30) == (share == 0)
    assert_allclose(hessian.apply(direction), product, rtol=1e-12)


def test_damping_of_the_intercept_vanishes_with_the_imbalance(rng):
    newton = start_newton(CASES[0], rng)
    hard, soft, none = (hessian_of(newton, imbalance).damping for imbalance in (1e-2, 1e-4, 0.0))
    assert hard == pytest.approx(100 * soft)
    assert 0 < none < 1e-6 * soft
    assert hessian_of(start_newton(CASES[0], rng, fit_intercept=False)).damping == 0


@small_cases
def test_rows_without_weight_have_no_part_in_the_hessian(case, rng):
    newton = start_newton(case, rng)
    direction = rng.normal(size=newton.point.weights.shape)
    newton.problem.weights[::2] = 0
    product = hessian_of(newton).apply(direction)
    newton.problem.X[::2] = 1e6
    newton.point.dual[::2] = 0.5
    assert_allclose(hessian_of(newton).apply(direction), product, rtol=1e-12)


@all_cases
@with_and_without_intercept
def test_conjugate_gradients_solve(case, fit_intercept, rng, monkeypatch):
    newton = start_newton(case, rng, fit_intercept=fit_intercept)
    hessian, rhs = hessian_of(newton), -newton._gradient()
    rough, few = hessian.solve(rhs)
    residual = rhs - hessian.apply(rough)
    assert (residual**2 / hessian.diagonal).sum() <= 0.1**2 * (rhs**2 / hessian.diagonal).sum()
    assert np.vdot(rough, rhs) > 0  # downhill
    monkeypatch.setattr(_newton, "CG_ACCURACY", 1e-11)
    exact, many = hessian.solve(rhs)
    assert many > few > 0
    assert_allclose(hessian.apply(exact), rhs, atol=1e-9 * np.abs(rhs).max())


@small_cases
def test_an_exact_solution_is_exact_to_rounding(case, rng):
    newton = start_newton(case, rng)
    hessian, rhs = hessian_of(newton), -newton._gradient()
    solution, _ = hessian.solve(rhs, exact=True)
    assert_allclose(hessian.apply(solution), rhs, atol=1e-8 * np.abs(rhs).max())


@small_cases
def test_no_common_level_of_the_intercepts_creeps_in(case, rng):
    newton = start_newton(case, rng)
    if newton.problem.loss.sums_to_zero:
        solution, _ = hessian_of(newton).solve(newton._gradient() + 1.0)
        assert abs(solution[-1].sum()) < 1e-12 * np.abs(solution).max()


def test_conjugate_gradients_have_nothing_to_do_at_the_minimum(rng):
    newton = start_newton(CASES[0], rng)
    solution, n_steps = hessian_of(newton).solve(np.zeros_like(newton.point.weights))
    assert n_steps == 0
    assert not solution.any()


# Steps


@all_cases
@containers
@with_and_without_intercept
def test_phi_falls_with_every_step_between_outer_steps(case, kind, fit_intercept, rng):
    newton = start_newton(case, rng, kind=kind, fit_intercept=fit_intercept)
    n_compared = 0
    for _ in range(25):
        before, outer_dual = newton.point.phi, newton.outer_dual
        newton.step()
        if newton.outer_dual is outer_dual and newton.n_newton < _newton.MAX_NEWTON_STEPS:
            assert newton.point.phi <= before + 1e-14 * abs(before)
            n_compared += 1
    assert n_compared > 3


@small_cases
@containers
@with_and_without_intercept
def test_newton_reaches_the_optimum(case, kind, fit_intercept, rng):
    problem = draw_problem(case, rng, 15, 3, kind=kind, fit_intercept=fit_intercept, alpha=0.05)
    newton = solve(problem, 300)
    optimum = optimum_by_slsqp(case, problem)
    objective = primal_objective(problem, *newton.coefficients())
    assert abs(objective / optimum - 1) <= 1e-8
    assert best_bound(problem, newton.point.dual)[0] >= (1 - 1e-6) * optimum


@pytest.mark.parametrize("alpha", [0.1, 1e-3, 1e-5])
def test_newton_reaches_the_optimum_of_libsvm(alpha, rng):
    problem = draw_problem(CASES[0], rng, 200, 10, alpha=alpha)
    newton = solve(problem, 300)
    coef, intercept = solve_binary_with_intercept(problem.X, problem.y, alpha=alpha, sample_weight=problem.weights)
    optimum = primal_objective(problem, coef.T, intercept)
    assert primal_objective(problem, *newton.coefficients()) <= (1 + 1e-7) * optimum


@all_cases
def test_larger_problems_are_certified(case, rng):
    problem = draw_problem(case, rng, 200, 10, alpha=1e-3)
    newton = solve(problem, 150)
    bound = best_bound(problem, newton.point.dual)[0]
    assert primal_objective(problem, *newton.coefficients()) <= (1 + 1e-3) * bound


@small_cases
@with_and_without_intercept
def test_in_float32_it_says_where_rounding_ends_it(case, fit_intercept, rng):
    problem = draw_problem(case, rng, 60, 5, dtype=np.float32, fit_intercept=fit_intercept)
    newton = solve(problem, 400)
    assert newton.stalled
    coef, intercept = newton.coefficients()
    assert coef.dtype == np.float32
    bound = best_bound(problem, newton.point.dual)[0]
    assert primal_objective(problem, coef, intercept) <= 1.001 * bound


@small_cases
def test_the_start_is_left_as_it_is(case, rng):
    problem = draw_problem(case, rng)
    start = case.draw_feasible(rng, problem.y), rng.normal(size=(4, case.n_scores)), rng.normal(size=case.n_scores)
    copies = [part.copy() for part in start]
    newton = ProximalNewton(problem, *start, 1.0)
    for _ in range(5):
        newton.step()
        assert newton.work > 0
    for part, copy in zip(start, copies, strict=True):
        assert_allclose(part, copy, rtol=0)
