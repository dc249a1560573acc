"""`StopFit`: when it stops, what it keeps, and whom it hands Ctrl-C back to."""

import signal

import numpy as np
import pytest
from cases import blobs

from linear_hinge import MulticlassHingeClassifier, StopFit
from linear_hinge.estimator.callbacks import HAS_CALLBACKS
from linear_hinge.solvers import takeover

pytestmark = pytest.mark.skipif(not HAS_CALLBACKS, reason="scikit-learn has callbacks from 1.9 on")


def fit(stop, *, learning_rate="auto", callbacks=(), **params):
    params = {"alpha": 1e-4, "tol": 0, "max_iter": 60, "random_state": 0} | params
    model = MulticlassHingeClassifier(learning_rate=learning_rate, **params).set_callbacks(stop, *callbacks)
    return model.fit(*blobs())


class Interrupt:
    """Presses Ctrl-C in the second pass, so many times."""

    def __init__(self, times=1):
        self.times = times

    def setup(self, estimator, context):
        self.n_passes = 0

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        self.n_passes += context.task_name == "pass"
        if self.n_passes == 2 and context.task_name == "pass":
            for _ in range(self.times):
                signal.raise_signal(signal.SIGINT)

    def on_fit_task_end(self, estimator, context):
        pass


@pytest.mark.parametrize("learning_rate", ["auto", "optimal"])
def test_after_a_time(learning_rate):
    stop = StopFit(seconds=1e-9)
    model = fit(stop, learning_rate=learning_rate)
    assert (model.n_iter_, stop.reason_) == (1, "seconds")
    assert model.score(*blobs()) > 0.4


def test_at_a_gap():
    stop = StopFit(gap=0.2)
    model = fit(stop)
    assert stop.reason_ == "gap"
    assert 0 < model.duality_gap_ <= 0.2
    assert (model.history_["gap"][:-1] > 0.2).all()


def test_when_a_score_no_longer_rises():
    stop = StopFit(validation=blobs(seed=0, n_samples=30), patience=3)
    model = fit(stop, learning_rate="optimal")
    assert stop.reason_ == "validation"
    assert 4 <= model.n_iter_ < 60


def test_passes_that_leave_the_model_as_it_is_do_not_count(monkeypatch):
    scored = []

    class Scored(MulticlassHingeClassifier):
        def score(self, X, y):
            scored.append(self.objective_)
            return 0.5

    monkeypatch.setattr(takeover, "EARLY_PASSES", 0)  # a Newton step changes the model every time
    model = Scored(alpha=1e-4, tol=0, max_iter=60, random_state=0)
    model.set_callbacks(StopFit(validation=blobs(), patience=2)).fit(*blobs())
    assert len(scored) == len(set(scored)) == 3
    assert model.n_iter_ > 3  # the objective is looked at after 4 and 16 passes


@pytest.mark.filterwarnings("ignore:Not converged")
def test_a_fit_that_meets_no_condition_goes_on():
    stop = StopFit(seconds=1e6, gap=1e-30)
    assert fit(stop, max_iter=3).n_iter_ == 3
    assert stop.reason_ is None


def test_ctrl_c_keeps_the_model(ctrl_c_raises):
    before = signal.getsignal(signal.SIGINT)
    stop = StopFit()
    model = fit(stop, callbacks=[Interrupt()])
    assert (model.n_iter_, stop.reason_) == (2, "interrupt")
    assert np.isfinite(model.coef_).all()
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(("stop", "times"), [(StopFit(), 2), (StopFit(interrupt=False), 1)])
def test_ctrl_c_that_raises(stop, times, ctrl_c_raises):
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        fit(stop, callbacks=[Interrupt(times)])
    assert signal.getsignal(signal.SIGINT) is before


def test_it_can_be_used_again():
    stop = StopFit(seconds=1e-9)
    fit(stop)
    stop.seconds = None
    stop.gap = 0.5
    assert fit(stop).duality_gap_ <= 0.5
    assert stop.reason_ == "gap"


@pytest.mark.parametrize(
    "wrong", [{"seconds": 0}, {"gap": -1}, {"patience": 0}, {"validation": 3}, {"interrupt": "no"}]
)
def test_wrong_parameters(wrong):
    with pytest.raises(ValueError, match=f"The '{next(iter(wrong))}' parameter of StopFit"):
        StopFit(**wrong)
