"""A path of models: each is the solution for its alpha, whatever its neighbours left."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from cases import LOSSES, blobs, objective
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

from linear_hinge import MulticlassHingeClassifier, hinge_path
from linear_hinge.estimator.path import GRID_RATIO

all_losses = pytest.mark.parametrize("loss", LOSSES)
ALPHAS = [1.0, 0.1, 0.01, 1e-3]


def models_of(path, labels, **params):
    """The classifiers along a path."""
    for alpha, coef, intercept in zip(path.alphas, path.coefs, path.intercepts, strict=True):
        model = MulticlassHingeClassifier(alpha=alpha, **params)
        model.coef_, model.intercept_, model.classes_, model.n_features_in_ = coef, intercept, labels, coef.shape[1]
        yield model


@all_losses
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_every_model_is_certified_and_the_bounds_are_true(loss, n_classes, fit_intercept, dtype):
    X, y = blobs(n_samples=200, n_features=8, n_classes=n_classes)
    X = X.astype(dtype)
    params = {"loss": loss, "fit_intercept": fit_intercept, "random_state": 0, "margin": 1.5}
    path = hinge_path(X, y, ALPHAS, **params)
    assert_array_equal(path.alphas, ALPHAS)
    assert path.coefs.shape == (4, 1 if n_classes == 2 else n_classes, 8)
    assert path.coefs.dtype == dtype
    for model, found, bound in zip(
        models_of(path, np.unique(y), **params), path.objectives, path.dual_objectives, strict=True
    ):
        assert objective(model, X.astype(float), y) == pytest.approx(found, rel=1e-6)
        assert bound <= found <= bound / (1 - 1e-3) * (1 + 1e-12)
        exact = MulticlassHingeClassifier(alpha=model.alpha, tol=1e-6, **params).fit(X.astype(float), y)
        assert bound <= exact.objective_


@all_losses
def test_sparse_data_with_weights_and_weightless_classes_are_like_single_fits(loss):
    X, y = blobs(n_samples=200, n_features=8, n_classes=4)
    weights = np.random.RandomState(0).uniform(size=200) * (y != 2)
    path = hinge_path(sp.csr_array(X), y, ALPHAS, loss=loss, sample_weight=weights, tol=1e-6, random_state=0)
    for alpha, coef, found in zip(ALPHAS, path.coefs, path.objectives, strict=True):
        model = MulticlassHingeClassifier(loss, alpha=alpha, tol=1e-6, random_state=0).fit(X, y, weights)
        assert found == pytest.approx(model.objective_, rel=2e-6)
        assert_allclose(coef, model.coef_, atol=2e-2 * np.abs(model.coef_).max())
        assert not coef[2].any()


def test_a_path_costs_less_than_its_fits():
    X, y = load_digits(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    alphas = np.geomspace(1, 0.01, 8)
    path = hinge_path(X, y, alphas, random_state=0)
    cold = [MulticlassHingeClassifier(alpha=alpha, random_state=0).fit(X, y).n_iter_ for alpha in alphas]
    assert path.n_iters.sum() < 0.9 * sum(cold)


@all_losses
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_grid_begins_where_zero_is_good_enough(loss, fit_intercept):
    X, y = blobs()
    path = hinge_path(X, y, 5, loss=loss, fit_intercept=fit_intercept, random_state=0)
    assert_allclose(path.alphas[1:] / path.alphas[:-1], GRID_RATIO**0.25)
    scores = X @ path.coefs[0].T
    assert np.abs(scores - scores.mean(axis=0)).max() < 0.1
    assert path.n_iters[0] <= (1 if fit_intercept else 2)  # without an intercept it begins at zero


def test_alphas_are_sorted_and_one_is_enough():
    X, y = blobs()
    path = hinge_path(X, y, [0.01, 1], random_state=0)
    assert_array_equal(path.alphas, [1, 0.01])
    assert len(hinge_path(X, y, 1).alphas) == len(hinge_path(X, y, [0.1]).alphas) == 1


def test_same_random_state_same_bits():
    X, y = blobs()
    for left, right in zip(hinge_path(X, y, random_state=3), hinge_path(X, y, random_state=3), strict=True):
        assert_array_equal(left, right)


def test_the_data_stay_as_they_are():
    X, y = blobs()
    X.flags.writeable = y.flags.writeable = False
    hinge_path(X, y, 3, sample_weight=np.ones(len(y)))


def test_what_one_class_with_weight_leaves():
    X, y = blobs()
    path = hinge_path(X, y, 3, sample_weight=(y == 1).astype(float))
    assert not path.coefs.any()
    assert_array_equal(path.objectives, 0)
    assert (path.intercepts.argmax(axis=1) == 1).all()


def test_one_warning_for_all_fits_that_ran_out_of_passes():
    X, y = blobs()
    with pytest.warns(ConvergenceWarning, match=r"^\d of 4 fits have not converged after 1 passes") as caught:
        hinge_path(X, y, ALPHAS, max_iter=1, tol=1e-8)
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_a_path_says_nothing_of_models_that_predict_one_class():
    X, y = blobs()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hinge_path(X, y, [1e6, 1])


@pytest.mark.parametrize(
    ("alphas", "message"),
    [
        ([1, 0], "alphas must be an int or a list of numbers greater than 0, but is"),
        ([[1, 2]], "alphas must be an int or a list of numbers greater than 0, but is"),
        ([1, np.nan], "alphas contains NaN"),
        ([], "Found array with 0 sample"),
        (0, "The 'alphas' parameter of hinge_path must be"),
        (0.5, "The 'alphas' parameter of hinge_path must be"),
    ],
)
def test_wrong_alphas(alphas, message):
    with pytest.raises(ValueError, match=message):
        hinge_path(*blobs(), alphas)


def test_a_grid_needs_a_tol():
    with pytest.raises(ValueError, match="tol is 0: give the alphas"):
        hinge_path(*blobs(), 5, tol=0)
    with pytest.raises(ValueError, match="The 'loss' parameter of hinge_path must be"):
        hinge_path(*blobs(), loss="hinge")
