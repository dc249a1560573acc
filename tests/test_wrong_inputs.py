"""Wrong input gets a clear error, in scikit-learn's words where it has them, and leaves a model as it was."""

import re
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from cases import LOSSES, SOLVERS, blobs, calm_classifier, fingerprint
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.svm import LinearSVC
from sklearn.utils.validation import check_is_fitted

from linear_hinge import MulticlassHingeClassifier
from linear_hinge.kernels import door, is_compiled
from linear_hinge.losses import WestonWatkins

X, Y = blobs()
W = np.ones(len(Y))


def with_entry(value):
    """X with one wrong entry."""
    wrong = X.astype(np.result_type(X, value) if not isinstance(value, str) else object)
    wrong[3, 1] = value
    return wrong


WRONG_DATA = {
    "NaN": ({"X": with_entry(np.nan)}, "Input X contains NaN"),
    "infinity": ({"X": with_entry(np.inf)}, "Input X contains infinity"),
    "complex": ({"X": with_entry(1j)}, "Complex data not supported"),
    "string": ({"X": with_entry("red")}, "could not convert string to float: 'red'"),
    "NaN in CSR": ({"X": sp.csr_array(with_entry(np.nan))}, "Input X contains NaN"),
    "no samples": ({"X": X[:0], "y": Y[:0]}, "Found array with 0 sample(s)"),
    "no features": ({"X": X[:, :0]}, "Found array with 0 feature(s)"),
    "one dimension": ({"X": X[:, 0]}, "Expected 2D array, got 1D array instead"),
    "three dimensions": ({"X": X[None]}, "Found array with dim 3"),
    "fewer labels than samples": ({"y": Y[:-1]}, "Found input variables with inconsistent numbers of samples"),
    "no labels": ({"y": None}, "requires y to be passed, but the target y is None"),
    "continuous labels": ({"y": Y + X[:, 0]}, "Unknown label type: continuous"),
    "two columns of labels": ({"y": np.c_[Y, Y]}, "y should be a 1d array"),
    "NaN among labels": ({"y": np.where(Y > 0, Y, np.nan)}, "Input y contains NaN"),
    "fewer weights": ({"sample_weight": W[:-1]}, "sample_weight.shape == (89,), expected (90,)"),
    "two columns of weights": ({"sample_weight": np.c_[W, W]}, "Sample weights must be 1D array or scalar"),
    "NaN among weights": ({"sample_weight": W * np.nan}, "Input sample_weight contains NaN"),
    "infinite weight": ({"sample_weight": W * np.inf}, "Input sample_weight contains infinity"),
}
# LinearSVC accepts these, or did in older versions.
WRONG_WEIGHTS = {
    "negative weight": ({"sample_weight": W - 1.5 * (Y == 0)}, "Negative values in data passed to `sample_weight`"),
    "weights all zero": ({"sample_weight": 0 * W}, "Sample weights must contain at least one non-zero number"),
}
WRONG_IN_FIT = {
    "one class": (
        {"y": 0 * Y},
        "needs samples of at least 2 classes in the data, but the data contains only one class",
    ),
    "one sample": ({"X": X[:1], "y": Y[:1]}, "the data contains only one class"),
    "huge values": ({"X": 1e300 * X}, "Scaling input data with StandardScaler or MinMaxScaler might help"),
    "huge values in CSR": ({"X": sp.csr_array(1e300 * X)}, "Scaling input data"),
}
WRONG_IN_PARTIAL_FIT = {
    "other number of features": (
        {"X": X[:, :4]},
        "X has 4 features, but MulticlassHingeClassifier is expecting 5 features",
    ),
    "new label": ({"y": Y + 1}, "classes should include all valid labels that can be in y"),
    "other classes": ({"classes": [0, 1]}, "is not the same as on last call to partial_fit"),
    "huge values": ({"X": 1e300 * X}, "Scaling input data with StandardScaler or MinMaxScaler might help"),
}


def cases(*tables):
    return [pytest.param(data, words, id=name) for table in tables for name, (data, words) in table.items()]


def call(method, data):
    return method(**{"X": X, "y": Y, **data})


@pytest.mark.parametrize(("data", "words"), cases(WRONG_DATA, WRONG_WEIGHTS, WRONG_IN_FIT))
@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_a_fit_that_fails_changes_nothing(data, words, learning_rate):
    fitted, unfitted = calm_classifier(learning_rate).fit(X, Y), calm_classifier(learning_rate)
    for model in (fitted, unfitted):
        before = fingerprint(model)
        with pytest.raises(ValueError, match=re.escape(words)):
            call(model.fit, data)
        assert fingerprint(model) == before


@pytest.mark.parametrize(("data", "words"), cases(WRONG_DATA, WRONG_WEIGHTS, WRONG_IN_PARTIAL_FIT))
@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_a_partial_fit_that_fails_changes_nothing(data, words, learning_rate):
    model = calm_classifier(learning_rate)
    for method in (model.partial_fit, model.fit):
        call(method, {"classes": [0, 1, 2]} if method == model.partial_fit else {})
        before = fingerprint(model)
        with pytest.raises(ValueError, match=re.escape(words)):
            call(model.partial_fit, data)
        assert fingerprint(model) == before


@pytest.mark.parametrize(("data", "words"), cases(WRONG_DATA))
def test_words_are_scikit_learns(data, words):
    with pytest.raises(ValueError, match=re.escape(words)) as ours:
        call(MulticlassHingeClassifier().fit, data)
    with pytest.raises(ValueError, match=re.escape(words)) as theirs:
        call(LinearSVC().fit, data)
    assert str(ours.value) == str(theirs.value).replace("LinearSVC", "MulticlassHingeClassifier")


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        (None, "classes must be passed on the first call to partial_fit."),
        ([0, 1], "classes should include all valid labels that can be in y"),
        ([0], "The number of classes has to be greater than one; got 1 class"),
    ],
)
def test_wrong_classes_at_the_first_partial_fit(classes, words):
    model = MulticlassHingeClassifier()
    before = fingerprint(model)
    with pytest.raises(ValueError, match=re.escape(words)):
        model.partial_fit(X, Y * (classes != [0]), classes)
    assert fingerprint(model) == before


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"loss": "hinge"}, "The 'loss' parameter of MulticlassHingeClassifier must be a str among"),
        ({"alpha": 0}, "The 'alpha' parameter of MulticlassHingeClassifier must be a float in the range (0.0, inf)"),
        ({"alpha": -1e-4}, "The 'alpha' parameter"),
        ({"alpha": np.nan}, "The 'alpha' parameter"),
        ({"alpha": np.inf}, "The 'alpha' parameter"),
        ({"margin": 0}, "The 'margin' parameter"),
        ({"learning_rate": "fast"}, "The 'learning_rate' parameter"),
        ({"eta0": 0}, "The 'eta0' parameter"),
        ({"power_t": -1}, "The 'power_t' parameter"),
        ({"batch_size": 0}, "The 'batch_size' parameter"),
        ({"batch_size": "all"}, "The 'batch_size' parameter"),
        ({"batch_size": 2.5}, "The 'batch_size' parameter"),
        ({"max_iter": 0}, "The 'max_iter' parameter"),
        ({"tol": -1}, "The 'tol' parameter"),
        ({"class_weight": "heavy"}, "The 'class_weight' parameter"),
        ({"class_weight": {0: -1, 1: 1, 2: 1}}, "the weights must be finite and not negative"),
        ({"class_weight": {0: np.nan, 1: 1, 2: 1}}, "the weights must be finite and not negative"),
        ({"class_weight": {0: 0, 1: 0, 2: 0}}, "class_weight leaves no sample with a weight"),
        ({"class_weight": {0: 1, 7: 1}}, "The classes, [1, 2], are not in class_weight"),
    ],
)
def test_wrong_parameters_are_named_and_change_nothing(params, words):
    model = calm_classifier().fit(X, Y).set_params(**params)
    before = fingerprint(model)
    with pytest.raises(ValueError, match=re.escape(words)):
        model.fit(X, Y)
    assert fingerprint(model) == before


def test_balanced_classes_need_the_whole_data_set():
    with pytest.raises(ValueError, match="class_weight 'balanced' is not supported for partial_fit"):
        MulticlassHingeClassifier(class_weight="balanced").partial_fit(X, Y, classes=[0, 1, 2])


@pytest.mark.parametrize("method", ["predict", "decision_function"])
def test_wrong_data_for_a_fitted_model(method):
    model = calm_classifier().fit(X, Y)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        getattr(model, method)(with_entry(np.nan))
    with pytest.raises(ValueError, match="X has 4 features, but MulticlassHingeClassifier is expecting 5 features"):
        getattr(model, method)(X[:, :4])


@pytest.mark.parametrize("method", ["predict", "decision_function"])
def test_a_model_must_be_fitted_first(method):
    with pytest.raises(NotFittedError, match="This MulticlassHingeClassifier instance is not fitted yet"):
        getattr(MulticlassHingeClassifier(), method)(X)


# What is interrupted


@pytest.fixture
def interrupt(monkeypatch):
    """Ctrl-C at the n-th call of the loss or of compiled code from now on, whatever it is called for."""
    countdown = {"calls": np.inf}

    def interruptible(method):
        def wrapper(*args, **kwargs):
            countdown["calls"] -= 1
            if countdown["calls"] == 0:
                raise KeyboardInterrupt
            return method(*args, **kwargs)

        return wrapper

    for name in ("values", "subgradients", "prox"):
        monkeypatch.setattr(WestonWatkins, name, interruptible(getattr(WestonWatkins, name)))
    for name in ("sweep", "mean_losses", "prox_steps", "climb", "descend") if is_compiled() else ():
        monkeypatch.setattr(door._kernels, name, interruptible(getattr(door._kernels, name)))
    return lambda n: countdown.update(calls=n)


@pytest.mark.parametrize("n", [1, 4, 20])
@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_an_interrupted_fit_raises_and_changes_nothing(n, learning_rate, interrupt):
    fitted, unfitted = calm_classifier(learning_rate).fit(X, Y), calm_classifier(learning_rate)
    predictions = fitted.predict(X)
    for model in (fitted, unfitted):
        before = fingerprint(model)
        interrupt(n)
        with pytest.raises(KeyboardInterrupt):
            model.fit(X, Y)
        assert fingerprint(model) == before
    assert_array_equal(fitted.predict(X), predictions)
    with pytest.raises(NotFittedError):
        check_is_fitted(unfitted)


@pytest.mark.parametrize("n", [1, 4])
@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_an_interrupted_partial_fit_raises_and_changes_nothing(n, learning_rate, interrupt, monkeypatch):
    if n > 1:  # compiled, all steps over a chunk may be a single call
        monkeypatch.setattr(door, "_kernels", None)
    streamed, unfitted = calm_classifier(learning_rate), calm_classifier(learning_rate)
    streamed.partial_fit(X, Y, classes=[0, 1, 2])
    for model in (streamed, unfitted):
        before = fingerprint(model)
        interrupt(n)
        with pytest.raises(KeyboardInterrupt):
            model.partial_fit(X, Y, classes=[0, 1, 2])
        assert fingerprint(model) == before


def test_a_fit_whose_warning_is_an_error_changes_nothing():
    model = calm_classifier().fit(X, Y).set_params(max_iter=1, tol=0)
    before = fingerprint(model)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ConvergenceWarning):
            model.fit(X, Y)
    assert fingerprint(model) == before


# What looks wrong and is not


@pytest.mark.parametrize("constant", [0.0, 3.0])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_constant_features_predict_the_majority(constant, loss, learning_rate):
    y = np.repeat([0, 1, 2], [20, 60, 10])
    with pytest.warns(UserWarning, match="one class, 1, for all samples"):
        model = calm_classifier(learning_rate, loss=loss).fit(np.full((len(y), 2), constant), y)
    assert_array_equal(model.predict([[constant, constant]]), [1])


@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_a_column_of_zeros_changes_nothing(learning_rate):
    model, without = calm_classifier(learning_rate).fit(np.c_[X, 0 * Y], Y), calm_classifier(learning_rate).fit(X, Y)
    assert_allclose(model.coef_[:, :-1], without.coef_, rtol=1e-5)
    assert_array_equal(model.coef_[:, -1], 0)


@pytest.mark.parametrize("scale", [1e-300, 1e307])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_only_the_proportions_of_the_weights_count(scale, method, learning_rate):
    data = {"classes": [0, 1, 2]} if method == "partial_fit" else {}
    proportions = 1.0 + (Y == 1)
    expected = call(getattr(calm_classifier(learning_rate), method), {**data, "sample_weight": proportions})
    scaled = call(getattr(calm_classifier(learning_rate), method), {**data, "sample_weight": scale * proportions})
    assert_allclose(scaled.coef_, expected.coef_, rtol=1e-7)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_a_chunk_whose_classes_weigh_nothing_is_no_step(first, learning_rate):
    model = calm_classifier(learning_rate, class_weight={0: 0, 1: 1, 2: 1})
    if not first:
        model.partial_fit(X, Y, classes=[0, 1, 2])
    steps, coef = getattr(model, "t_", 0), getattr(model, "coef_", np.zeros((3, 5)))
    model.partial_fit(X[Y == 0], Y[Y == 0], classes=[0, 1, 2])
    assert model.t_ == steps
    assert_array_equal(model.coef_, coef)
