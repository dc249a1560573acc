"""The optimum that other solvers find: `LinearSVC`, `SVC`, and L-BFGS-B on the dual of Weston and Watkins."""

from functools import cache
from itertools import product

import numpy as np
import pytest
from cases import LOSSES, objective
from independent_solvers import solve_binary_with_intercept, solve_weston_watkins, solve_without_intercept
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from linear_hinge import MulticlassHingeClassifier

# tol=0 makes all max_iter passes, and `fit` says that it could go on.
pytestmark = pytest.mark.filterwarnings("ignore:Not converged:sklearn.exceptions.ConvergenceWarning")
LONG = {"learning_rate": "optimal", "average": True, "max_iter": 200, "tol": 0, "random_state": 0}

DATASETS = {
    "iris": load_iris,
    "wine": load_wine,
    "breast_cancer": load_breast_cancer,
    "digits": load_digits,
}


def standardised(name):
    """Training and test samples, scaled by the training samples."""
    X, y = DATASETS[name](return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, random_state=0, stratify=y)
    scaler = StandardScaler().fit(X)
    return scaler.transform(X), scaler.transform(X_test), y, y_test


def optimal_model(like, coef, intercept=0.0):
    """The model that has these coefficients and the parameters and classes of ``like``."""
    model = MulticlassHingeClassifier(**like.get_params())
    model.classes_, model.n_features_in_ = like.classes_, like.n_features_in_
    model.coef_, model.intercept_ = coef, np.broadcast_to(intercept, len(coef))
    return model


@cache
def optimal_coef(loss, name, C):
    """The optimum without intercept on the training samples; some take long, and are asked for twice."""
    X, _, y, _ = standardised(name)
    return solve_without_intercept(X, y, loss=loss, alpha=1 / (C * len(y)))


def assert_optimal(model, optimum, X, y, sample_weight=None):
    """Within one per cent of the least objective, which is least up to the tolerance of the solver that found it."""
    least = objective(optimum, X, y, sample_weight)
    assert (1 - 1e-5) * least <= objective(model, X, y, sample_weight) <= 1.01 * least


@pytest.mark.parametrize("name", DATASETS)
@pytest.mark.parametrize("loss", LOSSES)
def test_objective_and_predictions_are_those_of_the_optimum(loss, name):
    X, X_test, y, _ = standardised(name)
    alpha = 1 / (0.01 * len(y))
    model = MulticlassHingeClassifier(loss, alpha=alpha, fit_intercept=False, **LONG).fit(X, y)
    optimum = optimal_model(model, optimal_coef(loss, name, 0.01))
    assert_optimal(model, optimum, X, y)
    assert np.mean(model.predict(X_test) == optimum.predict(X_test)) >= 0.97
    assert not model.intercept_.any()


@pytest.mark.parametrize("loss", LOSSES)
def test_weighted_samples(loss, rng):
    X, _, y, _ = standardised("wine")
    weights = rng.exponential(size=len(y))
    alpha = 1 / (0.01 * weights.sum())
    model = MulticlassHingeClassifier(loss, alpha=alpha, fit_intercept=False, **LONG).fit(X, y, weights)
    optimum = optimal_model(model, solve_without_intercept(X, y, loss=loss, alpha=alpha, sample_weight=weights))
    assert_optimal(model, optimum, X, y, weights)


@pytest.mark.parametrize("margin", [0.5, 3.0])
def test_the_margin_is_in_the_loss(margin):
    X, _, y, _ = standardised("iris")
    model = MulticlassHingeClassifier("weston_watkins", alpha=0.5, margin=margin, fit_intercept=False, **LONG)
    optimum = optimal_model(model.fit(X, y), solve_weston_watkins(X, y, alpha=0.5, margin=margin))
    assert_optimal(model, optimum, X, y)


@pytest.mark.parametrize("C", [0.001, 0.01, 0.1])
@pytest.mark.parametrize("weighted", [False, True])
def test_binary_with_a_free_intercept_is_svc(C, weighted, rng):
    X, X_test, y, _ = standardised("breast_cancer")
    weights = rng.exponential(size=len(y)) if weighted else None
    alpha = 1 / (C * (weights.sum() if weighted else len(y)))
    model = MulticlassHingeClassifier(alpha=alpha, **LONG).fit(X, y, weights)
    optimum = optimal_model(model, *solve_binary_with_intercept(X, y, alpha=alpha, sample_weight=weights))
    assert_optimal(model, optimum, X, y, weights)
    assert np.mean(model.predict(X_test) == optimum.predict(X_test)) >= 0.97


# The fit that proves how good it is


# Where the other solvers take minutes, the optimum is the certificate's word alone.
CERTIFIED = [
    (loss, name, C)
    for loss, name, C in product(LOSSES, DATASETS, (0.01, 1))
    if loss == "crammer_singer" or (name, C) != ("digits", 1)
]


@pytest.mark.parametrize(("loss", "name", "C"), CERTIFIED)
def test_a_certified_fit_is_within_its_tolerance_of_the_optimum(loss, name, C):
    X, X_test, y, _ = standardised(name)
    alpha = 1 / (C * len(y))
    model = MulticlassHingeClassifier(loss, alpha=alpha, fit_intercept=False, random_state=0).fit(X, y)
    optimum = optimal_model(model, optimal_coef(loss, name, C))
    least = objective(optimum, X, y)
    assert model.duality_gap_ <= model.tol
    assert model.dual_objective_ <= (1 + 1e-9) * least
    assert (1 - 1e-5) * least <= model.objective_ <= (1 + model.tol) * least
    assert np.mean(model.predict(X_test) == optimum.predict(X_test)) >= 0.97


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("margin", [0.5, 3.0])
def test_a_certified_fit_with_weights_and_another_margin(loss, margin, rng):
    """LinearSVC knows no margin: Δ times the coefficients of alpha Δ and margin 1 are the same problem."""
    X, _, y, _ = standardised("wine")
    weights, alpha = rng.exponential(size=len(y)), 0.05
    model = MulticlassHingeClassifier(loss, alpha=alpha, margin=margin, fit_intercept=False, tol=1e-6, random_state=0)
    model.fit(X, y, weights)
    coef = margin * solve_without_intercept(X, y, loss=loss, alpha=alpha * margin, sample_weight=weights)
    least = objective(optimal_model(model, coef), X, y, weights)
    assert (1 - 1e-6) * least <= model.objective_ <= (1 + 2e-6) * least


@pytest.mark.parametrize("C", [0.01, 1, 100])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_certified_fit_with_a_free_intercept_is_svc(C, weighted, rng):
    X, X_test, y, _ = standardised("breast_cancer")
    weights = rng.exponential(size=len(y)) if weighted else None
    alpha = 1 / (C * (weights.sum() if weighted else len(y)))
    model = MulticlassHingeClassifier(alpha=alpha, random_state=0).fit(X, y, weights)
    optimum = optimal_model(model, *solve_binary_with_intercept(X, y, alpha=alpha, sample_weight=weights))
    least = objective(optimum, X, y, weights)
    assert model.dual_objective_ <= (1 + 1e-9) * least
    assert model.objective_ <= (1 + model.tol) * least
    assert np.mean(model.predict(X_test) == optimum.predict(X_test)) >= 0.97
