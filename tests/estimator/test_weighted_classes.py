"""Classes without weight: the model has a score for them, and the problem does not know them."""

import numpy as np
import pytest
import scipy.sparse as sp
from cases import JOINT_LOSSES, LOSSES, SOLVERS, blobs, calm_classifier, mostly_slow
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import BaggingClassifier, VotingClassifier

all_losses = pytest.mark.parametrize("loss", LOSSES)
all_solvers = pytest.mark.parametrize("learning_rate", SOLVERS)
with_and_without_intercept = pytest.mark.parametrize("fit_intercept", [True, False])

# Classes with weight among those of the labels: several, two, and one.
CHOICES = [(4, [0, 2, 3]), (4, [1, 3]), (3, [0, 1]), (3, [2]), (2, [0]), (2, [1])]


def fit_pair(n_classes, weighted, kind="samples", dtype=np.float64, container=np.asarray, **params):
    """A model of all classes, some without weight, and one that never saw these, or None."""
    X, y = blobs(n_samples=120, n_classes=n_classes)
    X, present = X.astype(dtype), np.isin(y, weighted)
    class_weight = None
    if kind == "classes":
        class_weight = {label: float(label in weighted) for label in range(n_classes)}
    model = calm_classifier(class_weight=class_weight, **params)
    model.fit(container(X), y, present * 1.0 if kind == "samples" else None)
    without = calm_classifier(**params).fit(container(X[present]), y[present]) if len(weighted) > 1 else None
    return X, y, model, without


@pytest.mark.parametrize("kind", ["samples", "classes"])
@all_solvers
@pytest.mark.parametrize(("n_classes", "weighted"), CHOICES)
def test_the_others_are_fitted_as_if_alone(n_classes, weighted, learning_rate, kind):
    X, y, model, without = fit_pair(n_classes, weighted, kind, learning_rate=learning_rate)
    shape = (1 if n_classes == 2 else n_classes,)
    assert_array_equal(model.classes_, range(n_classes))
    assert model.coef_.shape == (*shape, X.shape[1])
    assert model.intercept_.shape == shape
    assert model.decision_function(X).shape == (len(y), *shape)[: 1 + (n_classes > 2)]
    if without is None:
        assert model.objective_ == 0
        assert (model.predict(X) == weighted[0]).all()
    else:
        assert_allclose(model.objective_, without.objective_, rtol=1e-10)  # Newton systems are solved to some digits
        assert model.n_iter_ == without.n_iter_
        assert_array_equal(model.predict(X), without.predict(X))


@all_losses
@with_and_without_intercept
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("container", [np.asarray, sp.csr_array])
@pytest.mark.parametrize("size", [1, 1e6])
def test_a_class_without_weight_scores_below_the_others(loss, fit_intercept, dtype, container, size):
    """At every sample, its own ones included."""
    X, y = blobs(n_samples=120, n_classes=4)
    X = container((size * X).astype(dtype))
    model = calm_classifier(loss=loss, fit_intercept=fit_intercept, alpha=0.1 * size**2)
    scores = model.fit(X, y, (y != 1) * 1.0).decision_function(X)
    assert (scores[:, 1] < np.delete(scores, 1, axis=1).min(axis=1)).all()
    assert not model.coef_[1].any()
    assert model.intercept_.dtype == model.coef_.dtype == dtype


@pytest.mark.parametrize("loss", JOINT_LOSSES)
def test_where_two_classes_are_left_the_objective_is_that_of_their_scores(loss):
    X, y, model, _ = fit_pair(4, [1, 3], loss=loss)
    present = np.isin(y, [1, 3])
    scores = model.decision_function(X)[present]
    signs = np.where(y[present] == 3, 1, -1)
    losses = np.maximum(0, 1 - signs * (scores[:, 3] - scores[:, 1]))
    assert_allclose(model.alpha / 2 * (model.coef_**2).sum() + losses.mean(), model.objective_, rtol=1e-12)


@all_losses
@pytest.mark.parametrize(("n_classes", "weighted"), CHOICES)
def test_the_certificate_is_that_of_the_others(loss, n_classes, weighted):
    _, y, model, without = fit_pair(n_classes, weighted, loss=loss)
    shape = (len(y), 1 if n_classes == 2 else n_classes)
    dual = model.dual_coef_.toarray()
    assert dual.shape == shape
    assert model.duality_gap_ <= model.tol
    absent = np.setdiff1d(range(n_classes), weighted)
    assert not dual[np.isin(y, absent)].any()
    if n_classes > 2:
        assert not dual[:, absent].any()
    if without is None:
        assert model.dual_objective_ == model.duality_gap_ == 0
        assert len(model.support_) == 0
    else:
        # Newton systems, of other numbers of rows, are solved to some digits.
        assert_allclose(model.dual_objective_, without.dual_objective_, rtol=1e-6)
        assert_allclose(model.history_["gap"], without.history_["gap"], rtol=1e-5, atol=1e-8)


@all_losses
@all_solvers
@pytest.mark.parametrize("before", [[0, 1, 2, 3], [0, 2, 3], [2]])
@pytest.mark.parametrize("after", [[0, 1, 2, 3], [1, 3], [2]])
def test_warm_starts_from_other_classes_with_weight(loss, learning_rate, before, after):
    X, y = blobs(n_samples=120, n_classes=4)
    model = calm_classifier(learning_rate, loss=loss, warm_start=True).fit(X, y, np.isin(y, before) * 1.0)
    model.fit(X, y, np.isin(y, after) * 1.0)
    cold = calm_classifier(learning_rate, loss=loss).fit(X, y, np.isin(y, after) * 1.0)
    assert_allclose(model.objective_, cold.objective_, rtol=1e-3 if learning_rate == "auto" else 2e-2)
    if learning_rate == "auto" and before == after:
        assert model.n_iter_ <= cold.n_iter_
        assert model.n_iter_ == 1


@all_losses
@all_solvers
@mostly_slow("n_classes, weighted", CHOICES, n_quick=2)
def test_a_stream_learns_the_class_that_the_fit_did_not_know(loss, learning_rate, n_classes, weighted):
    X, y, model, _ = fit_pair(n_classes, weighted, loss=loss, learning_rate=learning_rate)
    usual = calm_classifier(learning_rate, loss=loss).fit(X, y).score(X, y)
    for _ in range(30):
        model.partial_fit(X, y)
    assert np.abs(model.intercept_).max() < 10
    assert model.score(X, y) > usual - 0.12


def test_ensembles_take_members_that_miss_a_class():
    X, y = blobs(n_samples=60, n_classes=3)
    X, y = np.concatenate([X, X[:1]]), np.append(y, 3)  # a class of one sample, which many bootstraps leave out
    bag = BaggingClassifier(calm_classifier(), n_estimators=10, random_state=0).fit(X, y)
    assert bag.score(X, y) > 0.65
    votes = VotingClassifier([("a", calm_classifier()), ("b", calm_classifier("optimal"))])
    votes.fit(X, y, sample_weight=(y < 3) * 1.0)
    assert set(votes.predict(X)) == {0, 1, 2}
