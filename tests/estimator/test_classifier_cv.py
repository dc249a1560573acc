"""Cross-validation along paths: the same scores as a grid search, the same model as a fit with the best alpha."""

import pickle
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from cases import JOINT_LOSSES, LOSSES, blobs, fingerprint, mostly_slow
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, balanced_accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, ShuffleSplit, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from linear_hinge import MulticlassHingeClassifier, MulticlassHingeClassifierCV

all_losses = pytest.mark.parametrize("loss", LOSSES)
joint_losses = pytest.mark.parametrize("loss", JOINT_LOSSES)
ALPHAS = [1.0, 0.1, 0.01]


def classifier_cv(**params):
    return MulticlassHingeClassifierCV(**{"alphas": ALPHAS, "cv": 3, "random_state": 0, **params})


def searched(X, y, cv=3, scoring=None, groups=None, **params):
    """Scores of shape (n_folds, n_alphas) of `GridSearchCV`."""
    model = MulticlassHingeClassifier(random_state=0, **params)
    search = GridSearchCV(model, {"alpha": ALPHAS}, cv=cv, scoring=scoring, refit=False).fit(X, y, groups=groups)
    n_folds = search.n_splits_
    return np.array([search.cv_results_[f"split{k}_test_score"] for k in range(n_folds)])


@all_losses
@pytest.mark.parametrize("n_classes", [2, 4])
@mostly_slow("kind", [np.asarray, sp.csr_array, np.asfortranarray, sp.csc_array])
def test_scores_are_those_of_a_grid_search(loss, n_classes, kind):
    X, y = blobs(n_samples=200, n_classes=n_classes)
    model = classifier_cv(loss=loss, tol=1e-6).fit(kind(X), np.array(list("abcd"))[y])
    assert model.scores_.shape == model.duality_gaps_.shape == (3, 3)
    assert_allclose(model.scores_, searched(X, y, loss=loss, tol=1e-6), atol=1.5 / 60)
    assert (model.duality_gaps_ <= 1e-6).all()


@all_losses
def test_the_model_is_a_fit_with_the_best_alpha(loss):
    X, y = blobs(n_samples=200)
    model = classifier_cv(loss=loss).fit(X, y)
    single = MulticlassHingeClassifier(loss, alpha=model.alpha_, random_state=0).fit(X, y)
    for name in ("coef_", "intercept_", "classes_", "n_iter_", "t_", "objective_", "dual_objective_", "support_"):
        assert_array_equal(getattr(model, name), getattr(single, name))
    assert_array_equal(model.predict(X), single.predict(X))
    assert (model.dual_coef_ != single.dual_coef_).nnz == 0
    assert model.best_score_ == model.scores_.mean(axis=0).max()
    assert model.alpha_ == model.alphas_[model.scores_.mean(axis=0).argmax()]


def test_of_equal_scores_the_largest_alpha_is_the_best():
    X, y = blobs()
    model = classifier_cv(scoring=lambda *_: 0.1 + 0.2).fit(X, y)
    assert model.alpha_ == max(ALPHAS)


def test_rows_without_weight_do_not_count():
    X, y = blobs(n_samples=200)
    weights = (np.arange(200) % 4 > 0).astype(float)
    kept = weights > 0
    folds = list(KFold(3).split(X[kept]))
    whole = [tuple(np.flatnonzero(kept)[part] for part in fold) for fold in folds]
    few = classifier_cv(cv=folds, tol=1e-7).fit(X[kept], y[kept])
    model = classifier_cv(cv=whole, tol=1e-7).fit(X, y, sample_weight=weights)
    assert_allclose(model.scores_, few.scores_)
    assert model.alpha_ == few.alpha_
    assert_allclose(model.coef_, few.coef_, atol=1e-2)


def test_sample_weight_counts_in_the_scores():
    X, y = blobs()
    weights = np.random.RandomState(0).uniform(size=len(y))
    model = classifier_cv(cv=KFold(3)).fit(X, y, sample_weight=weights)
    train, test = next(KFold(3).split(X))
    single = MulticlassHingeClassifier(alpha=ALPHAS[0], random_state=0).fit(X[train], y[train], weights[train])
    assert model.scores_[0, 0] == pytest.approx(
        accuracy_score(y[test], single.predict(X[test]), sample_weight=weights[test])
    )
    assert model.score(X, y, sample_weight=weights) == accuracy_score(y, model.predict(X), sample_weight=weights)


@pytest.mark.parametrize(
    "cv", [3, KFold(4), StratifiedKFold(3, shuffle=True, random_state=0), ShuffleSplit(2, random_state=1)]
)
def test_splitters(cv):
    X, y = blobs(n_samples=200)
    assert_allclose(classifier_cv(cv=cv, tol=1e-5).fit(X, y).scores_, searched(X, y, cv, tol=1e-5), atol=1.5 / 40)


def test_a_row_that_a_splitter_repeats_counts_as_often():
    X, y = blobs(n_samples=60)
    train, test = np.random.RandomState(0).randint(60, size=80), np.arange(20)
    masked = np.arange(60) >= 20
    model = classifier_cv(cv=[(train, test), (masked, ~masked)], tol=1e-8, alphas=[0.1], refit=False).fit(X, y)
    for part, score in zip((train, masked), model.scores_[:, 0], strict=True):
        single = MulticlassHingeClassifier(alpha=0.1, tol=1e-8, random_state=0).fit(X[part], y[part])
        assert score == pytest.approx(single.score(X[test], y[test]), abs=0.051)


@pytest.mark.parametrize("scoring", ["balanced_accuracy", make_scorer(balanced_accuracy_score)])
def test_scoring(scoring):
    X, y = blobs(n_samples=200)
    model = classifier_cv(scoring=scoring, tol=1e-5).fit(X, y)
    assert_allclose(model.scores_, searched(X, y, scoring=scoring, tol=1e-5), atol=2.5 / 60)
    assert model.score(X, y) == balanced_accuracy_score(y, model.predict(X))


def test_scores_from_decision_functions_and_what_has_no_probabilities():
    X, y = blobs(n_classes=2)
    assert (classifier_cv(scoring="roc_auc").fit(X, y).scores_ > 0.5).all()
    with pytest.raises(AttributeError, match="predict_proba"):
        classifier_cv(scoring="neg_log_loss").fit(X, y)


def test_groups():
    X, y = blobs()
    groups = np.arange(len(y)) % 5
    model = classifier_cv(cv=GroupKFold(3), tol=1e-6).fit(X, y, groups=groups)
    assert_allclose(model.scores_, searched(X, y, GroupKFold(3), groups=groups, tol=1e-6), atol=1.5 / 30)
    with pytest.raises(ValueError, match="'groups' parameter should not be None"):
        classifier_cv(cv=GroupKFold(3)).fit(X, y)
    with pytest.raises(ValueError, match=r"fit got the unknown parameters \['group'\]"):
        classifier_cv().fit(X, y, group=groups)


def test_metadata_routing():
    X, y = blobs()
    groups, weights = np.arange(len(y)) % 5, np.random.RandomState(0).uniform(size=len(y))
    seen = []

    def weighted(y_true, y_pred, sample_weight=None):
        seen.append(sample_weight)
        return accuracy_score(y_true, y_pred, sample_weight=sample_weight)

    unrouted = classifier_cv(cv=GroupKFold(3)).fit(X, y, sample_weight=weights, groups=groups)
    with config_context(enable_metadata_routing=True):
        scorer = make_scorer(weighted).set_score_request(sample_weight=True)
        model = classifier_cv(cv=GroupKFold(3), scoring=scorer).set_fit_request(sample_weight=True)
        model.fit(X, y, sample_weight=weights, groups=groups)
        assert_array_equal(model.scores_, unrouted.scores_)
        tested = np.concatenate([test for _, test in GroupKFold(3).split(X, y, groups)])
        assert_array_equal(np.concatenate(seen[:: len(ALPHAS)]), weights[tested])
        assert model.score(X, y, sample_weight=weights) == weighted(y, model.predict(X), weights)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipeline = make_pipeline(scaler, model).fit(X, y, sample_weight=weights, groups=groups)
        assert pipeline[-1].scores_.shape == (3, 3)


def test_classes_that_a_fold_does_not_train_on_and_folds_of_one_class():
    X, y = blobs(n_samples=90)
    X, y = X[np.argsort(y, kind="stable")], np.sort(y)
    model = classifier_cv(cv=KFold(3)).fit(X, y)  # every fold is tested with the class that it has never seen
    assert_array_equal(model.scores_, 0)
    of_one = classifier_cv(cv=[(np.arange(30), np.arange(20, 40))]).fit(X, y)
    assert_array_equal(of_one.scores_, 0.5)
    assert_array_equal(of_one.duality_gaps_, 0)


@joint_losses
@pytest.mark.parametrize("kept", [[0, 2, 3], [1, 3]])
def test_a_class_that_a_fold_lacks_takes_its_row_and_column_of_the_margin_with_it(loss, kept):
    X, y = blobs(n_samples=120, n_classes=4)
    margin = np.array([[0, 1, 0.1, 2], [0.5, 0, 3, 0], [1.2, 1, 0, 0.4], [0.2, 1, 5, 0]])
    scores = []

    def scoring(estimator, X, y):
        scores.append(estimator.decision_function(X))
        return accuracy_score(y, estimator.predict(X))

    train, test = np.flatnonzero(np.isin(y, kept)), np.arange(len(y))
    options = {"loss": loss, "tol": 1e-9}
    model = classifier_cv(margin=margin, cv=[(train, test)], scoring=scoring, alphas=[1, 0.1], **options).fit(X, y)
    assert (model.duality_gaps_ <= 1e-9).all()
    assert len(model.coef_) == 4
    for alpha, of_all, score in zip(model.alphas_, scores[:2], model.scores_[0], strict=True):
        distances = margin[np.ix_(kept, kept)]
        alone = MulticlassHingeClassifier(alpha=alpha, margin=distances, random_state=0, **options)
        alone.fit(X[train], y[train])
        of_kept = alone.decision_function(X)
        if len(kept) == 2:
            of_kept = np.column_stack([np.zeros(len(y)), of_kept])
        assert_allclose(of_all[:, kept], of_kept, atol=1e-3)
        assert (np.delete(of_all, kept, axis=1)[train] < of_all[train][:, kept].min(axis=1, keepdims=True)).all()
        assert score == pytest.approx(accuracy_score(y, alone.predict(X)), abs=1.5 / len(y))


@all_losses
def test_the_scores_do_not_depend_on_n_jobs(loss):
    X, y = blobs(n_samples=3000, n_features=60)  # large enough to be mapped into the memory of the workers
    for random_state in (0, np.random.RandomState(0)):
        models = [
            classifier_cv(loss=loss, tol=1e-2, random_state=clone_state(random_state), n_jobs=n_jobs).fit(kind(X), y)
            for n_jobs, kind in ((1, np.asarray), (2, np.asarray), (2, sp.csr_array))
        ]
        assert_array_equal(models[0].scores_, models[1].scores_)
        assert_array_equal(models[0].duality_gaps_, models[1].duality_gaps_)
        assert_array_equal(models[0].coef_, models[1].coef_)
        assert models[2].scores_.shape == (3, 3)


def clone_state(random_state):
    return pickle.loads(pickle.dumps(random_state))


def test_without_refit_there_are_scores_and_no_model():
    X, y = blobs()
    model = classifier_cv(refit=False).fit(X, y)
    assert model.alpha_ in ALPHAS
    assert not hasattr(model, "coef_")
    for method in (model.predict, model.decision_function):
        with pytest.raises(AttributeError, match="was fitted with refit=False"):
            method(X)
    model.set_params(refit=True).fit(X, y).predict(X)
    assert not hasattr(model.set_params(refit=False).fit(X, y), "coef_")


def test_a_failed_fit_leaves_the_model_as_it_was():
    X, y = blobs()
    model = classifier_cv().fit(X, y)
    before = fingerprint(model)

    def interrupted(*_):
        raise KeyboardInterrupt

    for broken in ({"cv": 200}, {"alphas": [-1.0]}, {"scoring": interrupted}):
        params = {name: getattr(model, name) for name in broken}
        with pytest.raises((ValueError, KeyboardInterrupt)):
            model.set_params(**broken).fit(X[:, :2], y)
        assert fingerprint(model.set_params(**params)) == before


def test_pickles_and_clones():
    X, y = blobs()
    model = classifier_cv().fit(X, y)
    for other in (pickle.loads(pickle.dumps(model)), clone(model).fit(X, y)):
        assert other.get_params() == model.get_params()
        for name in ("alphas_", "scores_", "duality_gaps_", "coef_", "intercept_"):
            assert_array_equal(getattr(other, name), getattr(model, name))


def test_one_warning_for_the_folds_and_those_of_the_model():
    X, y = blobs()
    with pytest.warns(ConvergenceWarning) as caught:
        classifier_cv(max_iter=1, tol=1e-8).fit(X, y)
    messages = [str(warning.message) for warning in caught]
    assert [message[:20] for message in messages] == ["9 of 9 fits have not", "Not converged after "]
    assert {warning.filename for warning in caught} == {__file__}


def test_a_quiet_search_of_models_that_predict_one_class():
    X, y = blobs()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        classifier_cv(alphas=5).fit(X, y)


def test_a_fold_without_weight():
    X, y = blobs()
    weights = (np.arange(len(y)) < 30).astype(float)
    with pytest.raises(ValueError, match="In one of the folds of cv no training sample has a weight"):
        classifier_cv(cv=[(np.arange(30, 90), np.arange(30))]).fit(X, y, sample_weight=weights)
