"""Subgradient descent against the loop that its formulas are, and how a fit by it comes to an end."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from references import CASES, frozen

from linear_hinge.kernels.scaled_iterate import LARGEST_SCALE
from linear_hinge.problem.objective import primal_objective
from linear_hinge.problem.problem import Problem
from linear_hinge.solvers import subgradient as subgradient_module
from linear_hinge.solvers.schedules import Adaptive, Constant, make_schedule
from linear_hinge.solvers.subgradient import PATIENCE_PASSES, PATIENCE_STEPS, ScheduledFit, SubgradientDescent

SCHEDULES = ["optimal", "constant", "invscaling", "adaptive"]
BINARY, CRAMMER_SINGER = CASES[0], CASES[2]

losses = pytest.mark.parametrize("case", [case for case in CASES if case.n_classes < 10], ids=str)
kinds = pytest.mark.parametrize("kind", [np.asarray, sp.csr_array], ids=["dense", "csr"])
averages = pytest.mark.parametrize("average", [False, True, 24], ids=["last", "average", "late average"])


def draw_problem(case, rng, *, kind=np.asarray, alpha=0.1, fit_intercept=True, dtype=np.float64, n_samples=30):
    """A problem with a third of the entries of X at zero, and with weights, two of them zero."""
    y = rng.permutation(np.arange(n_samples) % case.n_classes)
    X = rng.normal(size=(n_samples, 6)) * (rng.uniform(size=(n_samples, 6)) < 0.7)
    weights = rng.uniform(0.5, 2, size=n_samples)
    weights[[3, n_samples // 2]] = 0
    X, *_ = frozen(X.astype(dtype), y, weights)
    return Problem(kind(X), y, weights, case.loss, case.n_scores, alpha, 1.0, fit_intercept)


def start_of(problem, rng=None):
    """A descent from zero, or from random coefficients."""
    coef = np.zeros((problem.X.shape[1], problem.n_scores))
    intercept = np.zeros(problem.n_scores)
    if rng is not None:
        coef, intercept = rng.normal(size=coef.shape), rng.normal(size=intercept.shape)
    dtype = problem.X.dtype
    return SubgradientDescent(coef.astype(dtype), intercept.astype(dtype))


def literal_descent(case, problem, schedule, start, *, passes, average, batch_size, rng):
    """W ← W − η (alpha W + Σ ω g xᵀ), b ← b − η Σ ω g, row by row; the mean of the iterates with weights 1, 2, 3, …"""
    coef, intercept = start.iterate.unscaled.astype(float), start.iterate.intercept.astype(float)
    X = problem.X.toarray() if sp.issparse(problem.X) else problem.X
    present = [i for i in range(len(problem.y)) if problem.weights[i] > 0]
    iterates, t, n_seen = [], 0, 0
    for _ in range(passes):
        order = present if rng is None else rng.permutation(present)
        for batch in [order[i : i + batch_size] for i in range(0, len(order), batch_size)]:
            t, n_seen = t + 1, n_seen + len(batch)
            slope, slope_of_intercept = problem.alpha * coef, np.zeros_like(intercept)
            for i in batch:
                weight = problem.weights[i] / sum(problem.weights[j] for j in batch)
                scores = (X[i] @ coef + intercept).tolist()
                g = np.array(case.reference.subgradient(scores, int(problem.y[i]), problem.margin))
                slope += weight * np.outer(X[i], g)
                slope_of_intercept += weight * g
            coef = coef - schedule(t) * slope
            if problem.fit_intercept:
                intercept = intercept - schedule(t) * slope_of_intercept
            if average and n_seen >= average:
                iterates.append((coef, intercept))
    if not iterates:
        return coef, intercept
    p = np.arange(1, len(iterates) + 1)
    return tuple(np.average(np.array(part), axis=0, weights=p) for part in zip(*iterates, strict=True))


def compare(case, problem, schedule, *, passes=3, average=False, batch_size=8, seed=None, tolerance=1e-10):
    """Sweep, and assert that the literal loop comes out at the same place."""
    descent = start_of(problem, np.random.RandomState(1))
    options = {"average": average, "batch_size": batch_size}
    rngs = [None if seed is None else np.random.RandomState(seed) for _ in range(2)]
    expected = literal_descent(case, problem, schedule, descent, passes=passes, **options, rng=rngs[0])
    for _ in range(passes):
        descent.sweep(problem, schedule=schedule, **options, rng=rngs[1])
    for result, reference in zip(descent.coefficients(), expected, strict=True):
        assert_allclose(result, reference, rtol=tolerance, atol=tolerance * np.abs(reference).max())
    return descent


# The steps


@losses
@kinds
@averages
@pytest.mark.parametrize("name", SCHEDULES)
def test_sweeps_are_the_literal_loop(case, kind, average, name, rng):
    problem = draw_problem(case, rng, kind=kind)
    schedule = make_schedule(name, alpha=problem.alpha, row_norm=2.0, eta0=0.5, power_t=0.5)
    compare(case, problem, schedule, average=average)


@losses
@kinds
@pytest.mark.parametrize("batch_size", [1, 7, 28, 100])
@pytest.mark.parametrize("seed", [None, 0], ids=["in order", "shuffled"])
def test_batches_of_any_size_in_any_order(case, kind, batch_size, seed, rng):
    descent = compare(case, draw_problem(case, rng, kind=kind), Constant(0.3), batch_size=batch_size, seed=seed)
    assert descent.t == 3 * -(-28 // batch_size)
    assert descent.n_seen == 3 * 28


@kinds
@averages
@pytest.mark.parametrize("case", [BINARY, CRAMMER_SINGER], ids=str)
def test_without_an_intercept_it_stays(case, kind, average, rng):
    problem = draw_problem(case, rng, kind=kind, fit_intercept=False)
    descent = start_of(problem)
    descent.sweep(problem, schedule=Constant(0.5), average=average, batch_size=8, rng=None)
    assert not descent.coefficients()[1].any()
    compare(case, problem, Constant(0.5))


@kinds
@averages
@pytest.mark.parametrize("eta_alpha", [1.0, 1.5, 2.0, 0.9999, 1e7])
def test_steps_that_shrink_the_weights_to_nothing_or_beyond(kind, average, eta_alpha, rng):
    problem = draw_problem(CRAMMER_SINGER, rng, kind=kind, alpha=0.25)
    compare(CRAMMER_SINGER, problem, Constant(eta_alpha / 0.25), average=average, passes=2)


@kinds
@averages
@pytest.mark.parametrize("eta_alpha", [0.05, 0.3, 1.9])
def test_long_runs_renew_the_scale(kind, average, eta_alpha, rng):
    problem = draw_problem(CRAMMER_SINGER, rng, kind=kind, alpha=0.25)
    passes = int(3.5 * np.log(LARGEST_SCALE) / -np.log(abs(1 - eta_alpha)) / 4) + 1
    descent = compare(CRAMMER_SINGER, problem, Constant(eta_alpha / 0.25), average=average, passes=passes)
    assert abs(1 - eta_alpha) ** descent.t < LARGEST_SCALE**-3
    assert 1 / LARGEST_SCALE < abs(descent.iterate.scale) < LARGEST_SCALE


@losses
@averages
def test_sparse_and_dense_data_give_the_same_model(case, average):
    models = []
    for kind in (np.asarray, sp.csr_array, sp.csr_matrix):
        problem = draw_problem(case, np.random.RandomState(0), kind=kind)
        descent = start_of(problem)
        descent.sweep(problem, schedule=Constant(0.3), average=average, batch_size=8, rng=np.random.RandomState(0))
        models.append(np.vstack(descent.coefficients()))
    assert_allclose(models[1], models[0], atol=1e-13)
    assert_array_equal(models[1], models[2])


@kinds
@averages
@pytest.mark.parametrize("layout", ["C", "F"])
def test_chunks_of_whole_batches_are_the_stream_in_one_piece(kind, average, layout, rng):
    """To the bit: partial_fit may be called on any multiple of batch_size."""
    X, y = np.asarray(rng.normal(size=(48, 6)), order=layout), rng.randint(3, size=48)
    weights = rng.uniform(0.5, 2, size=48)
    models = []
    for size in (8, 24, 48):
        descent = SubgradientDescent(np.zeros((6, 3)), np.zeros(3))
        for i in range(0, 48, size):
            chunk = kind(X[i : i + size]), y[i : i + size], weights[i : i + size]
            problem = Problem(*chunk, CRAMMER_SINGER.loss, 3, 0.1, 1.0, True)
            descent.sweep(problem, schedule=Constant(0.3), average=average, batch_size=8, rng=None)
        models.append(np.vstack(descent.coefficients()))
    assert_array_equal(models[1], models[0])
    assert_array_equal(models[2], models[0])


@averages
def test_a_step_on_sparse_rows_leaves_other_features_alone(average, rng):
    problem = draw_problem(CRAMMER_SINGER, rng)
    X = np.array(problem.X)
    X[:, [1, 4]] = 0
    problem = Problem(sp.csr_array(X), problem.y, problem.weights, CRAMMER_SINGER.loss, 3, 0.1, 1.0, True)
    descent = start_of(problem, rng)
    before = descent.iterate.unscaled.copy()
    descent.sweep(problem, schedule=Constant(0.3), average=average, batch_size=8, rng=None)
    assert_array_equal(descent.iterate.unscaled[[1, 4]], before[[1, 4]])
    assert (descent.iterate.unscaled[[0, 2, 3, 5]] != before[[0, 2, 3, 5]]).all()
    assert descent.iterate.scale == pytest.approx((1 - 0.3 * 0.1) ** 4)


@losses
def test_only_ratios_of_weights_count_and_a_weight_of_two_is_two_rows(case, rng):
    problem = draw_problem(case, rng)
    weights = rng.randint(1, 4, size=30).astype(float)
    repeats = np.repeat(np.arange(30), weights.astype(int))
    models = []
    for rows, of_rows in [(slice(None), weights), (slice(None), 1e-3 * weights), (repeats, np.ones(len(repeats)))]:
        data = problem.X[rows], problem.y[rows], of_rows
        repeated = Problem(*data, case.loss, case.n_scores, 0.1, 1.0, True)
        descent = start_of(repeated)
        for _ in range(20):
            descent.sweep(repeated, schedule=Constant(0.1), average=False, batch_size=1000, rng=None)
        models.append(np.vstack(descent.coefficients()))
    assert_allclose(models[1], models[0], atol=1e-12)
    assert_allclose(models[2], models[0], atol=1e-12)


@kinds
@averages
@pytest.mark.parametrize("name", SCHEDULES)
def test_float32_stays_float32(kind, average, name, rng):
    problem = draw_problem(CRAMMER_SINGER, rng, kind=kind, dtype=np.float32)
    row_norm = np.float64(2)
    schedule = make_schedule(name, alpha=np.float64(0.1), row_norm=row_norm, eta0=np.float64(0.5), power_t=0.5)
    descent = compare(CRAMMER_SINGER, problem, schedule, average=average, tolerance=1e-5)
    for array in (*descent.coefficients(), descent.iterate.unscaled, descent.iterate.intercept):
        assert array.dtype == np.float32


# The end of a fit


class ScriptedDescent:
    """Steps that lead nowhere; the objective is read from a script."""

    def __init__(self, steps_per_pass):
        self.steps_per_pass = steps_per_pass
        self.t = 0

    def sweep(self, problem, **options):
        self.t += self.steps_per_pass

    def coefficients(self):
        return np.zeros((1, 1)), np.zeros(1)


@pytest.fixture
def passes_until_settled(monkeypatch):
    """How many passes a fit makes whose objective takes these values, the last for ever; None after 300."""

    def count(objectives, *, steps_per_pass=PATIENCE_STEPS, schedule=None, tol=0.01):
        script = iter(objectives)
        last = objectives[-1]
        monkeypatch.setattr(subgradient_module, "primal_objective", lambda *args: next(script, last))
        descent = ScriptedDescent(steps_per_pass)
        fit = ScheduledFit(None, descent, schedule or Constant(1.0), tol=tol, average=False, batch_size=1, rng=None)
        for n_passes in range(1, 301):
            fit.run_pass(is_last=False)
            assert fit.finished == fit.converged
            if fit.converged:
                return n_passes
        return None

    return count


def test_a_fit_settles_after_passes_without_progress(passes_until_settled):
    assert passes_until_settled([1.0]) == 1 + PATIENCE_PASSES
    assert passes_until_settled([8.0, 4.0, 2.0, 1.0]) == 4 + PATIENCE_PASSES
    assert passes_until_settled([1.0, 0.995]) == 1 + PATIENCE_PASSES  # less progress than tol
    assert passes_until_settled([0.0]) == 1 + PATIENCE_PASSES


def test_a_fit_does_not_settle_while_the_objective_falls(passes_until_settled):
    assert passes_until_settled([0.98**n for n in range(301)]) is None
    # Slowly, but by tol within the passes that it is given.
    assert passes_until_settled([0.997**n for n in range(301)]) is None
    assert passes_until_settled([0.999**n for n in range(301)]) == 1 + PATIENCE_PASSES


def test_small_passes_are_given_more_of_them(passes_until_settled):
    assert passes_until_settled([1.0], steps_per_pass=1) == 1 + PATIENCE_STEPS
    assert passes_until_settled([1.0], steps_per_pass=PATIENCE_STEPS // 10) == 1 + 10


def test_a_fit_does_not_end_at_a_noisy_objective(passes_until_settled):
    assert passes_until_settled([1.0, *[1.5] * 20, 1.005]) == 22
    assert passes_until_settled([1.0, 1.5]) is None


def test_a_schedule_that_can_shorten_is_asked_first(passes_until_settled):
    schedule = Adaptive(1e-4)  # 2e-5 and 4e-6 follow; the next is too small
    assert passes_until_settled([1.0], schedule=schedule) == 1 + 3 * PATIENCE_PASSES
    assert schedule(1) == pytest.approx(1e-4 / 5**3)


def test_shorter_steps_get_through_where_long_ones_are_stuck(rng):
    problem = draw_problem(CRAMMER_SINGER, rng)
    problem = Problem(problem.X, problem.y, problem.weights / problem.weights.sum(), *fields_after_weights(problem))
    reached = {}
    for schedule in (Constant(1.0), Adaptive(1.0)):
        fit = ScheduledFit(
            problem, start_of(problem), schedule, tol=1e-3, average=False, batch_size=8, rng=np.random.RandomState(0)
        )
        for _ in range(1000):
            progress = fit.run_pass(is_last=False)
            if fit.converged:
                break
        assert progress.objective == primal_objective(problem, progress.coef, progress.intercept)
        reached[type(schedule)] = progress.objective
        assert fit.best <= progress.objective
    assert fit.converged
    assert schedule(1) < 1e-6
    assert reached[Adaptive] < 0.95 * reached[Constant]


def fields_after_weights(problem):
    return problem.loss, problem.n_scores, problem.alpha, problem.margin, problem.fit_intercept


def test_advice_names_what_to_change(rng):
    problem = draw_problem(BINARY, rng)
    options = {"tol": 0.0125, "average": False, "batch_size": 8, "rng": None}
    fit = ScheduledFit(problem, start_of(problem), Constant(0.1), **options)
    fit.run_pass(is_last=False)
    for words in ("tol=0.0125", "max_iter", "scale the features", "learning_rate", f"{fit.best:.6g}"):
        assert words in fit.advice()
