"""The best equal scores of all samples, and the subgradients that prove it, by independent linear programs."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from problems import SMALL_CASES, is_feasible
from references import CASES, BinaryReference, with_costs
from scipy.optimize import OptimizeResult, linprog

from linear_hinge.losses import BinaryHinge, CrammerSinger, WestonWatkins
from linear_hinge.losses import constant_scores as constant_scores_module

all_cases = pytest.mark.parametrize("case", CASES, ids=str)
WEIGHTS = {
    2: ([0.5, 0.5], [0.1, 0.9], [0.7, 0.3]),
    3: ([1 / 3] * 3, [0.5, 0.3, 0.2], [0.1, 0.8, 0.1], [0.4, 0.4, 0.2], [0.375, 0.3125, 0.3125], [0.5, 0.25, 0.25]),
}


def least_loss(case, weights):
    """min_b Σ_y π_y ℓ(b, y) with Δ = 1: ℓ is the largest ⟨g, b⟩ + c(g) of the vertices g of D_y."""
    n_scores, n_classes = case.n_scores, len(weights)
    rows, limits = [], []
    for label in range(n_classes):
        for vertex in case.vertices(label):
            rows.append(np.concatenate([vertex, -np.eye(n_classes)[label]]))
            limits.append(-case.reference.dual_value(vertex.tolist(), label))
    costs = np.concatenate([np.zeros(n_scores), weights])
    return linprog(costs, A_ub=np.array(rows), b_ub=limits, bounds=(None, None)).fun


@pytest.mark.parametrize("case", SMALL_CASES, ids=str)
def test_no_equal_scores_are_better(case):
    for weights in WEIGHTS[case.n_classes]:
        weights = np.array(weights)
        scores, dual = case.loss.best_constants(weights, True)
        y = np.arange(case.n_classes)
        value = weights @ case.loss.values(np.repeat(scores[None], len(y), axis=0), y, 1.0)
        assert value == pytest.approx(least_loss(case, weights), abs=1e-9)
        assert weights @ case.loss.dual_values(dual, y) == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize("weights", WEIGHTS[2])
@pytest.mark.parametrize("costs", [[[0, 0], [1, 0]], [[0, 2], [0, 0]]])
def test_a_class_that_asks_for_no_distance_gives_what_the_other_takes(costs, weights):
    case, weights = with_costs(BinaryHinge, BinaryReference, np.array(costs, dtype=float)), np.array(weights)
    scores, dual = case.loss.best_constants(weights, True)
    value = weights @ case.loss.values(np.repeat(scores[None], 2, axis=0), np.arange(2), 1.0)
    assert value == pytest.approx(least_loss(case, weights), abs=1e-9)
    assert weights @ case.loss.dual_values(dual, np.arange(2)) == pytest.approx(value, abs=1e-9)
    assert_allclose(weights @ dual, 0, atol=1e-12)


@all_cases
@pytest.mark.parametrize("has_intercept", [True, False])
def test_the_subgradients_are_feasible_and_balanced(case, has_intercept, rng):
    for _ in range(20):
        weights = rng.dirichlet(np.full(case.n_classes, 0.5)) + 1e-6
        weights /= weights.sum()
        scores, dual = case.loss.best_constants(weights, has_intercept)
        assert is_feasible(case, dual, np.arange(case.n_classes), atol=1e-9).all()
        if has_intercept:
            assert_allclose(weights @ dual, 0, atol=1e-9)
        else:
            assert_allclose(scores, 0)


@all_cases
def test_without_an_intercept_they_are_subgradients_at_zero(case):
    y = np.arange(case.n_classes)
    _, dual = case.loss.best_constants(np.full(case.n_classes, 1 / case.n_classes), False)
    at_zero = case.loss.values(np.zeros_like(dual), y, 1.0)
    assert_allclose(case.loss.dual_values(dual, y), at_zero)


def test_equal_classes_exchange_equally():
    for loss in (CrammerSinger(), WestonWatkins()):
        _, dual = loss.best_constants(np.full(4, 0.25), True)
        others = dual[~np.eye(4, dtype=bool)]
        assert_allclose(others, others[0])


def test_many_classes_get_a_flow_without_a_program(monkeypatch, rng):
    weights = rng.dirichlet(np.ones(6))
    best = weights @ -np.diag(WestonWatkins().best_constants(weights, True)[1])
    monkeypatch.setattr(constant_scores_module, "MOST_CLASSES", 5)
    scores, dual = WestonWatkins().best_constants(weights, True)
    assert_allclose(weights @ dual, 0, atol=1e-12)
    assert 0.8 * best < weights @ -np.diag(dual) < best
    assert not scores.any()


@all_cases
def test_weights_of_very_different_sizes_are_no_obstacle(case, rng):
    """HiGHS calls some of these linear programs infeasible, although no flow at all is feasible."""
    sizes = [[6.02744594e-09, 1.43216304e-05, 5.07654318e-08, 9.99985622e-01]]
    sizes += (10 ** rng.uniform(-15, 0, (100, 4))).tolist()
    for size in sizes:
        weights = np.resize(size, case.n_classes)
        scores, dual = case.loss.best_constants(weights / weights.sum(), True)
        assert np.isfinite(scores).all()
        assert is_feasible(case, dual, np.arange(case.n_classes)).all()


@pytest.mark.parametrize("case", [case for case in SMALL_CASES if case.n_scores > 1], ids=str)
def test_a_linear_program_that_is_not_solved_costs_little(case, monkeypatch):
    weights = np.array([0.5, 0.3, 0.2])
    monkeypatch.setattr(constant_scores_module, "linprog", lambda *args, **options: OptimizeResult(x=None))
    _, dual = case.loss.best_constants(weights, True)
    assert_allclose(weights @ dual, 0, atol=1e-12)
    assert is_feasible(case, dual, np.arange(3)).all()
    assert weights @ case.loss.dual_values(dual, np.arange(3)) > 0
