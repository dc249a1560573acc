"""The smoothed problem φ and its gradient, the steps that minimise it, and where they lead."""

import numpy as np
import pytest
import scipy.sparse as sp
from independent_solvers import solve_binary_with_intercept
from numpy.testing import assert_allclose, assert_array_equal
from problems import SMALL_CASES, dense, draw_problem, optimum_by_slsqp, slopes, start_newton
from references import CASES

from linear_hinge.problem.certificate import best_bound
from linear_hinge.problem.objective import primal_objective
from linear_hinge.solvers import proximal_newton as proximal_newton_module
from linear_hinge.solvers.proximal_newton import FLAT, NEAREST, ProximalNewton, _between

all_cases = pytest.mark.parametrize("case", CASES, ids=str)
small_cases = pytest.mark.parametrize("case", SMALL_CASES, ids=str)
with_and_without_intercept = pytest.mark.parametrize("fit_intercept", [True, False])
containers = pytest.mark.parametrize("kind", [np.asarray, sp.csr_array])


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


def phi(newton, stacked):
    """φ by its formula, in float64 and for dense rows."""
    problem, rho = newton.problem, newton.curvature
    scores = (dense(problem) - newton.mean) @ stacked[:-1] + stacked[-1]
    curvature = np.full(len(scores), rho)
    dual = problem.loss.prox(newton.outer_dual, scores, problem.y, curvature, problem.margin)
    values = (dual * scores).sum(axis=1) + problem.margin * problem.loss.dual_values(dual, problem.y)
    values -= rho / 2 * ((dual - newton.outer_dual) ** 2).sum(axis=1)
    return problem.alpha / 2 * (stacked[:-1] ** 2).sum() + problem.weights @ values


# φ and its gradient


@all_cases
@containers
@with_and_without_intercept
def test_gradient_is_the_slope_of_phi(case, kind, fit_intercept, rng):
    newton = start_newton(case, rng, kind=kind, fit_intercept=fit_intercept)
    stacked = newton.point.stacked
    assert newton.point.phi == pytest.approx(phi(newton, stacked), rel=1e-12)
    expected = slopes(lambda at: phi(newton, at), stacked, 1e-5)
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


def gap_of(newton):
    """P(W, b) − D(G⁺) where Newton is, by the formulas."""
    problem, stacked, dual = newton.problem, newton.point.stacked, newton.point.dual
    loss, scores = problem.loss, (dense(problem) - newton.mean) @ stacked[:-1] + stacked[-1]
    dual_part = (dense(problem) - newton.mean).T @ (problem.weights[:, None] * dual) / problem.alpha
    primal = problem.alpha / 2 * (stacked[:-1] ** 2).sum()
    primal += problem.weights @ loss.values(scores, problem.y, problem.margin)
    linear = problem.margin * problem.weights @ loss.dual_values(dual, problem.y)
    return primal - linear + problem.alpha / 2 * (dual_part**2).sum()


@all_cases
@containers
@with_and_without_intercept
def test_gap_is_that_of_the_coefficients_and_the_new_subgradients(case, kind, fit_intercept, rng):
    newton = start_newton(case, rng, kind=kind, fit_intercept=fit_intercept)
    problem, stacked = newton.problem, newton.point.stacked
    newton._gradient()
    dual = newton.point.dual
    dual_part = (dense(problem) - newton.mean).T @ (problem.weights[:, None] * dual) / problem.alpha
    bound = problem.margin * problem.weights @ case.by_rows("dual_value", dual, problem.y)
    bound -= problem.alpha / 2 * (dual_part**2).sum()
    scores = (dense(problem) - newton.mean) @ stacked[:-1] + stacked[-1]
    primal = problem.alpha / 2 * (stacked[:-1] ** 2).sum()
    primal += problem.weights @ case.by_rows("value", scores, problem.y, problem.margin)
    assert newton.gap == pytest.approx(primal - bound, rel=1e-10)


@all_cases
@containers
@with_and_without_intercept
def test_a_step_tells_the_gap_that_it_leaves(case, kind, fit_intercept, rng):
    """Not the one that the next outer step begins with, which is far larger."""
    newton = start_newton(case, rng, kind=kind, fit_intercept=fit_intercept)
    for _ in range(6):
        newton.step()
        assert newton.gap == pytest.approx(gap_of(newton), rel=1e-9, abs=1e-12)


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
        if newton.outer_dual is outer_dual and newton.n_newton < proximal_newton_module.MAX_NEWTON_STEPS:
            assert newton.point.phi <= before + 1e-14 * abs(before)
            n_compared += 1
    assert n_compared > 3


@all_cases
@containers
@with_and_without_intercept
@pytest.mark.parametrize("length", [1e-3, 10.0, 100.0])
def test_a_step_goes_to_where_the_slope_is_small_or_all_the_way(case, kind, fit_intercept, length, rng):
    newton = start_newton(case, rng, kind=kind, fit_intercept=fit_intercept)
    start, direction = newton.point, -length * newton._gradient()
    slope = -(direction**2).sum() / length
    assert newton._line_search(direction, slope)

    def slope_at(stacked):
        return (phi(newton, stacked + 1e-6 * direction / length) - phi(newton, stacked)) / 1e-6 * length

    assert slope_at(start.stacked) == pytest.approx(slope, rel=1e-3)
    assert newton.point.phi < start.phi
    assert newton.point.phi == pytest.approx(phi(newton, newton.point.stacked), rel=1e-12)
    if length == 1e-3:
        assert_array_equal(newton.point.stacked, start.stacked + direction)
    else:
        assert abs(slope_at(newton.point.stacked)) <= -(FLAT + 1e-3) * slope


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ((0.0, -1.0), (1.0, 1.0), 0.5),
        ((0.0, -1.0), (1.0, 3.0), 0.25),
        ((1.0, -1.0), (2.0, 1e9), 1 + NEAREST),
        ((0.0, -1e9), (2.0, 1.0), 2 - 2 * NEAREST),
        ((0.0, 0.0), (1.0, 0.0), 0.5),
    ],
)
def test_regula_falsi_stays_inside(left, right, expected):
    assert _between(left, right) == pytest.approx(expected)


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
def test_with_float32_data_it_says_where_the_rounding_of_float64_ends_it(case, fit_intercept, rng):
    problem = draw_problem(case, rng, 60, 5, dtype=np.float32, fit_intercept=fit_intercept)
    newton = solve(problem, 400)
    assert newton.stalled
    coef, intercept = newton.coefficients()
    bound = best_bound(problem, newton.point.dual)[0]
    assert primal_objective(problem, coef, intercept) <= (1 + 1e-9) * bound


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
