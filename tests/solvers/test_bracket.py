"""The bracket of the optimum: the best of both sides is kept, and the gap is closed only where it is proven."""

import numpy as np
import pytest
from problems import SMALL_CASES, draw_problem, dual_objective, solve_by_slsqp, start_ascent

from linear_hinge.problem.objective import primal_objective
from linear_hinge.solvers.bracket import Bracket

small_cases = pytest.mark.parametrize("case", SMALL_CASES, ids=str)


def ascended(problem, n_passes):
    ascent = start_ascent(problem)
    for _ in range(n_passes):
        ascent.run_pass()
    return ascent


@small_cases
def test_the_optimum_lies_in_the_bracket_which_only_shrinks(case, rng):
    problem = draw_problem(case, rng, n_samples=12, n_features=2)
    optimum = primal_objective(problem, *solve_by_slsqp(case, problem))
    bracket, gap = Bracket(problem, tol=1e-9), np.inf
    for n_passes in (20, 1, 5, 40):  # not in the order of their quality
        ascent = ascended(problem, n_passes)
        bracket.incumbent.offer(*ascent.coefficients())
        bracket.prove(ascent.state.dual)
        assert bracket.dual_objective <= optimum <= bracket.objective + 1e-9
        assert bracket.gap == bracket.objective - bracket.dual_objective <= gap
        assert dual_objective(case, problem, bracket.dual.toarray()) == pytest.approx(bracket.dual_objective, rel=1e-9)
        gap = bracket.gap


@small_cases
@pytest.mark.parametrize("tol", [1e-1, 1e-12])
def test_a_fit_has_converged_where_the_gap_is_within_the_tolerance(case, tol, rng):
    problem = draw_problem(case, rng)
    bracket, ascent = Bracket(problem, tol), ascended(problem, 30)
    bracket.incumbent.offer(*ascent.coefficients())
    assert not bracket.converged
    assert bracket.progress(1.0, is_last=False).dual_objective == 0
    assert not bracket.converged
    bracket.prove(ascent.state.dual)
    progress = bracket.progress(2.0, is_last=True)
    assert bracket.converged == (bracket.relative_gap <= tol) == (tol == 1e-1)
    assert progress.objective == bracket.incumbent.objective
    assert progress.dual_objective == bracket.proven_objective
    assert progress.work == 2.0


@small_cases
def test_coefficients_of_zero_are_returned_where_they_are_the_proven_solution(case, rng):
    problem = draw_problem(case, rng, fit_intercept=False, alpha=1e9)
    bracket = Bracket(problem, tol=1e-6)
    bracket.incumbent.offer(rng.normal(size=bracket.incumbent.coef.shape), np.zeros(case.n_scores))
    subgradients = problem.loss.subgradients(np.zeros((len(problem.y), case.n_scores)), problem.y, problem.margin)
    bracket.prove(subgradients)
    progress = bracket.progress(1.0, is_last=False)
    assert bracket.converged
    assert not progress.coef.any()
    assert progress.objective == problem.objective_of_zero
