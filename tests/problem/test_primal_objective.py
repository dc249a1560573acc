"""The primal objective against a loop over its formula."""

from fractions import Fraction

import numpy as np
import problems
import pytest
import scipy.sparse as sp
from references import CASES

from linear_hinge.linalg.batches import CHUNK_SIZE
from linear_hinge.problem.objective import SCALES, primal_objective, scaled_objective
from linear_hinge.problem.problem import Problem


def problem_of(case, X, y, weights, alpha=0.3, margin=1.5):
    return Problem(X, y, weights, case.loss, case.n_scores, alpha, margin, fit_intercept=True)


def draw_problem(case, rng, n_samples=30):
    y = rng.permutation(np.arange(n_samples) % case.n_classes)
    return problem_of(case, rng.normal(size=(n_samples, 5)), y, rng.dirichlet(np.ones(n_samples)))


def objective_by_loop(case, problem, coef, intercept):
    """alpha/2 ‖W‖² + Σ_i ω_i ℓ(W x_i + b, y_i)."""
    total = problem.alpha / 2 * sum(w**2 for row in coef.tolist() for w in row)
    for x, y, weight in zip(problem.X.tolist(), problem.y, problem.weights, strict=True):
        scores = [sum(w * x_j for w, x_j in zip(column, x, strict=True)) for column in coef.T.tolist()]
        scores = [score + b for score, b in zip(scores, intercept, strict=True)]
        total += weight * case.reference.value(scores, y, problem.margin)
    return total


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array, sp.csr_matrix])
def test_primal_objective_is_the_formula(case, kind, rng):
    problem = draw_problem(case, rng)
    coef, intercept = rng.normal(size=(5, case.n_scores)), rng.normal(size=case.n_scores)
    expected = objective_by_loop(case, problem, coef, intercept)
    problem = problem_of(case, kind(problem.X), problem.y, problem.weights)
    assert primal_objective(problem, coef, intercept) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array, np.asfortranarray])
@pytest.mark.parametrize("size", [0.1, 1.0, 3.0])
def test_scaled_objective_is_the_least_of_the_scaled_coefficients(case, kind, size, rng):
    problem = draw_problem(case, rng)
    # Coefficients that predict well are worth being longer, others are not.
    coef = size * np.linalg.lstsq(problem.X, case.draw_feasible(rng, problem.y), rcond=None)[0]
    intercept = 0.1 * rng.normal(size=case.n_scores)
    problem = problem_of(case, kind(problem.X), problem.y, problem.weights)
    objective, scale = scaled_objective(problem, coef, intercept)
    objectives = [primal_objective(problem, t * coef, t * intercept) for t in SCALES]
    assert objective == pytest.approx(min(objectives), rel=1e-13)
    assert objectives[list(SCALES).index(scale)] == pytest.approx(objective, rel=1e-13)
    assert type(objective) is type(scale) is float


def test_coefficients_that_are_too_short_are_made_longer():
    """A row on each side, at a distance of one from the plane: the best W is (1, 0), if alpha is small."""
    X, y = np.array([[1.0, 0.0], [-1.0, 0.0]]), np.array([1, 0])
    case = next(case for case in CASES if case.n_scores == 1)
    problem = problem_of(case, X, y, np.full(2, 0.5), alpha=1e-3, margin=1.0)
    for t in SCALES:
        assert scaled_objective(problem, np.array([[1 / t], [0.0]]), np.zeros(1)) == (pytest.approx(5e-4), t)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_at_zero_the_objective_is_the_loss_of_equal_scores(case, rng):
    problem = draw_problem(case, rng)
    of_class = [case.reference.value([0] * case.n_scores, y, problem.margin) for y in range(case.n_classes)]
    zero_scores = problem.weights @ np.array(of_class, dtype=float)[problem.y]
    objective = primal_objective(problem, np.zeros((5, case.n_scores)), np.zeros(case.n_scores))
    assert objective == pytest.approx(zero_scores, rel=1e-14)


@pytest.mark.parametrize("case", CASES[:4], ids=str)
def test_rows_without_weight_are_as_good_as_absent(case, rng):
    problem = draw_problem(case, rng)
    weights = np.where(np.arange(30) % 3, problem.weights, 0)
    kept = np.flatnonzero(weights)
    coef, intercept = rng.normal(size=(5, case.n_scores)), rng.normal(size=case.n_scores)
    with_all = problem_of(case, problem.X, problem.y, weights)
    without = problem_of(case, problem.X[kept], problem.y[kept], weights[kept])
    assert with_all.rows.tolist() == kept.tolist()
    expected = primal_objective(without, coef, intercept)
    assert primal_objective(with_all, coef, intercept) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("n_samples", [CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, 2 * CHUNK_SIZE + 5])
@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array])
def test_borders_of_chunks_do_not_show(n_samples, kind, rng):
    case = CASES[2]
    problem = draw_problem(case, rng, n_samples)
    coef, intercept = rng.normal(size=(5, case.n_scores)), rng.normal(size=case.n_scores)
    losses = case.loss.values(problem.X @ coef + intercept, problem.y, problem.margin)
    expected = problem.alpha / 2 * (coef**2).sum() + problem.weights @ losses
    problem = problem_of(case, kind(problem.X), problem.y, problem.weights)
    assert primal_objective(problem, coef, intercept) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("n_samples", [CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, 2 * CHUNK_SIZE + 5])
def test_float32_data_are_summed_in_float64(n_samples):
    """All scores are zero and every loss is 1.5: only the sums can round. 0.1f is what float32 makes of 0.1."""
    X, y = np.zeros((n_samples, 3000), np.float32), np.arange(n_samples) % 3
    weights = np.arange(1.0, n_samples + 1) / np.arange(1.0, n_samples + 1).sum()
    problem = problem_of(CASES[2], X, y, weights, alpha=2.0)
    coef = np.full((3000, 3), 0.1, np.float32)
    objective = primal_objective(problem, coef, np.zeros(3, np.float32))
    assert objective == pytest.approx(9000 * float(np.float32(0.1)) ** 2 + 1.5, rel=1e-12)
    assert type(objective) is float


@pytest.mark.parametrize("case", problems.SMALL_CASES, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array])
def test_losses_far_below_the_margin_are_exact(case, kind, dtype, rng):
    """Coefficients that put rows on their margins: what is left of Δ and the scores is rounding, and yet right."""
    problem = problems.draw_problem(case, rng, 6, 12, kind=kind, dtype=dtype, alpha=1e-9)
    X, y = problems.dense(problem), problem.y
    target = 2 * y[:, None] - 1 if case.n_scores == 1 else np.where(np.arange(case.n_scores) == y[:, None], 1, -1)
    coef = np.linalg.lstsq(X, target * (0.5 if case.loss.sums_to_zero else 1.0), rcond=None)[0].astype(dtype)
    intercept = np.full(case.n_scores, 1e-9, dtype)
    total = Fraction(problem.alpha) / 2 * sum(Fraction(float(w)) ** 2 for w in coef.ravel())
    for x, label, weight in zip(X, y, problem.weights, strict=True):
        scores = [
            sum(
                (Fraction(float(x_j)) * Fraction(float(w)) for x_j, w in zip(x, column, strict=True)),
                Fraction(float(b)),
            )
            for column, b in zip(coef.T, intercept, strict=True)
        ]
        total += Fraction(float(weight)) * case.reference.value(scores, int(label), 1)
    assert primal_objective(problem, coef, intercept) == pytest.approx(float(total), rel=1e-9)
