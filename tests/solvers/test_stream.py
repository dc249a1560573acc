"""`partial_fit` with `learning_rate="auto"`: batches climb the dual of all that has been seen."""

import pickle
from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp
from cases import LOSSES, blobs, calm_classifier, objective
from numpy.testing import assert_allclose, assert_array_equal
from problems import SMALL_CASES, dense, draw_problem, is_feasible, make_problem
from references import CASES
from sklearn.datasets import load_digits, load_iris, load_wine
from sklearn.preprocessing import StandardScaler

from linear_hinge import MulticlassHingeClassifier
from linear_hinge.kernels import batch_climb, stream_step
from linear_hinge.solvers.stream import DualStream

all_cases = pytest.mark.parametrize("case", CASES, ids=str)
small_cases = pytest.mark.parametrize("case", SMALL_CASES, ids=str)
all_losses = pytest.mark.parametrize("loss", LOSSES)
with_and_without_intercept = pytest.mark.parametrize("fit_intercept", [True, False])


def start_stream(problem, rng=None):
    """A stream that begins at random coefficients, or at zero."""
    shape = problem.X.shape[1], problem.n_scores
    draw = np.zeros if rng is None else lambda size: rng.normal(size=size)
    intercept = draw(shape[1:]) * problem.fit_intercept
    return DualStream(draw(shape).astype(problem.X.dtype), intercept.astype(problem.X.dtype))


def sweep(stream, problem, batch_size=10, rng=None, average=False):
    stream.sweep(problem, average=average, batch_size=batch_size, rng=rng)
    return stream


# The climb of one batch


def climb(problem, stream):
    """Subgradients of all rows as one batch of a stream."""
    batch = problem.loss, problem.X, stream.iterate.scores(problem.X), problem.y, problem.weights
    return batch_climb.climb(*batch, alpha=problem.alpha, margin=problem.margin, sigma2=stream.sigma2)


def climbed(case, problem, stream, dual, scores):
    """How much higher the dual is than with a batch of zeros: the past is fixed, and the scores are those before."""
    weighted = problem.weights[:, None] * dual
    linear = problem.margin * problem.weights @ case.by_rows("dual_value", dual, problem.y)
    quadratic = ((weighted.T @ dense(problem)) ** 2).sum() + stream.sigma2 * (weighted.sum(axis=0) ** 2).sum()
    return linear + (weighted * scores).sum() - quadratic / problem.alpha / 2


@all_cases
@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array])
@pytest.mark.parametrize("sigma2", [0.0, 2.0])
def test_a_batch_climbs_the_dual(case, kind, sigma2, rng, monkeypatch):
    problem = draw_problem(case, rng, kind=kind, alpha=0.5)
    stream = start_stream(problem, rng)
    stream.sigma2 = sigma2
    coef, intercept = stream.coefficients()
    scores = dense(problem) @ coef + intercept
    heights = [0.0]
    for n_steps in (1, 2, 3, 5, 20):
        monkeypatch.setattr(batch_climb, "MAX_BATCH_STEPS", n_steps)
        dual = climb(problem, stream)
        assert is_feasible(case, dual, problem.y).all()
        heights.append(climbed(case, problem, stream, dual, scores))
    assert min(heights[1:]) > 0
    assert heights[-1] >= 0.99 * max(heights)  # accelerated steps may overshoot a little
    for _ in range(20):  # near the top: nothing else is much higher
        other = climbed(case, problem, stream, case.draw_feasible(rng, problem.y), scores)
        assert other <= heights[-1] + 0.05 * abs(heights[-1])


@all_cases
@pytest.mark.parametrize("sigma2", [0.0, 2.0])
def test_a_batch_is_done_when_its_gap_is_small(case, sigma2, rng, monkeypatch):
    """The gap of the batch with the past fixed: its losses at the new scores less what the subgradients promise."""
    monkeypatch.setattr(batch_climb, "MAX_BATCH_STEPS", 1000)
    problem = draw_problem(case, rng, alpha=0.5)
    stream = start_stream(problem, rng)
    stream.sigma2 = sigma2
    coef, intercept = stream.coefficients()
    before = problem.X @ coef + intercept
    dual = climb(problem, stream)
    weighted = problem.weights[:, None] * dual
    after = before - (problem.X @ (problem.X.T @ weighted) + sigma2 * weighted.sum(axis=0)) / problem.alpha
    linear = problem.margin * case.by_rows("dual_value", dual, problem.y)
    gap = problem.weights @ (case.by_rows("value", after, problem.y, 1.0) - (dual * after).sum(axis=1) - linear)
    first = problem.weights @ case.by_rows("value", before, problem.y, 1.0)
    assert -1e-12 <= gap <= batch_climb.BATCH_ACCURACY * first


@small_cases
def test_a_stream_without_gram_matrices_is_the_same(case, rng, monkeypatch):
    problem = draw_problem(case, rng)
    coef, intercept = sweep(start_stream(problem), problem).coefficients()
    monkeypatch.setattr(batch_climb, "LARGEST_GRAM", 0)
    other, other_intercept = sweep(start_stream(problem), problem).coefficients()
    assert_allclose(other, coef, atol=1e-10)
    assert_allclose(other_intercept, intercept, atol=1e-10)


# What is left of the past


@all_cases
@with_and_without_intercept
def test_rows_that_meet_the_margin_leave_the_direction_of_the_coefficients(case, fit_intercept, rng):
    problem = draw_problem(case, rng, fit_intercept=fit_intercept)
    X = np.eye(case.n_classes)[problem.y] * 1e3
    easy = make_problem(case, X, problem.y, fit_intercept=fit_intercept)
    coef = 2 * np.eye(case.n_classes) - 1 if case.n_scores > 1 else np.array([[-1.0], [1.0]])
    stream = DualStream(coef.copy(), np.zeros(case.n_scores))
    sweep(stream, easy)
    found, intercept = stream.coefficients()
    length = np.linalg.norm(found) / np.linalg.norm(coef)
    assert 0 < length < 1
    assert_allclose(found, length * coef, rtol=1e-12)
    assert not intercept.any()


@all_cases
@with_and_without_intercept
def test_coefficients_are_those_of_the_subgradients_of_all_batches(case, fit_intercept, rng, monkeypatch):
    """Every batch weighs as much as its rows among all that has been seen, the imaginary ones at the start included."""
    problem = draw_problem(case, rng, 40, fit_intercept=fit_intercept)
    stream = start_stream(problem)
    duals = []

    def remember(*batch, **constants):
        duals.append(batch_climb.climb(*batch, **constants))
        return duals[-1]

    monkeypatch.setattr(stream_step, "climb", remember)
    sweep(stream, problem)
    weights = problem.weights / stream.weight_unit
    assert stream.weight_seen > weights.sum()
    dual = np.concatenate(duals) * weights[:, None] / stream.weight_seen
    coef, intercept = stream.coefficients()
    assert_allclose(coef, -(problem.X.T @ dual) / problem.alpha, atol=1e-11)
    if fit_intercept:
        assert_allclose(stream.imbalance, dual.sum(axis=0), atol=1e-13)
        assert_allclose(intercept, stream.centre - stream.sigma2 / problem.alpha * stream.imbalance, atol=1e-11)
    else:
        assert not intercept.any()


@all_cases
@with_and_without_intercept
@pytest.mark.parametrize("average", [False, 1])
def test_sparse_rows_give_the_model_of_dense_ones(case, fit_intercept, average, rng):
    problem = draw_problem(case, rng, 60, fit_intercept=fit_intercept)
    sparse = make_problem(case, sp.csr_array(problem.X), problem.y, problem.weights, fit_intercept=fit_intercept)
    results = [
        sweep(start_stream(of), of, rng=np.random.RandomState(0), average=average).coefficients()
        for of in (problem, sparse)
    ]
    for ours, theirs in zip(*results, strict=True):
        assert_allclose(ours, theirs, atol=1e-10)


def test_rows_without_weight_are_no_stream(rng):
    problem = draw_problem(SMALL_CASES[0], rng, kind=sp.csr_array)
    problem.weights[:] = 0
    stream = start_stream(problem)
    sweep(stream, problem)
    assert (stream.t, stream.has_begun) == (0, False)


# Through the estimator


@all_losses
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("container", [np.asarray, sp.csr_array])
def test_chunks_are_the_stream_in_one_piece_to_the_bit(loss, n_classes, container):
    X, y = blobs(n_samples=96, n_classes=n_classes)
    whole, chunked = (calm_classifier(loss=loss, shuffle=False) for _ in range(2))
    whole.partial_fit(container(X), y, classes=np.arange(n_classes))
    for start in range(0, 96, 48):
        rows = slice(start, start + 48)
        chunked.partial_fit(container(X)[rows], y[rows], classes=np.arange(n_classes))
    assert_array_equal(chunked.coef_, whole.coef_)
    assert_array_equal(chunked.intercept_, whole.intercept_)


def test_memory_does_not_grow_with_the_stream():
    X, y = blobs(n_samples=64)
    model = calm_classifier().partial_fit(X, y, classes=[0, 1, 2])
    sizes = set()
    for _ in range(30):
        sizes.add(len(pickle.dumps(model.partial_fit(X, y))))
    assert max(sizes) - min(sizes) < 50  # the counter


@pytest.mark.parametrize("load", [load_iris, load_wine, load_digits])
def test_one_pass_is_at_least_as_good_as_with_a_learning_rate(load):
    """Ratios of the objectives after one pass, over losses and alphas: below one on average, nowhere much above."""
    X, y = load(return_X_y=True)
    X, classes = StandardScaler().fit_transform(X), np.unique(y)
    ratios = {}
    for loss, alpha in product(LOSSES, (1e-1, 1e-2, 1e-3, 1e-4)):
        values = [
            [
                objective(model.partial_fit(X, y, classes=classes), X, y)
                for seed in range(300 // len(y) + 1)
                for model in [MulticlassHingeClassifier(loss, alpha=alpha, learning_rate=name, random_state=seed)]
            ]
            for name in ("auto", "optimal")
        ]
        ratios[loss, alpha] = np.exp(np.mean(np.log(values[0]) - np.log(values[1])))
    assert np.exp(np.mean(np.log(list(ratios.values())))) < 1
    assert {choice: ratio for choice, ratio in ratios.items() if ratio > 1.15} == {}


@all_losses
def test_more_passes_come_closer_to_the_optimum(loss):
    X, y = blobs(n_samples=100)
    least = calm_classifier(loss=loss).fit(X, y).dual_objective_
    model = calm_classifier(loss=loss)
    distances = []
    for n_passes in range(1, 41):
        model.partial_fit(X, y, classes=[0, 1, 2])
        if n_passes in (1, 5, 40):
            distances.append(objective(model, X, y) / least - 1)
    assert distances[0] > distances[1] > distances[2]
    assert distances[2] < 0.03


@all_losses
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize(("alpha", "close"), [(0.1, 1.02), (1e-3, 1.25)])
def test_after_a_fit_the_same_rows_do_not_ruin_the_model(loss, n_classes, alpha, close):
    X, y = blobs(n_samples=300, n_classes=n_classes)
    auto, optimal = (calm_classifier(loss=loss, alpha=alpha).fit(X, y) for _ in range(2))
    least = auto.objective_
    optimal.set_params(learning_rate="optimal")
    for _ in range(3):
        reached = objective(auto.partial_fit(X, y), X, y)
        assert reached <= close * least
        assert reached <= 1.001 * objective(optimal.partial_fit(X, y), X, y)


@all_losses
def test_zeros_and_single_rows_do_no_harm(loss):
    X, y = blobs(n_samples=30)
    model = calm_classifier(loss=loss)
    model.partial_fit(np.zeros((3, 5)), [0, 1, 2], classes=[0, 1, 2])
    for row in range(30):
        model.partial_fit(X[row : row + 1], y[row : row + 1])
    assert np.isfinite(model.coef_).all()
    assert np.isfinite(model.intercept_).all()
    assert objective(model, X, y) < objective(calm_classifier(loss=loss).partial_fit(0 * X, y, classes=[0, 1, 2]), X, y)


@small_cases
@with_and_without_intercept
def test_one_batch_of_k_fold_weight_is_k_times_its_rows(case, fit_intercept, rng):
    problem = draw_problem(case, rng, fit_intercept=fit_intercept)
    rows = rng.permutation(np.repeat(np.arange(30), 3))
    heavy = make_problem(case, problem.X, problem.y, fit_intercept=fit_intercept)
    repeated = make_problem(case, problem.X[rows], problem.y[rows], fit_intercept=fit_intercept)
    results = []
    for of, weight in ((heavy, 3), (repeated, 1)):
        zero = np.zeros((4, case.n_scores)), np.zeros(case.n_scores)
        stream = DualStream(*zero, 0, of.weights.max() / weight)
        results.append(sweep(stream, of, batch_size=100).coefficients())
    for ours, theirs in zip(*results, strict=True):
        assert_allclose(ours, theirs, atol=1e-10)
