"""A stream goes on from coefficients that a user has assigned or edited, and so does a warm start."""

import pickle

import numpy as np
import pytest
from cases import LEARNING_RATES, SOLVERS, blobs, calm_classifier
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import train_test_split

from linear_hinge import MulticlassHingeClassifier


def edited(model, how):
    """Other coefficients, assigned or changed in place."""
    if how == "assigned":
        model.coef_, model.intercept_ = model.coef_[:, ::-1] + 0.5, model.intercept_ + 10
    elif how == "pruned":
        model.coef_[np.abs(model.coef_) < 0.1] = 0
    elif how == "intercept":
        model.intercept_[0] += 10
    else:
        model.coef_, model.intercept_ = model.coef_.astype(np.float32) + 0.5, np.zeros(len(model.intercept_)) - 10
    return model.coef_.copy(), model.intercept_.copy()


@pytest.mark.parametrize("how", ["assigned", "pruned", "intercept", "float32"])
@pytest.mark.parametrize("average", [False, True])
@pytest.mark.parametrize("learning_rate", SOLVERS)
@pytest.mark.parametrize("begin", ["fit", "partial_fit"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_stream_goes_on_from_coefficients_that_are_set(begin, learning_rate, average, how, n_classes):
    """A row of zeros makes W shorter and nothing else, and b moves by a step."""
    X, y = blobs(n_classes=n_classes)
    model = calm_classifier(learning_rate, average=average)
    if begin == "fit":
        model.fit(X, y)
    for _ in range(5 if begin == "partial_fit" else 0):
        model.partial_fit(X, y, classes=np.arange(n_classes))
    t, (coef, intercept) = model.t_, edited(model, how)
    model.partial_fit(0 * X[:1], y[:1])
    length = np.linalg.norm(model.coef_) / np.linalg.norm(coef)
    assert 0.5 < length <= 1
    assert_allclose(model.coef_, length * coef, rtol=1e-6, atol=1e-12)
    assert np.abs(model.intercept_ - intercept).max() < 1
    assert model.t_ == t + 1


@pytest.mark.parametrize("average", [False, True])
@pytest.mark.parametrize("learning_rate", LEARNING_RATES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_no_edit_changes_nothing(learning_rate, average, dtype):
    X, y = blobs()
    X = X.astype(dtype)
    models = [calm_classifier(learning_rate, average=average).partial_fit(X, y, classes=[0, 1, 2]) for _ in range(4)]
    models[1].sparsify()
    models[2] = pickle.loads(pickle.dumps(models[2]))
    models[3].coef_, models[3].intercept_ = models[3].coef_.astype(float), models[3].intercept_.tolist()
    for model in models:
        model.partial_fit(X, y)
        assert_array_equal(model.coef_, models[0].coef_)
        assert_array_equal(model.intercept_, models[0].intercept_)


@pytest.mark.parametrize("learning_rate", ["auto", "constant"])
def test_a_warm_start_looks_at_coefficients_that_are_set(learning_rate):
    X, y = blobs()
    model = calm_classifier(learning_rate, warm_start=True, max_iter=1, tol=0, eta0=1e-4)
    best = calm_classifier(tol=1e-9).fit(X, y)
    with pytest.warns(ConvergenceWarning, match="Not converged"):
        model.fit(X, y)
        worse = model.objective_
        model.coef_, model.intercept_ = best.coef_.copy(), best.intercept_.copy()
        model.fit(X, y)
    assert model.objective_ < worse
    assert_allclose(model.objective_, best.objective_, rtol=1e-8 if learning_rate == "auto" else 1e-2)


def test_a_clone_knows_nothing_of_coefficients_that_are_set():
    X, y = blobs()
    model = calm_classifier().partial_fit(X, y, classes=[0, 1, 2])
    fresh = clone(model)
    edited(model, "assigned")
    assert_array_equal(clone(model).fit(X, y).coef_, fresh.fit(X, y).coef_)


def federated_accuracy(make):
    """Two clients, one for either half of the classes, whose coefficients are averaged after every pass."""
    X_train, X_test, y_train, y_test = train_test_split(*load_digits(return_X_y=True), random_state=0)
    halves = [y_train < 5, y_train >= 5]
    clients = [make(), make()]
    for _ in range(10):
        for client, half in zip(clients, halves, strict=True):
            client.partial_fit(X_train[half] / 16, y_train[half], classes=np.arange(10))
        coef, intercept = (sum(getattr(client, name) for client in clients) / 2 for name in ("coef_", "intercept_"))
        for client in clients:
            client.coef_, client.intercept_ = coef.copy(), intercept.copy()
    return clients[0].score(X_test / 16, y_test)


def test_averages_of_clients_are_as_good_as_those_of_sgd_classifier():
    ours = federated_accuracy(lambda: MulticlassHingeClassifier(alpha=1e-2, random_state=0))
    assert ours > federated_accuracy(lambda: SGDClassifier(alpha=1e-2, random_state=0)) - 0.01
