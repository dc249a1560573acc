"""Warm starts go on from where the steps were, if the problem is the same, and from the best that is true otherwise."""

import warnings

import numpy as np
import pytest
from cases import LOSSES, blobs, calm_classifier
from problems import SMALL_CASES, draw_problem, start_ascent
from sklearn.exceptions import ConvergenceWarning

from linear_hinge.solvers.warm_start import resumed_dual, save_steps

ignore_convergence = pytest.mark.filterwarnings("ignore:Not converged:sklearn.exceptions.ConvergenceWarning")


@ignore_convergence
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("passes", [1, 7])
def test_fits_of_few_passes_come_as_far_as_one_fit(loss, passes):
    """Also over the passes in which nothing can be proven, and from the minibatches to Newton."""
    X, y = blobs(n_samples=300, n_features=30, n_classes=4)
    params = {"loss": loss, "alpha": 1e-5, "tol": 1e-3}
    in_one = calm_classifier(**params).fit(X, y)
    model, n_fits = calm_classifier(**params, max_iter=passes, warm_start=True), 0
    while n_fits == 0 or model.duality_gap_ > 1e-3:
        model.fit(X, y)
        n_fits += 1
        assert n_fits * passes <= 2 * in_one.n_iter_ + 20


@pytest.mark.parametrize("case", SMALL_CASES, ids=str)
def test_steps_are_resumed_for_the_same_problem_only(case, rng):
    problem = draw_problem(case, rng)
    ascent = start_ascent(problem)
    ascent.run_pass()
    saved = save_steps(problem, ascent.state.dual, ascent.state.centre, ascent.state.beta, [ascent.gap])
    np.testing.assert_array_equal(resumed_dual(problem, saved), ascent.state.dual)
    assert resumed_dual(problem, None) is None
    assert resumed_dual(draw_problem(case, rng), saved) is None
    assert resumed_dual(draw_problem(case, rng, 31), saved) is None
    assert resumed_dual(draw_problem(case, rng, alpha=0.2), saved) is None


def test_without_warm_start_no_steps_are_kept():
    X, y = blobs()
    assert not hasattr(calm_classifier().fit(X, y), "_steps_")
    model = calm_classifier(warm_start=True).fit(X, y)
    assert model._steps_.dual.shape == (90, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        assert model.fit(X, y).n_iter_ <= 2
