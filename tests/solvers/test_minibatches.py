"""Passes of minibatches: what they cost, what is estimated after them, and what goes on from an earlier fit."""

import numpy as np
import pytest
from cases import blobs, calm_classifier
from problems import SMALL_CASES, draw_problem, start_ascent

from linear_hinge.problem.certificate import best_bound
from linear_hinge.solvers import minibatches as minibatches_module
from linear_hinge.solvers.minibatches import COST_OF_EXTRAPOLATION, PASSES_TOGETHER, Minibatches

small_cases = pytest.mark.parametrize("case", SMALL_CASES, ids=str)


def start(case, rng, **options):
    problem = draw_problem(case, rng, 60, alpha=1e-3, **options)
    return Minibatches(start_ascent(problem), len(problem.rows))


@small_cases
def test_every_eighth_pass_extrapolates_and_no_other(case, rng):
    minibatches = start(case, rng)
    extra = []
    for _ in range(3 * PASSES_TOGETHER):
        work = minibatches.run_pass(np.inf, np.inf)
        passes = [estimate.passes for estimate in minibatches.estimates[-2:]]
        extra.append(work - (passes[-1] - (passes[0] if len(passes) > 1 else 0)))
    # The first of them only remembers where the change begins.
    expected = [COST_OF_EXTRAPOLATION if n in (2 * PASSES_TOGETHER, 3 * PASSES_TOGETHER) else 0 for n in range(1, 25)]
    assert extra == pytest.approx(expected)


def test_large_arrays_are_not_kept_twice(rng, monkeypatch):
    monkeypatch.setattr(minibatches_module, "LARGEST_EXTRAPOLATED", 1)
    minibatches = start(SMALL_CASES[0], rng)
    for _ in range(PASSES_TOGETHER):
        minibatches.run_pass(np.inf, np.inf)
    assert minibatches.extrapolation is None


@small_cases
def test_the_estimated_bound_is_that_of_the_last_pass(case, rng):
    minibatches = start(case, rng, fit_intercept=False)
    bounds = []
    for _ in range(3):
        minibatches.run_pass(np.inf, np.inf)
        bounds.append(minibatches.estimated_bound())
        assert bounds[-1] == pytest.approx(best_bound(minibatches.ascent.problem, minibatches.ascent.state.dual)[0])
    assert bounds == sorted(bounds)


@pytest.mark.filterwarnings("ignore:Not converged:sklearn.exceptions.ConvergenceWarning")
def test_passes_of_an_earlier_fit_are_not_counted_again():
    """How many samples a fit has seen is the weight of the model in a stream that goes on from it."""
    X, y = blobs()
    model = calm_classifier(alpha=1e-4, tol=1e-9, max_iter=6, warm_start=True).fit(X, y)
    first = model._trained_on_[0]
    assert first >= 6 * len(y)
    assert model.set_params(max_iter=1).fit(X, y)._trained_on_[0] == len(y)
