"""`margin` as an array: a distance for each pair of classes, in the order of the labels."""

import pickle
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from cases import JOINT_LOSSES, LEARNING_RATES, SOLVERS, blobs, calm_classifier, fingerprint, objective
from independent_solvers import solve_weston_watkins
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from linear_hinge import MulticlassHingeClassifier, MulticlassHingeClassifierCV, hinge_path
from linear_hinge.estimator.margins import split_margin
from linear_hinge.estimator.weighted_classes import WeightedClasses

DISTANCES = {
    2: np.array([[0, 0.3], [2.5, 0]]),
    3: np.array([[0, 1.3, 0.2], [0.6, 0, 0], [3.1, 0.7, 0]]),
    4: np.array([[0, 1, 0.1, 2], [0.5, 0, 3, 0], [1.2, 1, 0, 0.4], [0.2, 1, 5, 0]]),
}
for _array in DISTANCES.values():
    _array.flags.writeable = False

all_learning_rates = pytest.mark.parametrize("learning_rate", LEARNING_RATES)
all_solvers = pytest.mark.parametrize("learning_rate", SOLVERS)
joint_losses = pytest.mark.parametrize("loss", JOINT_LOSSES)


def wrong(shape=(3, 3), **entries):
    """Distances of one, and some entries of a kind that is not allowed."""
    distances = np.ones(shape)
    if len(shape) == 2:
        np.fill_diagonal(distances, 0)
    for place, value in entries.items():
        distances[tuple(int(digit) for digit in place[1:])] = value
    return distances


# The product of Δ and the costs


@pytest.mark.parametrize("n_classes", [2, 3, 4])
@pytest.mark.parametrize("size", [1e-6, 1.0, 0.3, 1e6, 1e308 / 5])
def test_the_product_of_margin_and_costs_is_exact(n_classes, size):
    distances = size * DISTANCES[n_classes]
    margin, costs = split_margin(distances, WeightedClasses(np.arange(n_classes)))
    assert [[Fraction(margin) * Fraction(cost) for cost in row] for row in costs.tolist()] == distances.tolist()
    assert distances.max() / 2 < margin <= distances.max()


def test_a_number_has_no_costs():
    for margin in (2, 2.0, np.float32(2)):
        assert split_margin(margin, WeightedClasses(np.arange(3))) == (2.0, None)


def test_the_costs_are_those_of_the_classes_with_weight():
    margin, costs = split_margin(DISTANCES[4], WeightedClasses(np.array(list("abcd")), np.array([0, 2])))
    assert_allclose(margin * costs, [[0, 0.1], [1.2, 0]], rtol=1e-15)


# What it minimises


@joint_losses
@all_learning_rates
@pytest.mark.parametrize("n_classes", [2, 4])
def test_the_objective_is_that_of_the_formula(n_classes, learning_rate, loss):
    X, y = blobs(n_classes=n_classes)
    weights = np.random.RandomState(0).exponential(size=len(y))
    model = calm_classifier(learning_rate, loss=loss, margin=DISTANCES[n_classes]).fit(X, y, weights)
    assert model.objective_ == pytest.approx(objective(model, X, y, weights), rel=1e-10)
    if learning_rate == "auto":
        assert model.duality_gap_ <= model.tol
    certain = calm_classifier(loss=loss, margin=DISTANCES[n_classes], tol=1e-6).fit(X, y, weights)
    assert certain.dual_objective_ <= model.objective_ <= 1.1 * certain.objective_


@joint_losses
@all_solvers
@pytest.mark.parametrize("n_classes", [2, 4])
def test_equal_distances_are_a_margin(n_classes, learning_rate, loss):
    X, y = blobs(n_classes=n_classes)
    options = {"loss": loss, "tol": 1e-6 if learning_rate == "auto" else 1e-3}
    number = calm_classifier(learning_rate, margin=0.7, **options).fit(X, y)
    array = calm_classifier(learning_rate, margin=0.7 * (1 - np.eye(n_classes)), **options).fit(X, y)
    assert_allclose(array.objective_, number.objective_, rtol=2e-6)
    assert_allclose(array.decision_function(X), number.decision_function(X), atol=0.02)


@pytest.mark.parametrize("alpha", [1.0, 0.01])
@pytest.mark.parametrize("n_classes", [3, 4])
def test_the_optimum_is_that_of_l_bfgs_on_the_box_dual(n_classes, alpha):
    X, y = blobs(n_classes=n_classes)
    options = {"alpha": alpha, "margin": DISTANCES[n_classes]}
    model = MulticlassHingeClassifier("weston_watkins", fit_intercept=False, tol=1e-6, random_state=0, **options)
    model.fit(X, y)
    ours, bound = objective(model, X, y), model.dual_objective_
    model.coef_ = solve_weston_watkins(X, y, **options)
    theirs = objective(model, X, y)
    assert bound <= theirs
    assert ours == pytest.approx(theirs, rel=1e-5)


@joint_losses
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_classes", [2, 4])
def test_dense_and_sparse_rows_and_numpy_alone_give_the_same_model(n_classes, dtype, loss, request):
    X, y = blobs(n_classes=n_classes)
    X = np.where(np.abs(X) > 1, X, 0).astype(dtype)
    models = [
        calm_classifier(loss=loss, margin=DISTANCES[n_classes]).fit(kind(X), y) for kind in (np.array, sp.csr_array)
    ]
    request.getfixturevalue("numpy_steps")
    models.append(calm_classifier(loss=loss, margin=DISTANCES[n_classes]).fit(X, y))
    for model in models:
        assert model.coef_.dtype == dtype
        assert_allclose(model.objective_, models[0].objective_, rtol=2e-3)
        assert_allclose(model.decision_function(X), models[0].decision_function(X), atol=0.1)


@joint_losses
def test_distances_and_alpha_scale_together(loss):
    """The margin 4Δ with alpha/4 is the margin Δ with alpha, and W is four times as long."""
    X, y = blobs(n_classes=4)
    wide = calm_classifier(loss=loss, margin=4 * DISTANCES[4], alpha=2**-5).fit(X, y)
    narrow = calm_classifier(loss=loss, margin=DISTANCES[4], alpha=2**-3).fit(X, y)
    assert_array_equal(wide.coef_, 4 * narrow.coef_)
    assert wide.objective_ == 4 * narrow.objective_


@joint_losses
def test_mistakes_that_are_asked_to_be_farther_become_rarer(loss):
    X, y = blobs(n_samples=300, n_classes=3, seed=1)
    counts = []
    for distance in (0, 1, 4, 16):
        margin = 1 - np.eye(3)
        margin[0, 1] = distance
        predicted = calm_classifier(loss=loss, margin=margin, alpha=1e-2).fit(X, y).predict(X)
        counts.append(np.count_nonzero((y == 0) & (predicted == 1)))
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 2 * counts[-1]


# Labels


@joint_losses
@all_solvers
def test_rows_and_columns_follow_the_sorted_labels(learning_rate, loss):
    X, y = blobs(n_classes=3)
    model = calm_classifier(learning_rate, loss=loss, margin=DISTANCES[3]).fit(X, y)
    names = np.array(["c", "a", "b"])  # 0, 1, 2
    order = np.argsort(names)
    renamed = calm_classifier(learning_rate, loss=loss, margin=DISTANCES[3][np.ix_(order, order)]).fit(X, names[y])
    assert_allclose(renamed.objective_, model.objective_, rtol=2e-3)
    assert np.mean(renamed.predict(X) == names[model.predict(X)]) > 0.97


@pytest.mark.parametrize("weighted", [[0, 2, 3], [1, 3]])
@joint_losses
@all_solvers
def test_classes_without_weight_take_their_rows_and_columns_with_them(learning_rate, loss, weighted):
    X, y = blobs(n_samples=120, n_classes=4)
    present = np.isin(y, weighted)
    model = calm_classifier(learning_rate, loss=loss, margin=DISTANCES[4]).fit(X, y, present * 1.0)
    margin = DISTANCES[4][np.ix_(weighted, weighted)]
    alone = calm_classifier(learning_rate, loss=loss, margin=margin).fit(X[present], y[present])
    assert_allclose(model.objective_, alone.objective_, rtol=1e-9)
    assert_array_equal(model.predict(X), alone.predict(X))


@all_solvers
def test_where_no_distance_is_asked_zero_is_the_optimum(learning_rate):
    X, y = blobs(n_classes=3)
    margin = np.array([[0, 0, 1], [0, 0, 1], [1, 1, 0.0]])
    model = calm_classifier(learning_rate, margin=margin)
    with pytest.warns(UserWarning, match="The model predicts one class, 0, .*less unequal margins"):
        model.fit(X, y, (y < 2) * 1.0)
    assert model.objective_ == 0
    assert not model.coef_.any()
    model.fit(X, y)  # of all three something is asked
    assert model.score(X, y) > 0.5


@joint_losses
@all_solvers
def test_a_stream_knows_the_order_from_its_classes(learning_rate, loss):
    X, y = blobs(n_samples=600, n_classes=3, seed=1)
    counts = []
    for distance in (0.1, 10):
        margin = 1 - np.eye(3)
        margin[0, 1] = distance
        model = calm_classifier(learning_rate, loss=loss, margin=margin, alpha=1e-2)
        model.partial_fit(X[y == 2], y[y == 2], classes=[2, 0, 1])
        for _ in range(3):
            model.partial_fit(X, y)
        counts.append(np.count_nonzero((y == 0) & (model.predict(X) == 1)))
    assert counts[1] < counts[0]


def test_a_stream_of_classes_that_are_not_those_of_the_array_stays_as_it_was():
    X, y = blobs(n_classes=3)
    model = MulticlassHingeClassifier(margin=DISTANCES[3])
    with pytest.raises(
        ValueError, match=r"margin has the shape \(3, 3\), but with 4 classes .* needs the shape \(4, 4\)"
    ):
        model.partial_fit(X, y, classes=[0, 1, 2, 3])
    assert not hasattr(model, "classes_")
    model.partial_fit(X, y, classes=[0, 1, 2])
    before = fingerprint(model.set_params(margin=DISTANCES[2]))
    with pytest.raises(ValueError, match=r"margin has the shape \(2, 2\), but with 3 classes"):
        model.partial_fit(X, y)
    assert fingerprint(model) == before


def test_a_fold_that_lacks_a_class_is_told_so():
    X, y = blobs(n_classes=4)
    with pytest.raises(ValueError, match=r"margin has the shape \(4, 4\), but with 3 classes"):
        MulticlassHingeClassifier(margin=DISTANCES[4]).fit(X[y > 0], y[y > 0])


# Warm starts


@joint_losses
def test_a_warm_start_goes_on_with_the_same_distances_and_begins_anew_with_others(loss):
    X, y = blobs(n_classes=4)
    model = calm_classifier(loss=loss, margin=DISTANCES[4], warm_start=True).fit(X, y)
    assert model.fit(X, y).n_iter_ == 1
    model.set_params(margin=DISTANCES[4].T).fit(X, y)
    cold = calm_classifier(loss=loss, margin=DISTANCES[4].T, tol=1e-6).fit(X, y)
    assert model.duality_gap_ <= model.tol
    assert model.objective_ == pytest.approx(objective(model, X, y), rel=1e-10)
    assert cold.dual_objective_ <= model.objective_ <= (1 + model.tol) * cold.objective_


# Paths


@pytest.mark.filterwarnings("ignore:The model predicts")
@joint_losses
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("n_classes", [2, 4])
def test_a_path_begins_where_zero_is_within_tol_and_holds_the_fits(n_classes, fit_intercept, loss):
    X, y = blobs(n_classes=n_classes)
    options = {"loss": loss, "margin": DISTANCES[n_classes], "fit_intercept": fit_intercept, "random_state": 0}
    path = hinge_path(X, y, 4, **options)
    assert (path.objectives - path.dual_objectives <= 1e-3 * path.objectives).all()
    assert path.n_iters[0] <= 2  # nothing is better than constants
    for alpha, objective_there in zip(path.alphas, path.objectives, strict=True):
        alone = MulticlassHingeClassifier(alpha=alpha, **options).fit(X, y)
        assert alone.dual_objective_ <= objective_there <= 1.001 * alone.objective_


def test_a_path_of_classes_between_which_no_distance_is_asked():
    X, y = blobs(n_classes=3)
    margin = np.array([[0, 0, 1], [0, 0, 1], [1, 1, 0.0]])
    path = hinge_path(X, y, 3, margin=margin, sample_weight=(y < 2) * 1.0)
    assert not path.coefs.any()
    assert not path.objectives.any()


@joint_losses
def test_cross_validation_takes_the_array_into_every_fold(loss):
    X, y = blobs(n_classes=3)
    model = MulticlassHingeClassifierCV(loss, margin=DISTANCES[3], alphas=[1, 0.1], cv=3, random_state=0).fit(X, y)
    assert (model.duality_gaps_ <= model.tol).all()
    alone = MulticlassHingeClassifier(loss, alpha=model.alpha_, margin=DISTANCES[3], random_state=0).fit(X, y)
    assert_allclose(model.objective_, alone.objective_, rtol=1e-3)


# The parameter


WRONG = [
    (wrong((4, 4)), r"margin has the shape \(4, 4\), but with 3 classes an array needs the shape \(3, 3\): a row for"),
    (wrong((3,)), r"margin has the shape \(3,\), but"),
    (wrong((3, 3, 3)), r"margin has the shape \(3, 3, 3\), but"),
    (np.array(1.0), r"margin has the shape \(\), but"),
    ([], r"margin has the shape \(0,\), but"),
    ([[0, 1], [1]], r"margin must be a number, or an array of numbers with equal rows, got \[\[0, 1\], \[1\]\]"),
    ([["a"] * 3] * 3, "margin must be a number, or an array of numbers"),
    ({"a": 1}, "margin must be a number, or an array of numbers"),
    (wrong(_12=np.nan), r"margin\[1, 2\]=nan: distances must be finite, not negative, and zero on the diagonal"),
    (wrong(_01=np.inf), r"margin\[0, 1\]=inf: distances must be finite"),
    (wrong(_20=-1e-9), r"margin\[2, 0\]=-1e-09: distances must be finite, not negative"),
    (wrong(_11=0.5), r"margin\[1, 1\]=0.5: .* zero on the diagonal"),
    (np.zeros((3, 3)), "margin is zero everywhere; at least one distance between two classes must be positive"),
]


@pytest.mark.parametrize(("margin", "message"), WRONG)
@pytest.mark.parametrize("loss", JOINT_LOSSES)
def test_a_wrong_array_is_one_sentence_and_leaves_the_model_as_it_was(margin, message, loss):
    X, y = blobs(n_classes=3)
    model = calm_classifier(loss=loss).fit(X, y).set_params(margin=margin)
    before = fingerprint(model)
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)
    assert fingerprint(model) == before


@pytest.mark.parametrize("margin", [0, -1.0, np.nan, "wide", None, 1j, sp.csr_array(DISTANCES[3])], ids=repr)
def test_what_is_no_array_is_refused_by_scikit_learn(margin):
    X, y = blobs(n_classes=3)
    with pytest.raises(ValueError, match="The 'margin' parameter of MulticlassHingeClassifier must be"):
        MulticlassHingeClassifier(margin=margin).fit(X, y)


def test_one_vs_rest_takes_an_array_of_two_classes_only():
    X, y = blobs(n_classes=3)
    with pytest.raises(
        ValueError, match="loss='one_vs_rest' takes one number as margin: it sets each class against all"
    ):
        MulticlassHingeClassifier("one_vs_rest", margin=DISTANCES[3]).fit(X, y)
    X, y = blobs(n_classes=2)
    models = [calm_classifier(loss=loss, margin=DISTANCES[2]).fit(X, y) for loss in ("one_vs_rest", *JOINT_LOSSES)]
    for model in models:
        assert_array_equal(model.coef_, models[0].coef_)


@pytest.mark.parametrize(
    "kind", [np.array, np.asfortranarray, np.float32, np.ndarray.tolist, pd.DataFrame], ids=lambda kind: kind.__name__
)
def test_any_array_of_the_same_numbers_gives_the_same_model(kind):
    X, y = blobs(n_classes=4)
    expected = calm_classifier(margin=np.float32(DISTANCES[4]).astype(float)).fit(X, y)
    margin = kind(np.float32(DISTANCES[4]))
    model = calm_classifier(margin=margin).fit(X, y)
    assert model.margin is margin
    assert_array_equal(model.coef_, expected.coef_)


@all_solvers
def test_the_array_of_the_user_is_neither_changed_nor_kept(learning_rate):
    X, y = blobs(n_classes=3)
    margin = DISTANCES[3].copy()
    model = calm_classifier(learning_rate, margin=margin).fit(X, y)
    assert_array_equal(margin, DISTANCES[3])
    assert not any(
        np.shares_memory(margin, value)
        for value in vars(model).values()
        if isinstance(value, np.ndarray) and value is not margin
    )


def test_it_clones_pickles_and_prints():
    X, y = blobs(n_classes=3)
    model = calm_classifier(margin=DISTANCES[3]).fit(X, y)
    copy = clone(model)
    assert copy.margin is not model.margin
    assert_array_equal(copy.fit(X, y).coef_, model.coef_)
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
    assert "margin=array([[0. , 1.3" in repr(model)
    assert "margin" in model._repr_html_()


@pytest.mark.parametrize("kind", [np.array, np.ndarray.tolist], ids=["array", "list"])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_grid_search_compares_numbers_and_arrays(kind, n_jobs):
    X, y = blobs(n_classes=3)
    margins = [kind(DISTANCES[3]), 1.0, kind(DISTANCES[3].T)]
    search = GridSearchCV(calm_classifier(), {"margin": margins, "alpha": [0.1, 1.0]}, cv=3, n_jobs=n_jobs).fit(X, y)
    assert len(search.cv_results_["params"]) == 6
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_estimator_.score(X, y) > 0.5


def test_a_grid_search_over_arrays_alone():
    X, y = blobs(n_classes=3)
    search = GridSearchCV(calm_classifier(), {"margin": [DISTANCES[3], DISTANCES[3].T]}, cv=3).fit(X, y)
    assert len(search.cv_results_["param_margin"]) == 2
    assert any(search.best_params_["margin"] is margin for margin in search.param_grid["margin"])
