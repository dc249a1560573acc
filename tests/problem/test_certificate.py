"""Weak duality: a bound that no coefficients undercut, wherever it comes from and whatever cannot be balanced."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from cases import LOSSES, blobs
from hypothesis import given, settings
from hypothesis import strategies as st
from independent_solvers import solve_binary_with_intercept, solve_without_intercept
from numpy.testing import assert_allclose, assert_array_equal
from problems import (
    SMALL_CASES,
    dense,
    draw_problem,
    dual_objective,
    is_feasible,
    make_problem,
    optimum_by_slsqp,
    params_of,
)
from references import CASES, frozen

from linear_hinge import MulticlassHingeClassifier
from linear_hinge.losses import get_loss
from linear_hinge.problem import certificate as certificate_module
from linear_hinge.problem.certificate import best_bound, bound_of, estimated_bound
from linear_hinge.problem.dual_sums import added_up, coef_from_dual, proof_sums, with_signs
from linear_hinge.problem.objective import primal_objective
from linear_hinge.problem.problem import Problem

all_cases = pytest.mark.parametrize("case", CASES, ids=str)
small_cases = pytest.mark.parametrize("case", SMALL_CASES, ids=str)
with_and_without_intercept = pytest.mark.parametrize("fit_intercept", [True, False])

ROUNDING = 1e-9


@st.composite
def problems_with_duals(draw):
    """A problem of any scale, and feasible duals, some of them zero and all of them perhaps tiny."""
    case = draw(st.sampled_from(CASES))
    rng = np.random.RandomState(draw(st.integers(0, 10**6)))
    constants = {
        "alpha": 10 ** draw(st.floats(-6, 3)),
        "margin": draw(st.sampled_from([1.0, 0.01, 30.0])),
        "fit_intercept": draw(st.booleans()),
        "offset": draw(st.sampled_from([0.0, 1.0, 1000.0])),
    }
    problem = draw_problem(case, rng, draw(st.integers(case.n_classes, 40)), draw(st.integers(1, 6)), **constants)
    decades = draw(st.sampled_from([0, 1, 10]))
    weights = problem.weights * 10 ** rng.uniform(-decades, 0, size=len(problem.y))
    problem = make_problem(case, problem.X, problem.y, weights, **without(constants, "offset"))
    dual = case.draw_feasible(rng, problem.y) * 10 ** draw(st.floats(-12, 0))
    dual[rng.uniform(size=len(dual)) < draw(st.sampled_from([0, 0.5, 0.9]))] = 0
    return case, problem, dual, rng


def without(constants, *names):
    return {name: value for name, value in constants.items() if name not in names}


def coefficients_to_try(problem, feasible, rng):
    """Random ones, and W of the bound with intercepts around the best ones."""
    for size in (0.01, 1, 100):
        shape = (problem.X.shape[1], problem.n_scores)
        yield rng.normal(scale=size, size=shape), rng.normal(scale=size, size=problem.n_scores)
    coef = coef_from_dual(problem, feasible)
    for row in rng.choice(len(problem.y), size=3):
        yield coef, -(problem.X[row] @ coef) + problem.margin * rng.uniform(-1, 1, size=problem.n_scores)


# Weak duality


@settings(max_examples=200)
@given(problems_with_duals())
def test_no_coefficients_undercut_a_bound(drawn):
    _, problem, dual, rng = drawn
    bound, feasible = best_bound(problem, *frozen(dual))
    assert bound >= 0
    for coef, intercept in coefficients_to_try(problem, feasible, rng):
        intercept = intercept * problem.fit_intercept
        assert bound <= (1 + ROUNDING) * primal_objective(problem, coef, intercept)


@settings(max_examples=200)
@given(problems_with_duals())
def test_a_bound_is_the_dual_objective_of_feasible_balanced_subgradients(drawn):
    case, problem, dual, _ = drawn
    bound, feasible = best_bound(problem, dual)
    assert is_feasible(case, feasible, problem.y).all()
    if problem.fit_intercept:
        assert np.abs(problem.weights @ feasible).max() <= 1e-13
    linear = problem.margin * problem.weights @ case.by_rows("dual_value", feasible, problem.y)
    # What rounding may do is subtracted: more of it where the rows are far from zero, or a class has next to no weight.
    lost = 1e-12 * case.n_scores * problem.margin
    assert dual_objective(case, problem, feasible) == pytest.approx(bound, rel=1e-6, abs=1e-7 * linear + lost)
    # It is scaled by the best factor.
    assert dual_objective(case, problem, feasible * 0.99) <= bound + 1e-7 * linear + lost


@all_cases
def test_without_intercept_a_bound_is_at_least_what_it_is_made_of(case, rng):
    problem = draw_problem(case, rng, alpha=0.5, fit_intercept=False)
    for size in (1e-6, 0.3, 1.0):
        dual = size * case.draw_feasible(rng, problem.y)
        assert best_bound(problem, dual)[0] >= (1 - 1e-11) * dual_objective(case, problem, dual)


@all_cases
@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array])
def test_coefficients_of_a_dual_are_the_formula(case, kind, rng):
    problem = draw_problem(case, rng, kind=kind)
    dual = case.draw_feasible(rng, problem.y)
    expected = -sum(
        weight * np.outer(x, g) / problem.alpha
        for x, weight, g in zip(dense(problem), problem.weights, dual, strict=True)
    )
    assert_allclose(coef_from_dual(problem, dual), expected, atol=1e-13 * np.abs(expected).max())


@all_cases
@pytest.mark.parametrize("size", [0.1, 1.0])
def test_without_intercept_an_estimate_is_the_bound_for_coefficients_that_are_right(case, size, rng):
    problem = draw_problem(case, rng, fit_intercept=False)
    dual = size * case.draw_feasible(rng, problem.y)
    estimate = estimated_bound(problem, dual, (coef_from_dual(problem, dual) ** 2).sum())
    bound, _ = best_bound(problem, dual)
    assert 0 <= estimate <= bound * (1 + 1e-12)  # G is not scaled beyond what is known to be feasible
    if size == 1.0:
        assert estimate == pytest.approx(bound, rel=1e-12)


# Against optima found by others


def fitted_problem(X, y, weights=None, **params):
    """A model fitted to a gap of 1e-8, its problem and its subgradients. A margin may be an array."""
    model = MulticlassHingeClassifier(tol=1e-8, random_state=0, **params).fit(X, y, weights)
    weights = np.ones(len(y)) if weights is None else weights
    margin, costs = (model.margin, None) if np.ndim(model.margin) == 0 else (1.0, model.margin)
    loss = get_loss(model.loss, len(model.classes_), costs)
    shape = len(model.coef_), model.alpha, margin, model.fit_intercept
    return Problem(X, y, weights / weights.sum(), loss, *shape), model.dual_coef_.toarray()


def assert_bounds_are_below_and_reach(optimum, problem, dual, rng, close=1e-6):
    """The bound of the fit is close to the optimum; those of spoilt subgradients are farther from it, below."""
    bound, _ = best_bound(problem, dual)
    assert (1 - close) * optimum <= bound <= (1 + ROUNDING) * optimum
    for noise in (1e-9, 1e-6, 1e-3, 0.1, 1.0):
        other = problem.loss.subgradients(rng.normal(size=dual.shape), problem.y, problem.margin)
        assert best_bound(problem, (1 - noise) * dual + noise * other)[0] <= (1 + ROUNDING) * optimum


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("alpha", [1.0, 0.01])
def test_without_intercept_bounds_reach_the_optimum_of_liblinear_and_l_bfgs(alpha, loss, n_classes, rng):
    X, y = blobs(n_classes=n_classes)
    problem, dual = fitted_problem(X, y, loss=loss, alpha=alpha, fit_intercept=False)
    coef = solve_without_intercept(X, y, loss=loss, alpha=alpha, tol=1e-10)
    optimum = primal_objective(problem, coef.T, np.zeros(len(coef)))
    assert_bounds_are_below_and_reach(optimum, problem, dual, rng)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("alpha", [1.0, 0.01])
def test_with_two_classes_and_intercept_bounds_reach_the_optimum_of_libsvm(alpha, weighted, rng):
    X, y = blobs(n_classes=2)
    weights = rng.exponential(size=len(y)) if weighted else None
    problem, dual = fitted_problem(X, y, weights, alpha=alpha)
    coef, intercept = solve_binary_with_intercept(X, y, alpha=alpha, sample_weight=weights)
    assert_bounds_are_below_and_reach(primal_objective(problem, coef.T, intercept), problem, dual, rng)


@small_cases
@pytest.mark.parametrize("alpha", [0.3, 0.03])
@pytest.mark.parametrize("n_samples", [9, 15])
def test_tiny_problems_with_intercept_are_those_of_a_quadratic_program(n_samples, alpha, case, rng):
    problem = draw_problem(case, rng, n_samples, 2, alpha=alpha)
    _, dual = fitted_problem(problem.X, problem.y, problem.weights, alpha=alpha, **params_of(case))
    assert_bounds_are_below_and_reach(optimum_by_slsqp(case, problem), problem, dual, rng)


# Balance


def far_from_the_origin():
    """Two rows at 1000 and 1002. The optimum has w = 1, b = −1001 and subgradients (0.1, −0.1)."""
    X, y = np.array([[1000.0], [1002.0]]), np.array([0, 1])
    problem = make_problem(CASES[0], X, y)
    dual = np.array([[0.1], [-0.1]])
    optimum = primal_objective(problem, np.array([[1.0]]), np.array([-1001.0]))
    assert best_bound(problem, dual)[0] == pytest.approx(optimum, rel=1e-8)
    return problem, dual, optimum


def test_imbalance_that_is_not_accounted_for_would_give_bounds_above_the_optimum(monkeypatch):
    problem, dual, optimum = far_from_the_origin()
    dual[0] += 1e-6
    monkeypatch.setattr(type(problem.loss), "balance", lambda self, dual, y, weights: None)
    assert best_bound(problem, dual)[0] < 0.999 * optimum  # |v| |b*| is subtracted
    monkeypatch.setattr(certificate_module, "_lost_to_imbalance", lambda *_: 0.0)
    assert best_bound(problem, dual)[0] > 1.001 * optimum
    monkeypatch.undo()
    assert 0.999 * optimum < best_bound(problem, dual)[0] <= optimum


@pytest.mark.filterwarnings("ignore:The model predicts")
@small_cases
@pytest.mark.parametrize(("imbalance", "least"), [(1e-3, 0), (1e-6, 0.98), (1e-11, 1 - 2e-6)])
def test_little_imbalance_costs_little_and_gains_nothing(case, imbalance, least, rng):
    problem = draw_problem(case, rng, 12, 2, alpha=0.3, offset=20.0)
    optimum = optimum_by_slsqp(case, problem)
    model = MulticlassHingeClassifier(alpha=0.3, tol=1e-6, random_state=0, **params_of(case))
    dual = model.fit(problem.X, problem.y, problem.weights).dual_coef_.toarray()
    for _ in range(5):
        moved = dual + imbalance * (case.draw_feasible(rng, problem.y) - dual)
        bound = best_bound(problem, moved)[0]
        assert bound <= (1 + ROUNDING) * optimum
        assert bound >= least * optimum


@small_cases
@pytest.mark.parametrize("size", [1.0, 1e-3])
def test_a_class_without_subgradients_weakens_a_bound_and_does_not_make_it_wrong(case, size, rng):
    problem = draw_problem(case, rng, 12, 2, alpha=0.3)
    dual = size * np.where(problem.y[:, None] == 0, 0, case.draw_feasible(rng, problem.y))
    bound, feasible = best_bound(problem, dual)
    assert np.abs(problem.weights @ feasible).max() <= 1e-13
    assert (bound > 0) == (case.n_classes > 2)  # with two classes nothing is left on the other side
    assert bound <= (1 + ROUNDING) * optimum_by_slsqp(case, problem)


@pytest.mark.parametrize("case", [case for case in SMALL_CASES if case.loss.sums_to_zero], ids=str)
def test_flows_that_never_come_back_give_nothing(case, rng):
    problem = draw_problem(case, rng)
    dual = np.where(np.arange(3) > problem.y[:, None], rng.uniform(0, 0.5, size=(30, 3)), 0)
    dual[np.arange(30), problem.y] = -dual.sum(axis=1)
    bound, feasible = best_bound(problem, dual)
    assert bound == 0
    assert not feasible.any()


@all_cases
def test_nothing_remembered_gives_nothing(case, rng):
    problem = draw_problem(case, rng)
    bound, feasible = best_bound(problem, np.zeros((30, case.n_scores)))
    assert bound == 0
    assert_array_equal(feasible, np.zeros((30, case.n_scores)))


@all_cases
def test_numbers_that_are_not_finite_give_nothing(case, rng):
    problem = draw_problem(case, rng, fit_intercept=False)
    for number in (np.nan, np.inf):
        dual = case.draw_feasible(rng, problem.y)
        dual[3] = number
        assert best_bound(problem, dual)[0] == 0


# Rows without weight, and precision


@all_cases
@with_and_without_intercept
def test_rows_without_weight_do_not_count(case, fit_intercept, rng):
    problem = draw_problem(case, rng, alpha=0.5, fit_intercept=fit_intercept)
    weights = np.where(np.arange(30) % 3, problem.weights, 0)
    kept = np.flatnonzero(weights)
    constants = {"alpha": 0.5, "fit_intercept": fit_intercept}
    with_all = make_problem(case, problem.X, problem.y, weights, **constants)
    alone = make_problem(case, problem.X[kept], problem.y[kept], weights[kept], **constants)
    dual = case.draw_feasible(rng, problem.y)
    expected, expected_dual = best_bound(alone, dual[kept])
    assert expected > 0
    dual[weights == 0] = 7.0  # not even feasible
    bound, feasible = best_bound(with_all, dual)
    assert bound == pytest.approx(expected, rel=1e-12)
    assert_allclose(feasible[kept], expected_dual, atol=1e-12)
    assert not feasible[weights == 0].any()


@small_cases
@with_and_without_intercept
@pytest.mark.parametrize("offset", [0.5, 300.0])
def test_float32_gives_bounds_in_float64(case, offset, fit_intercept, rng):
    """Of the same data: every number of X is taken for what it is, and sums are formed in float64."""
    problem = draw_problem(case, rng, 12, 2, dtype=np.float32, fit_intercept=fit_intercept, offset=offset)
    wide = make_problem(case, dense(problem), problem.y, problem.weights, fit_intercept=fit_intercept)
    # An intercept takes up the offset, which costs SLSQP a hundred times as many steps.
    near = make_problem(case, wide.X - offset * fit_intercept, wide.y, wide.weights, fit_intercept=fit_intercept)
    optimum = optimum_by_slsqp(case, near)
    for _ in range(20):
        dual = case.draw_feasible(rng, problem.y).astype(np.float32)
        bound, feasible = best_bound(problem, dual)
        assert 0 <= bound <= (1 + ROUNDING) * optimum
        assert feasible.dtype == np.float64
        assert is_feasible(case, feasible, problem.y).all()
        assert dual_objective(case, wide, feasible) == pytest.approx(bound, rel=1e-9)


# Sums over parts of the rows


def bound_from_parts(problem, dual, parts):
    """The bound of a dual whose rows lie in parts, as a cluster computes it."""
    loss, pieces = problem.loss, []
    for rows in parts:
        share = problem.weights[rows].sum()
        if share == 0:  # a part without weight takes no part
            continue
        of_part = replace(problem, X=problem.X[rows], y=problem.y[rows], weights=problem.weights[rows] / share)
        pieces.append((of_part, share, with_signs(of_part, dual[rows])))
    factors = loss.balancing_factors(sum(share * loss.flows(G, part.y, part.weights) for part, share, G in pieces))
    balanced = [
        (part, share, loss.rescaled(G, part.y, factors) if problem.fit_intercept else G) for part, share, G in pieces
    ]
    sums = added_up(proof_sums(part, G).times(share) for part, share, G in balanced)
    return bound_of(problem, sums, None, len(parts))[0]


@given(problems_with_duals(), st.integers(1, 5), st.booleans())
def test_parts_give_the_bound_of_the_whole(drawn, n_parts, is_sorted):
    _, problem, dual, rng = drawn
    order = np.argsort(problem.y) if is_sorted else rng.permutation(len(problem.y))
    bound = bound_from_parts(problem, dual, np.array_split(order, n_parts))
    whole, feasible = best_bound(problem, dual)
    assert_allclose(bound, whole, rtol=1e-7, atol=1e-9 * problem.margin)
    for coef, intercept in coefficients_to_try(problem, feasible, rng):
        assert bound <= primal_objective(problem, coef, intercept * problem.fit_intercept)


@small_cases
@with_and_without_intercept
def test_a_part_beyond_its_polytope_spoils_the_whole(case, fit_intercept, rng):
    problem = draw_problem(case, rng, 20, fit_intercept=fit_intercept)
    dual = case.draw_feasible(rng, problem.y)
    dual[3] = np.nan
    assert bound_from_parts(problem, dual, np.array_split(np.arange(20), 4)) == 0
