"""At home in scikit-learn: pipelines, searches, meta-estimators, storage, routing, callbacks, and no side effects."""

import pickle
import subprocess
import sys
import warnings

import joblib
import numpy as np
import pytest
import scipy.sparse as sp
import sklearn
from cases import LEARNING_RATES, LOSSES, SOLVERS, blobs, calm_classifier
from numpy.testing import assert_array_equal
from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning, UnsetMetadataPassedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_info

from linear_hinge import MulticlassHingeClassifier
from linear_hinge.estimator.callbacks import HAS_CALLBACKS
from linear_hinge.solvers import takeover

# Pipelines and searches


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("learning_rate", LEARNING_RATES)
def test_pipeline_with_a_scaler(loss, learning_rate):
    X, y = load_wine(return_X_y=True)
    model = make_pipeline(StandardScaler(), calm_classifier(learning_rate, loss=loss, alpha=0.5)).fit(X, y)
    assert model.score(X, y) > 0.97


TEXTS = {
    "weather": ["rain and wind in the north", "sun all day and no wind", "snow and rain at night", "clouds, then sun"],
    "food": ["bread with butter", "rice and beans with onions", "soup with bread", "fried rice and a soup of beans"],
    "sports": [
        "the team won the match",
        "a goal in the last minute",
        "the match ended without a goal",
        "team of the year",
    ],
}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_text_end_to_end(loss, learning_rate):
    texts, labels = zip(*[(text, label) for label, group in TEXTS.items() for text in group], strict=True)
    model = make_pipeline(TfidfVectorizer(), calm_classifier(learning_rate, loss=loss, batch_size=4))
    model.fit(texts, labels)
    assert model[:-1].transform(texts).format == "csr"
    assert model.score(texts, labels) == 1
    unseen = ["beans with butter", "wind and snow", "the goal of the team"]
    assert model.predict(unseen).tolist() == ["food", "weather", "sports"]


def test_frames_from_upstream_bring_their_names():
    data = load_iris(as_frame=True)
    model = make_pipeline(StandardScaler().set_output(transform="pandas"), calm_classifier()).fit(
        data.data, data.target
    )
    assert model[-1].feature_names_in_.tolist() == data.feature_names
    assert model.score(data.data, data.target) > 0.9


def search(n_jobs):
    X, y = load_iris(return_X_y=True)
    grid = {"classify__alpha": [0.1, 1.0, 10.0], "classify__loss": LOSSES}
    model = Pipeline([("scale", StandardScaler()), ("classify", calm_classifier())])
    return GridSearchCV(model, grid, cv=3, n_jobs=n_jobs).fit(X, y)


def test_grid_search_finds_the_same_in_one_process_and_in_two():
    alone, together = search(n_jobs=1), search(n_jobs=2)
    assert alone.best_score_ > 0.9
    assert alone.best_params_ == together.best_params_
    assert_array_equal(alone.cv_results_["mean_test_score"], together.cv_results_["mean_test_score"])
    assert_array_equal(alone.best_estimator_[-1].coef_, together.best_estimator_[-1].coef_)


@pytest.mark.parametrize("container", [np.asarray, sp.csr_array])
def test_cross_validation(container):
    X, y = load_iris(return_X_y=True)
    X = container(StandardScaler().fit_transform(X))
    assert cross_val_score(calm_classifier(), X, y, cv=5).mean() > 0.85


# Meta-estimators


def test_calibration_gives_probabilities():
    X, y = load_iris(return_X_y=True)
    model = CalibratedClassifierCV(make_pipeline(StandardScaler(), calm_classifier()), cv=3).fit(X, y)
    probabilities = model.predict_proba(X)
    assert_array_equal(model.classes_[probabilities.argmax(axis=1)], model.predict(X))
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert model.score(X, y) > 0.9


@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_one_vs_rest_by_hand_is_the_loss_one_vs_rest(learning_rate):
    X, y = blobs()
    by_hand = OneVsRestClassifier(calm_classifier(learning_rate)).fit(X, y)
    model = calm_classifier(learning_rate, loss="one_vs_rest").fit(X, y)
    assert np.mean(by_hand.predict(X) == model.predict(X)) > 0.95


# Copies


@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_a_clone_has_the_parameters_and_nothing_else(learning_rate):
    X, y = blobs()
    model = calm_classifier(learning_rate, loss="weston_watkins", class_weight={0: 2.0}).fit(X, y)
    twin = clone(model)
    assert is_classifier(twin)
    assert twin.get_params() == model.get_params()
    assert not hasattr(twin, "coef_")
    assert_array_equal(twin.fit(X, y).coef_, model.coef_)


@pytest.mark.parametrize("sparsified", [False, True])
@pytest.mark.parametrize("way", ["pickle", "joblib"])
@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_a_stored_model_is_the_same_and_can_go_on_training(way, sparsified, learning_rate, tmp_path):
    X, y = blobs()
    model = calm_classifier(learning_rate).partial_fit(X, y, classes=[0, 1, 2])
    if sparsified:
        model.sparsify()
    if way == "joblib":
        joblib.dump(model, tmp_path / "model")
        restored = joblib.load(tmp_path / "model", mmap_mode="r")
    else:
        restored = pickle.loads(pickle.dumps(model))
    assert_array_equal(restored.decision_function(X), model.decision_function(X))
    assert_array_equal(restored.partial_fit(X, y).coef_, model.partial_fit(X, y).coef_)


# Metadata routing


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.mark.usefixtures("routing")
def test_weights_are_routed_through_a_pipeline_and_a_search():
    X, y = blobs()
    weights = np.where(y == 0, 2.0, 0.5)
    model = make_pipeline(
        StandardScaler().set_fit_request(sample_weight=False),
        calm_classifier().set_fit_request(sample_weight=True),
    )
    routed = model.fit(X, y, sample_weight=weights)[-1]
    expected = calm_classifier().fit(StandardScaler().fit_transform(X), y, weights)
    assert_array_equal(routed.coef_, expected.coef_)
    scoring = make_scorer(accuracy_score).set_score_request(sample_weight=True)
    found = GridSearchCV(model, {"multiclasshingeclassifier__alpha": [0.1]}, scoring=scoring, cv=2)
    found.fit(X, y, sample_weight=weights)
    assert_array_equal(found.best_estimator_[-1].coef_, expected.coef_)


@pytest.mark.usefixtures("routing")
def test_classes_and_weights_can_be_requested_for_partial_fit():
    model = calm_classifier().set_partial_fit_request(classes=True, sample_weight="w")
    requested = model.get_metadata_routing().partial_fit.requests
    assert requested == {"classes": True, "sample_weight": "w"}


@pytest.mark.usefixtures("routing")
def test_weights_that_were_not_asked_for_are_refused():
    X, y = blobs()
    with pytest.raises(UnsetMetadataPassedError, match="are passed but are not explicitly set as requested"):
        make_pipeline(calm_classifier()).fit(X, y, sample_weight=np.ones(len(y)))


# Callbacks

needs_callbacks = pytest.mark.skipif(not HAS_CALLBACKS, reason="scikit-learn has callbacks from 1.9 on")


class StopAfter:
    """A callback that asks to stop after so many passes, and keeps a diary."""

    def __init__(self, n_passes):
        self.n_passes = n_passes
        self.diary = []
        self.coefs = []  # of every fitted estimator, as it was given and a copy of what it was then

    def setup(self, estimator, context):
        self.diary.append("setup")

    def teardown(self, estimator, context):
        self.diary.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.diary.append(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        self.diary.append(f"end {context.task_name}")
        self.coefs.append((fitted_estimator.coef_, fitted_estimator.coef_.copy()))
        return self.diary.count("end pass") == self.n_passes


@needs_callbacks
@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_a_callback_can_stop_the_fit(learning_rate):
    X, y = blobs()
    callback = StopAfter(2)
    model = calm_classifier(learning_rate, tol=1e-6).set_callbacks(callback).fit(X, y)
    assert model.n_iter_ == 2
    passes = 2 * ["begin pass", "end pass"]
    assert callback.diary == ["setup", "begin fit", *passes, "end fit", "teardown"]
    assert_array_equal(callback.coefs[-1][0], model.coef_)


@needs_callbacks
@pytest.mark.parametrize("n_passes", [1, 2, 3, 8, 13])
def test_a_stopped_fit_is_certified_where_it_stopped(n_passes, monkeypatch):
    X, y = blobs()
    monkeypatch.setattr(takeover, "EARLY_PASSES", 0)  # a fit that may make few passes makes no early Newton steps
    options = {"alpha": 1e-4, "tol": 1e-8}
    stopped = calm_classifier(**options).set_callbacks(StopAfter(n_passes)).fit(X, y)
    with pytest.warns(ConvergenceWarning):
        expected = calm_classifier(**options, max_iter=n_passes).fit(X, y)
    assert stopped.n_iter_ == n_passes
    # The last pass of a fit that knows it averages its iterates: it may be a little better.
    # The bound subtracts what rounding may do, by the objective that is known.
    assert stopped.dual_objective_ == pytest.approx(expected.dual_objective_, rel=1e-9)
    assert expected.objective_ <= stopped.objective_ < 1.5 * expected.objective_
    assert stopped.score(X, y) >= expected.score(X, y) - 0.05
    assert stopped.duality_gap_ == stopped.history_["gap"][-1]


@needs_callbacks
@pytest.mark.parametrize("n_passes", [3, 4, 5, 8, 13])
def test_a_fit_that_is_stopped_between_newton_steps_is_certified(n_passes):
    X, y = blobs()
    optimum = calm_classifier(alpha=1e-4, tol=1e-6).fit(X, y).objective_
    stopped = calm_classifier(alpha=1e-4, tol=1e-8).set_callbacks(StopAfter(n_passes)).fit(X, y)
    assert stopped.n_iter_ == n_passes
    assert 0 < stopped.dual_objective_ < optimum < stopped.objective_ < 1.1 * optimum
    assert stopped.duality_gap_ == stopped.history_["gap"][-1]


@needs_callbacks
def test_a_fit_that_fails_says_goodbye_to_its_callbacks():
    X, y = blobs()
    callback = StopAfter(2)
    with pytest.raises(ValueError, match="overflow"):
        calm_classifier("constant", eta0=1e200).set_callbacks(callback).fit(X, y)
    assert callback.diary.count("setup") == callback.diary.count("teardown") == 1


@needs_callbacks
@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_callbacks_change_nothing(learning_rate):
    X, y = blobs()
    callback = StopAfter(10**6)
    watched = calm_classifier(learning_rate, tol=1e-5).set_callbacks(callback).fit(X, y)
    assert_array_equal(watched.coef_, calm_classifier(learning_rate, tol=1e-5).fit(X, y).coef_)
    for kept, seen in callback.coefs:
        assert_array_equal(kept, seen)  # the passes after it do not change what a callback keeps
    assert len(np.unique([seen for _, seen in callback.coefs], axis=0)) > 1


def rows_of(monitor, task_name="pass"):
    """What a ScoringMonitor wrote down, without the row for the whole fit."""
    (log,) = monitor.get_logs(select="all")
    return [row for row in log.data if row["task_name"] == task_name]


@needs_callbacks
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_scoring_monitor_writes_a_row_for_every_pass(weighted, learning_rate):
    from sklearn.callback import ScoringMonitor

    X, y = blobs()
    weights = np.linspace(0.1, 1, len(y)) if weighted else None
    monitor = ScoringMonitor(scoring="accuracy")
    model = calm_classifier(learning_rate).set_callbacks(monitor).fit(X, y, weights)
    rows = rows_of(monitor)
    assert len(rows) == model.n_iter_
    assert [row["task_id"] for row in rows] == list(range(model.n_iter_))
    assert rows[-1]["accuracy"] == pytest.approx(model.score(X, y, weights))


@needs_callbacks
@pytest.mark.usefixtures("routing")
def test_scoring_monitor_asks_for_weights_by_metadata_routing():
    from sklearn.callback import ScoringMonitor

    X, y = blobs()
    weights = np.linspace(0.1, 1, len(y))
    monitor = ScoringMonitor(scoring=make_scorer(accuracy_score).set_score_request(sample_weight=True))
    model = calm_classifier().set_callbacks(monitor).fit(X, y, weights)
    assert rows_of(monitor)[-1]["score"] == pytest.approx(model.score(X, y, weights))


@needs_callbacks
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_scoring_monitor_inside_a_grid_search(n_jobs):
    from sklearn.callback import ScoringMonitor

    X, y = blobs()
    monitor = ScoringMonitor(scoring="accuracy")
    model = calm_classifier(alpha=1.0).set_callbacks(monitor)
    found = GridSearchCV(model, {"loss": LOSSES}, cv=2, n_jobs=n_jobs).fit(X, y)
    fits = {row["task_id_path"]: 0 for row in rows_of(monitor, "fit")}
    for row in rows_of(monitor):
        fits[row["parent_task_id_path"]] += 1
    assert len(fits) == 3 * 2 + 1  # three losses on two folds, and the refit
    assert min(fits.values()) > 0
    refit = min(fits, key=len)
    assert fits[refit] == found.best_estimator_.n_iter_


@needs_callbacks
@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_progress_bar_is_shown(learning_rate, capfd):
    pytest.importorskip("rich", reason="scikit-learn's ProgressBar needs rich")
    from sklearn.callback import ProgressBar

    X, y = blobs()
    calm_classifier(learning_rate).set_callbacks(ProgressBar()).fit(X, y)
    shown = capfd.readouterr().out
    assert "MulticlassHingeClassifier - fit" in shown
    assert "100%" in shown


@pytest.mark.skipif(HAS_CALLBACKS, reason="for scikit-learn without callbacks")
def test_without_callbacks_there_is_nothing_to_set():
    assert not hasattr(MulticlassHingeClassifier(), "set_callbacks")


# Manners


def test_html_representation_links_to_the_documentation():
    html = MulticlassHingeClassifier()._repr_html_()
    assert "https://linear-hinge.readthedocs.io/en/stable/api/linear_hinge.MulticlassHingeClassifier.html" in html


def test_representation_names_what_is_not_default():
    assert repr(MulticlassHingeClassifier("crammer_singer", alpha=0.5)) == (
        "MulticlassHingeClassifier(alpha=0.5, loss='crammer_singer')"
    )


def test_import_brings_no_matplotlib():
    program = "import sys, linear_hinge; print(*{'linear_hinge', 'matplotlib'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["linear_hinge"]


def global_state():
    return {
        "random numbers": joblib.hash(np.random.get_state()),
        "warnings": list(warnings.filters),
        "floating-point errors": np.geterr(),
        "threads": [(pool["user_api"], pool["num_threads"]) for pool in threadpool_info()],
        "scikit-learn": sklearn.get_config(),
        "printing": np.get_printoptions(),
    }


@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_no_global_state_is_changed(learning_rate):
    X, y = blobs()
    before = global_state()
    calm_classifier(learning_rate).fit(X, y).partial_fit(X, y).predict(X)
    with pytest.raises(ValueError, match="overflow"):
        calm_classifier(learning_rate).fit(1e300 * X, y)
    assert global_state() == before


def test_random_numbers_come_from_random_state_alone():
    X, y = blobs()
    np.random.seed(1)
    first = calm_classifier().fit(X, y)
    np.random.seed(2)
    assert_array_equal(calm_classifier().fit(X, y).coef_, first.coef_)
