"""The dual far along the way of many passes."""

import numpy as np
import pytest
import scipy.sparse as sp
from cases import mostly_slow
from numpy.testing import assert_allclose, assert_array_equal
from problems import SMALL_CASES, Literal, dense, draw_problem, is_feasible, start_ascent
from references import CASES

from linear_hinge import MulticlassHingeClassifier
from linear_hinge.problem.certificate import best_bound
from linear_hinge.solvers.extrapolation import Extrapolation, projection
from linear_hinge.solvers.minibatches import PASSES_TOGETHER

all_cases = pytest.mark.parametrize("case", CASES, ids=str)
with_and_without_intercept = pytest.mark.parametrize("fit_intercept", [True, False])
dtypes = pytest.mark.parametrize("dtype", [np.float64, np.float32])
containers = pytest.mark.parametrize("kind", [np.asarray, sp.csr_array])


def start(case, rng, n_passes=3, **options):
    """An ascent that has made some passes, and an extrapolation from where it began."""
    problem = draw_problem(case, rng, alpha=0.01, **options)
    ascent = start_ascent(problem)
    ascent.run_pass()
    extrapolation = Extrapolation(ascent)
    for _ in range(n_passes):
        ascent.run_pass()
    return ascent, extrapolation


@all_cases
@containers
@with_and_without_intercept
def test_a_step_climbs_and_keeps_what_belongs_together(case, kind, fit_intercept, rng):
    ascent, extrapolation = start(case, rng, kind=kind, fit_intercept=fit_intercept)
    literal = Literal(ascent.problem, ascent)
    literal.centre = ascent.state.centre
    moved = 0
    for _ in range(4):
        literal.dual, before = ascent.state.dual.copy(), literal.augmented_dual(case)
        extrapolation.step()
        moved += not np.array_equal(literal.dual, ascent.state.dual)
        literal.dual = ascent.state.dual
        assert literal.augmented_dual(case) >= before - 1e-13 * abs(before)
        assert is_feasible(case, ascent.state.dual, ascent.problem.y, atol=1e-12).all()
        fresh = start_ascent(ascent.problem, dual=ascent.state.dual)
        assert_allclose(ascent.raw, fresh.raw, atol=1e-10 * np.abs(fresh.raw).max())
        assert_allclose(ascent.state.imbalance, fresh.state.imbalance, atol=1e-12)
        assert_allclose(
            ascent.state.raw_on_mean,
            fresh.state.raw_on_mean,
            atol=1e-10 * max(1, np.abs(fresh.state.raw_on_mean).max()),
        )
        ascent.run_pass()
        literal.centre = ascent.state.centre
    assert moved > 0


@all_cases
@with_and_without_intercept
def test_the_best_length_is_where_the_dual_is_the_highest(case, fit_intercept, rng):
    ascent, _ = start(case, rng, fit_intercept=fit_intercept)
    literal = Literal(ascent.problem, ascent)
    literal.centre = ascent.state.centre
    dual = ascent.state.dual.copy()
    change = case.draw_feasible(rng, ascent.problem.y) - dual
    weighted = ascent.problem.weights[:, None] * change
    length = ascent.best_length(change, -dense(ascent.problem).T @ weighted / ascent.problem.alpha)
    values = []
    for at in (length - 1e-3, length, length + 1e-3):
        literal.dual = dual + at * change
        values.append(literal.augmented_dual(case))
    assert values[1] > max(values[0], values[2])


@all_cases
@dtypes
def test_projections_are_the_nearest_feasible_points(case, dtype, rng):
    """Nothing feasible is on the other side of the plane through the projection: ⟨a − p, g − p⟩ ≤ 0."""
    y = np.arange(40) % case.n_classes
    away = (2 * rng.normal(size=(40, case.n_scores))).astype(dtype)
    nearest = projection(case.loss, away, y)
    assert nearest.dtype == dtype
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    assert is_feasible(case, nearest.astype(np.float64), y, atol=tolerance).all()
    for label in range(case.n_classes):
        rows = y == label
        for vertex in case.vertices(label):
            assert (((away - nearest) * (vertex - nearest))[rows].sum(axis=1) <= 10 * tolerance).all()
    assert_allclose(projection(case.loss, nearest, y), nearest, atol=10 * tolerance)


@all_cases
def test_without_a_way_there_is_no_step(case, rng):
    ascent, _ = start(case, rng)
    extrapolation = Extrapolation(ascent)
    before = ascent.state.dual.copy(), ascent.raw.copy()
    extrapolation.step()
    assert_array_equal(ascent.state.dual, before[0])
    assert_array_equal(ascent.raw, before[1])


@pytest.mark.parametrize("case", SMALL_CASES, ids=str)
@mostly_slow("fit_intercept", [True, False])
def test_many_passes_come_much_nearer_to_the_best_dual(case, fit_intercept, rng):
    problem = draw_problem(case, rng, 200, 30, alpha=1e-4, fit_intercept=fit_intercept)
    bounds = []
    for extrapolating in (False, True):
        ascent = start_ascent(problem, batch_size=4, rng=np.random.RandomState(0))
        extrapolation = Extrapolation(ascent)
        for n_passes in range(1, 257):
            ascent.run_pass()
            if extrapolating and n_passes % PASSES_TOGETHER == 0:
                extrapolation.step()
            if n_passes in (64, 256):
                bounds.append(best_bound(problem, ascent.state.dual)[0])
    plain, _, extrapolated, best = bounds
    assert best - extrapolated < 0.6 * (best - plain)


@dtypes
def test_a_fit_is_certified_beyond_its_extrapolations(dtype, rng):
    X, y = rng.normal(size=(400, 600)).astype(dtype), np.arange(400) % 2  # so many coefficients that Newton waits
    X[:, 0] += y
    model = MulticlassHingeClassifier(alpha=1e-3, tol=0.05, random_state=0).fit(X, y)
    assert model.n_iter_ > 2 * PASSES_TOGETHER
    assert model.duality_gap_ <= 0.05
    again = MulticlassHingeClassifier(alpha=1e-3, tol=0.05, random_state=0).fit(X, y)
    assert_array_equal(again.coef_, model.coef_)
