"""Minibatch steps that climb the dual, against the formulas of the module written out for dense, centred rows."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from problems import SMALL_CASES, Literal, dense, draw_problem, is_feasible, make_problem, start_ascent
from references import CASES

from linear_hinge.kernels import dual_step
from linear_hinge.kernels.direction import Direction
from linear_hinge.problem.objective import primal_objective
from linear_hinge.solvers.dual_ascent import (
    MOST_ACTIVE,
    MOST_TIMES,
    SKIPPED_PASSES,
    SMALL_GAP,
    is_sorted,
)
from linear_hinge.solvers.running_mean import RunningMean

all_cases = pytest.mark.parametrize("case", CASES, ids=str)
small_cases = pytest.mark.parametrize("case", SMALL_CASES, ids=str)
with_and_without_intercept = pytest.mark.parametrize("fit_intercept", [True, False])
containers = pytest.mark.parametrize("kind", [np.asarray, sp.csr_array, sp.csr_matrix])


# Steps


@all_cases
@containers
@with_and_without_intercept
def test_a_pass_makes_the_steps_of_the_formulas(case, kind, fit_intercept, rng):
    problem = draw_problem(case, rng, 31, kind=kind, fit_intercept=fit_intercept, margin=1.5)
    start = 0.5 * case.draw_feasible(rng, problem.y)
    intercept = rng.normal(size=case.n_scores) * fit_intercept
    ascent = start_ascent(problem, dual=start, intercept=intercept)
    literal = Literal(problem, ascent, intercept)
    ascent.run_pass()
    literal.run_pass(8)
    assert ascent.state.t == 4
    assert ascent.state.beta == pytest.approx(literal.beta, rel=1e-9)
    assert_allclose(ascent.state.dual, literal.dual, atol=1e-11)
    assert not np.allclose(ascent.state.dual, start)
    coef, b = ascent.coefficients()
    assert_allclose(coef, literal.coef().T, atol=1e-10 * np.abs(coef).max())
    assert_allclose(b, literal.intercept() - literal.coef() @ literal.mean, atol=1e-9)


@all_cases
@with_and_without_intercept
def test_no_step_lowers_the_dual_whatever_the_batch(case, fit_intercept, rng):
    problem = draw_problem(case, rng, fit_intercept=fit_intercept, alpha=0.01)
    ascent = start_ascent(problem)
    literal = Literal(problem, ascent)
    value = first = literal.augmented_dual(case)
    for batch_size in (1, 1, 2, 30, 5, 1, 17, 30) * 3:
        dual_step.step(ascent.state, problem.loss, problem.X, np.sort(rng.permutation(30)[:batch_size]))
        literal.dual = ascent.state.dual
        last, value = value, literal.augmented_dual(case)
        assert value >= last - 1e-13 * abs(last)
    assert value > first


@all_cases
@with_and_without_intercept
def test_no_other_length_of_a_step_climbs_higher(case, fit_intercept, rng):
    problem = draw_problem(case, rng, fit_intercept=fit_intercept, alpha=0.01)
    ascent = start_ascent(problem, dual=0.5 * case.draw_feasible(rng, problem.y))
    literal = Literal(problem, ascent)
    for _ in range(5):
        before = ascent.state.dual.copy()
        ascent.state.beta = 0.3  # too bold: the length has to make up for it
        _, scale = dual_step.step(ascent.state, problem.loss, problem.X, rng.permutation(30)[:20])
        literal.dual = ascent.state.dual
        best = literal.augmented_dual(case)
        is_whole = -scale * problem.alpha == 1  # and must not be longer
        for length in (0.5, 0.9, 0.999) if is_whole else (0.5, 0.9, 0.999, 1.001, 1.5):
            literal.dual = before + length * (ascent.state.dual - before)
            assert literal.augmented_dual(case) <= best + 1e-13


@all_cases
@containers
@with_and_without_intercept
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_remembered_stays_what_it_stands_for(case, kind, fit_intercept, dtype, rng):
    problem = draw_problem(case, rng, 50, kind=kind, dtype=dtype, fit_intercept=fit_intercept)
    ascent = start_ascent(problem, rng=rng, intercept=rng.normal(size=case.n_scores) * fit_intercept)
    for _ in range(10):
        ascent.run_pass()
    assert ascent.raw.dtype == ascent.state.dual.dtype == dtype
    rounding = 1e3 * np.finfo(dtype).eps
    weighted = problem.weights[:, None] * ascent.state.dual
    raw = -(dense(problem).T @ weighted) / problem.alpha
    assert_allclose(ascent.raw, raw, atol=rounding * np.abs(raw).max())
    assert_allclose(ascent.state.imbalance, weighted.sum(axis=0) * fit_intercept, atol=rounding)
    assert is_feasible(case, ascent.state.dual, problem.y, atol=rounding).all()
    # The scores that steps are made from are those of the coefficients that come out.
    coef, intercept = ascent.coefficients()
    assert coef.dtype == intercept.dtype == dtype
    expected = dense(problem) @ coef + intercept
    some = np.array([3, 20, 7])
    scores = dense(problem)[some] @ ascent.raw + ascent.state.offsets(some)
    assert_allclose(scores, expected[some], atol=rounding * np.abs(expected).max())


@all_cases
@with_and_without_intercept
def test_the_estimate_of_the_gap_is_the_gap_with_every_row_at_its_last_visit(case, fit_intercept, rng):
    """With one batch these are the coefficients before the step; without intercept it is a true gap."""
    problem = draw_problem(case, rng, fit_intercept=fit_intercept)
    ascent = start_ascent(problem, batch_size=30)
    for _ in range(SKIPPED_PASSES + 1):
        ascent.run_pass()
    ascent.n_until_full = 0
    literal = Literal(problem, ascent)
    literal.centre, literal.dual = ascent.state.centre, ascent.state.dual.copy()
    scores, dual = literal.scores(), literal.dual
    losses = case.by_rows("value", scores, problem.y, problem.margin)
    linear = case.by_rows("dual_value", dual, problem.y) * problem.margin
    ascent.run_pass()
    assert ascent.gap == pytest.approx(problem.weights @ (losses - (dual * scores).sum(axis=1) - linear), rel=1e-9)
    if not fit_intercept:
        primal = primal_objective(problem, literal.coef().T, np.zeros(case.n_scores))
        assert ascent.gap == pytest.approx(primal - literal.augmented_dual(case), rel=1e-9)


@small_cases
@with_and_without_intercept
def test_the_gap_closes(case, fit_intercept, rng):
    problem = draw_problem(case, rng, fit_intercept=fit_intercept, alpha=0.3)
    ascent = start_ascent(problem, rng=rng)
    gaps = []
    for _ in range(100):
        ascent.run_pass()
        gaps.append(ascent.gap)
    assert gaps[-1] < 1e-3 * gaps[0]
    assert not fit_intercept or np.abs(ascent.state.imbalance).max() < 1e-3


# Containers and weights


@all_cases
@with_and_without_intercept
@pytest.mark.parametrize("kind", [sp.csr_array, sp.csr_matrix])
def test_sparse_rows_give_the_model_of_dense_ones(case, fit_intercept, kind, rng):
    problem = draw_problem(case, rng, 50, fit_intercept=fit_intercept)
    sparse = make_problem(
        case, kind(problem.X), problem.y, problem.weights, alpha=problem.alpha, fit_intercept=fit_intercept
    )
    ascents = [start_ascent(of, rng=np.random.RandomState(0)) for of in (problem, sparse)]
    for _ in range(6):
        for ascent in ascents:
            ascent.run_pass(average_above=-np.inf)
    for ours, theirs in zip(ascents[1].coefficients(), ascents[0].coefficients(), strict=True):
        assert_allclose(ours, theirs, atol=1e-10)
    for ours, theirs in zip(ascents[1].average, ascents[0].average, strict=True):
        assert_allclose(ours, theirs, atol=1e-10)


@all_cases
@containers
@with_and_without_intercept
def test_a_row_of_weight_k_is_k_rows_in_any_order_when_a_batch_holds_all(case, kind, fit_intercept, rng):
    problem = draw_problem(case, rng, fit_intercept=fit_intercept)
    counts = rng.randint(0, 4, size=30)
    constants = {"alpha": problem.alpha, "fit_intercept": fit_intercept}
    weighted = make_problem(case, kind(problem.X), problem.y, counts, **constants)
    rows = rng.permutation(np.repeat(np.arange(30), counts))
    repeated = make_problem(case, kind(problem.X[rows]), problem.y[rows], **constants)
    ascents = [start_ascent(of, batch_size=100) for of in (weighted, repeated)]
    for _ in range(12):
        for ascent in ascents:
            ascent.run_pass()
    for ours, theirs in zip(ascents[0].coefficients(), ascents[1].coefficients(), strict=True):
        assert_allclose(ours, theirs, atol=1e-10)
    assert ascents[0].gap == pytest.approx(ascents[1].gap, rel=1e-8, abs=1e-13)


@small_cases
def test_rows_without_weight_are_not_visited(case, rng):
    problem = draw_problem(case, rng)
    problem = make_problem(case, problem.X, problem.y, np.where(np.arange(30) % 3, 1, 0))
    ascent = start_ascent(problem)
    assert ascent.run_pass() == 20
    assert not ascent.state.dual[::3].any()


@small_cases
@with_and_without_intercept
def test_rows_of_zeros_alone_do_no_harm(case, fit_intercept):
    y = np.arange(30) % case.n_classes
    problem = make_problem(case, np.zeros((30, 4)), y, fit_intercept=fit_intercept)
    ascent = start_ascent(problem)
    for _ in range(SKIPPED_PASSES + 2):
        ascent.run_pass(average_above=-np.inf)
    ascent.n_until_full = 0  # the last visits all rows again
    ascent.run_pass(average_above=-np.inf)
    for coef, intercept in (ascent.coefficients(), ascent.average):
        assert not coef.any()
        assert np.isfinite(intercept).all()
    assert is_feasible(case, ascent.state.dual, y).all()


# Skipping


def passes_of(ascent, n_passes, monkeypatch):
    """The rows that every pass visits, and the gaps that the rows had before it."""
    visited, told = [], []
    step = dual_step.step
    monkeypatch.setattr(dual_step, "step", lambda *args: visited.extend(args[-1]) or step(*args))
    for _ in range(n_passes):
        gaps = ascent.state.row_gaps.copy(), ascent.gap
        visited.clear()
        assert ascent.run_pass() == len(visited)
        told.append((np.array(visited), *gaps))
    return told


@small_cases
def test_only_rows_with_a_small_gap_are_skipped_and_they_are_few(case, rng, monkeypatch, numpy_steps):
    problem = draw_problem(case, rng, 90, alpha=0.5)
    n_skipping = 0
    for visited, row_gaps, gap in passes_of(start_ascent(problem), 40, monkeypatch):
        skipped = np.setdiff1d(np.arange(90), visited)
        assert (row_gaps[skipped] <= SMALL_GAP * gap).all()
        if len(skipped) > 0:
            n_skipping += 1
            assert problem.weights[np.unique(visited)].sum() <= MOST_ACTIVE
    assert n_skipping > 10


@small_cases
def test_no_row_is_skipped_for_long(case, rng, monkeypatch, numpy_steps):
    told = passes_of(start_ascent(draw_problem(case, rng, 90, alpha=0.5)), 40, monkeypatch)
    is_full = np.array([len(np.unique(visited)) == 90 for visited, *_ in told])
    between = np.diff(np.flatnonzero(np.append(is_full, True)))
    assert is_full[0] and between.max() <= SKIPPED_PASSES + 1


@small_cases
def test_a_pass_over_few_rows_visits_each_of_them_equally_often(case, rng, monkeypatch, numpy_steps):
    ascent = start_ascent(draw_problem(case, rng, 90, alpha=0.5))
    often = []
    for visited, *_ in passes_of(ascent, 40, monkeypatch):
        rows, counts = np.unique(visited, return_counts=True)
        assert len(np.unique(counts)) == 1
        assert counts[0] <= MOST_TIMES
        assert len(visited) <= max(90, len(rows))
        often.append(counts[0])
    assert max(often) > 1


def test_where_no_row_has_a_gap_all_are_visited():
    """Zero is optimal where nothing distinguishes the classes, and reached at once."""
    problem = make_problem(CASES[0], np.zeros((4, 1)), np.array([0, 1, 0, 1]), fit_intercept=False)
    ascent = start_ascent(problem)
    for _ in range(2):
        ascent.run_pass()
    assert ascent.gap == 0
    assert ascent.run_pass(average_above=-np.inf) == 4
    assert_array_equal(ascent.average[0], ascent.coefficients()[0])


@small_cases
def test_no_row_is_twice_in_a_batch(case, rng, monkeypatch, numpy_steps):
    problem = draw_problem(case, rng, 90, alpha=0.5)
    ascent = start_ascent(problem, batch_size=7, rng=rng)
    batches = []
    step = dual_step.step
    monkeypatch.setattr(dual_step, "step", lambda *args: batches.append(args[-1]) or step(*args))
    n_visits = [ascent.run_pass(-np.inf if i % 2 == 1 else np.inf) for i in range(2 * SKIPPED_PASSES)]
    assert len(set(n_visits)) > 3
    assert all(len(np.unique(batch)) == len(batch) for batch in batches)


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        ([0] * 20 + [1] * 20, True),
        ([0, 1] * 20, False),
        ([0, 1, 2, 2] * 10, False),
        ([0] * 39 + [1], False),
        ([0], False),
    ],
)
def test_rows_sorted_by_class_are_seen(y, expected):
    assert is_sorted(np.array(y)) == expected


# Averages


@all_cases
@containers
def test_the_average_is_the_mean_of_the_second_half_of_a_pass(case, kind, rng, monkeypatch, numpy_steps):
    problem = draw_problem(case, rng, 50, kind=kind)
    ascent = start_ascent(problem, batch_size=7, rng=rng)
    ascent.run_pass()
    iterates = []
    step = dual_step.step

    def remember(*args):
        done = step(*args)
        iterates.append(ascent.coefficients())
        return done

    monkeypatch.setattr(dual_step, "step", remember)
    n_rows = ascent.run_pass(average_above=-np.inf)
    assert len(iterates) > 3
    for average, parts in zip(ascent.average, zip(*iterates, strict=True), strict=True):
        assert_allclose(average, np.mean(parts[n_rows // 7 // 2 :], axis=0), atol=1e-10)
    ascent.run_pass()
    assert ascent.average is None


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_running_mean_is_the_mean(dtype, rng):
    raw = rng.normal(size=(6, 3)).astype(dtype)
    mean = RunningMean(raw, 3)
    coefs, intercepts, imbalances = [], [], []
    for _ in range(20):
        change = Direction(rng.permutation(6)[:2], rng.normal(size=(2, 3)).astype(dtype))
        length, intercept, imbalance = rng.normal(), rng.normal(size=3), rng.normal(size=3)
        change.add_to(raw, length)
        mean.add(change, length, intercept, imbalance)
        coefs.append(raw.astype(float))
        intercepts.append(intercept)
        imbalances.append(imbalance)
    for ours, parts in zip(mean.value(), (coefs, intercepts, imbalances), strict=True):
        assert_allclose(ours, np.mean(parts, axis=0), atol=100 * np.finfo(dtype).eps)
