"""From this alpha on W = 0 is proven to be within tol of the optimum."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from problems import SMALL_CASES, dense, draw_problem, make_problem

from linear_hinge.losses import BinaryHinge, WestonWatkins
from linear_hinge.problem import largest_alpha as largest_alpha_module
from linear_hinge.problem.certificate import best_bound
from linear_hinge.problem.largest_alpha import best_constants, better_than_zero, largest_alpha
from linear_hinge.problem.objective import primal_objective

small_cases = pytest.mark.parametrize("case", SMALL_CASES, ids=str)
with_and_without_intercept = pytest.mark.parametrize("fit_intercept", [True, False])


@small_cases
@with_and_without_intercept
@pytest.mark.parametrize("tol", [1e-1, 1e-3])
def test_zero_is_within_tol_of_its_bound(case, fit_intercept, tol, rng):
    problem = draw_problem(case, rng, fit_intercept=fit_intercept, margin=1.5)
    problem = problem.with_alpha(largest_alpha(problem, tol))
    dual, intercept = best_constants(problem)
    of_zero = primal_objective(problem, np.zeros((4, case.n_scores)), intercept)
    assert 1 - best_bound(problem, dual, of_zero)[0] / of_zero == pytest.approx(tol, rel=1e-6)


@pytest.mark.parametrize(
    "case",
    [case for case in SMALL_CASES if type(case.loss) in (BinaryHinge, WestonWatkins) and case.loss.costs is None],
    ids=str,
)
def test_it_is_the_smallest_where_all_margins_are_violated(case, rng):
    """As at zero with classes that weigh the same: P is known around it, and no smaller alpha has W = 0 within tol."""
    y = np.arange(30) % case.n_classes
    X = np.eye(case.n_classes)[y] + 0.1 * rng.normal(size=(30, case.n_classes))
    tol = 1e-4
    problem = make_problem(case, X, y)
    dual, intercept = best_constants(problem)
    problem = problem.with_alpha(0.9 * largest_alpha(problem, tol))
    coef = -(problem.weights[:, None] * X).T @ dual / problem.alpha
    of_zero = primal_objective(problem, np.zeros_like(coef), intercept)
    assert primal_objective(problem, coef, intercept) < (1 - tol) * of_zero


@small_cases
def test_it_is_a_number_where_the_means_of_the_classes_are_equal(case, rng):
    rows = rng.normal(size=(5, 3))
    X = np.concatenate([rows, -rows] * case.n_classes)
    problem = make_problem(case, X, np.repeat(np.arange(case.n_classes), 10))
    assert 0 < largest_alpha(problem, 1e-3) < 1e-10
    assert 0 < largest_alpha(make_problem(case, 0 * X, problem.y), 1e-3) < 1e-10


@small_cases
def test_rows_without_weight_do_not_count(case, rng):
    problem = draw_problem(case, rng)
    weights = np.array(problem.weights)
    weights[::3] = 0
    kept = weights > 0
    alphas = [
        largest_alpha(make_problem(case, problem.X[rows], problem.y[rows], weights[rows]), 1e-2)
        for rows in (slice(None), kept)
    ]
    assert alphas[0] == pytest.approx(alphas[1])


@small_cases
def test_where_a_fit_begins_its_dual_objective_is_above_zero(case, rng, monkeypatch):
    monkeypatch.setattr(largest_alpha_module, "STRONG", 0)
    problem = draw_problem(case, rng)
    smallest = largest_alpha(problem, 0.5)  # where D(G) = P₀/2
    for alpha, is_better in (
        (10 * smallest, True),
        (smallest, True),
        (0.49 * smallest, False),
        (1e-6 * smallest, False),
    ):
        start = better_than_zero(problem.with_alpha(alpha))
        assert (start is not None) == is_better
        if is_better:
            dual, intercept, coef = start
            assert_array_equal(intercept, best_constants(problem)[1])
            assert_allclose(coef, -(dense(problem).T @ (problem.weights[:, None] * dual)) / alpha, atol=1e-13)
            assert best_bound(problem.with_alpha(alpha), dual)[0] > 0


@pytest.mark.parametrize("options", [{"alpha": 1e-3}, {"alpha": 1e3, "fit_intercept": False}])
def test_nothing_is_computed_where_regularisation_is_weak_or_there_is_no_intercept(options, rng, monkeypatch):
    problem = draw_problem(SMALL_CASES[0], rng, **options)
    monkeypatch.setattr(largest_alpha_module, "best_constants", None)
    assert better_than_zero(problem) is None
