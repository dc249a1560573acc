"""`objective_and_subgradient`: the formulas, and what the estimator minimises."""

import numpy as np
import pytest
import scipy.sparse as sp
from cases import LOSSES, blobs, objective
from references import CASES

from linear_hinge import MulticlassHingeClassifier, objective_and_subgradient
from linear_hinge.losses import get_loss
from linear_hinge.problem.problem import Problem
from linear_hinge.solvers.subgradient import SubgradientDescent

ROWS, FEATURES = 12, 4

every_loss = pytest.mark.parametrize("loss", LOSSES)
every_number_of_classes = pytest.mark.parametrize("n_classes", [2, 3, 5])
every_form = pytest.mark.parametrize("form", [np.asarray, np.asfortranarray, sp.csr_array, sp.csc_matrix])


def draw(n_classes, seed=0):
    """Coefficients, an intercept and data of which no sample is at a kink."""
    rng = np.random.RandomState(seed)
    n_scores = 1 if n_classes == 2 else n_classes
    X, y = rng.normal(size=(ROWS, FEATURES)), np.arange(ROWS) % n_classes
    return rng.normal(size=(n_scores, FEATURES)), rng.normal(size=n_scores), X, y


def reference_of(loss, n_classes):
    kind = type(get_loss(loss, n_classes))
    return next(case.reference for case in CASES if type(case.loss) is kind)


@every_loss
@every_number_of_classes
def test_values_are_those_of_the_formulas(loss, n_classes):
    coef, intercept, X, y = draw(n_classes)
    weights = np.random.RandomState(1).exponential(size=ROWS)
    reference = reference_of(loss, n_classes)
    value, in_coef, in_intercept = 0.05 * (coef**2).sum(), 0.1 * coef, np.zeros(len(intercept))
    for x, label, weight in zip(X, y.tolist(), weights / weights.sum(), strict=True):
        scores = (coef @ x + intercept).tolist()
        g = np.array(reference.subgradient(scores, label, 0.7))
        value += weight * reference.value(scores, label, 0.7)
        in_coef += weight * np.outer(g, x)
        in_intercept += weight * g
    found = objective_and_subgradient(
        coef, intercept, X, y, loss=loss, alpha=0.1, margin=0.7, sample_weight=5 * weights
    )
    for part, wanted in zip(found, (value, in_coef, in_intercept), strict=True):
        np.testing.assert_allclose(part, wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("case", [case for case in CASES if case.loss.costs is not None], ids=str)
def test_a_margin_for_each_pair_of_classes(case):
    loss = next((name for name in LOSSES if type(get_loss(name, 3)) is type(case.loss)), "weston_watkins")
    coef, intercept, X, y = draw(case.n_classes)
    options = {"loss": loss, "alpha": 0.1, "margin": 0.7 * case.loss.costs}
    value, in_coef, in_intercept = objective_and_subgradient(coef, intercept, X, y, **options)
    scores = X @ coef.T + intercept
    g = case.by_rows("subgradient", scores, y, 0.7)
    assert value == pytest.approx(0.05 * (coef**2).sum() + case.by_rows("value", scores, y, 0.7).mean(), rel=1e-12)
    np.testing.assert_allclose(in_coef, 0.1 * coef + g.T @ X / ROWS, atol=1e-12)
    np.testing.assert_allclose(in_intercept, g.mean(axis=0), atol=1e-12)


@every_loss
@every_number_of_classes
def test_away_from_kinks_it_is_the_gradient(loss, n_classes):
    coef, intercept, X, y = draw(n_classes)
    n_scores = len(intercept)

    def value(parameters):
        W = parameters.reshape(n_scores, FEATURES + 1)
        return objective_and_subgradient(W[:, 1:], W[:, 0], X, y, loss=loss, alpha=0.1)[0]

    parameters = np.column_stack([intercept, coef]).ravel()
    step = 1e-6
    differences = [(value(parameters + e) - value(parameters - e)) / (2 * step) for e in step * np.eye(len(parameters))]
    _, in_coef, in_intercept = objective_and_subgradient(coef, intercept, X, y, loss=loss, alpha=0.1)
    gradient = np.column_stack([in_intercept, in_coef]).ravel()
    np.testing.assert_allclose(gradient, differences, atol=1e-8)


@every_loss
@every_number_of_classes
def test_at_kinks_the_plane_touches_the_objective_from_below(loss, n_classes):
    rng = np.random.RandomState(0)
    n_scores = 1 if n_classes == 2 else n_classes
    X, y = rng.randint(-2, 3, (ROWS, FEATURES)), np.arange(ROWS) % n_classes
    for _ in range(20):
        coef, other = rng.randint(-1, 2, (2, n_scores, FEATURES)) + np.array([0, 0.3])[:, None, None]
        kink, in_coef, in_intercept = objective_and_subgradient(coef, 0, X, y, loss=loss, alpha=0.1)
        intercept = rng.normal(size=n_scores)
        above, *_ = objective_and_subgradient(other, intercept, X, y, loss=loss, alpha=0.1)
        assert above >= kink + np.sum(in_coef * (other - coef)) + in_intercept @ intercept - 1e-12


def test_at_a_kink_a_margin_that_is_met_is_not_violated_and_the_first_class_is_the_worst():
    X, labels = np.ones((1, 1)), {"classes": [0, 1, 2], "alpha": 0}
    _, met, _ = objective_and_subgradient([[1], [0], [-1]], 0, X, [0], loss="weston_watkins", **labels)
    _, tied, _ = objective_and_subgradient([[0], [0], [0]], 0, X, [2], loss="crammer_singer", **labels)
    assert met.ravel().tolist() == [0, 0, 0]
    assert tied.ravel().tolist() == [1, 0, -1]


@every_loss
@every_number_of_classes
def test_the_objective_is_what_the_estimator_reports(loss, n_classes):
    X, y = blobs(n_classes=n_classes)
    weights = np.random.RandomState(0).exponential(size=len(y))
    model = MulticlassHingeClassifier(loss, alpha=0.05, margin=1.5, random_state=0).fit(X, y, weights)
    value, in_coef, in_intercept = objective_and_subgradient(
        model.coef_, model.intercept_, X, y, loss=loss, alpha=0.05, margin=1.5, sample_weight=weights
    )
    assert value == pytest.approx(model.objective_, rel=1e-9)
    assert value == pytest.approx(objective(model, X, y, weights), rel=1e-9)
    assert in_coef.shape == model.coef_.shape
    assert in_intercept.shape == model.intercept_.shape


@every_loss
@every_number_of_classes
def test_a_step_of_subgradient_descent_goes_against_it(loss, n_classes):
    coef, intercept, X, y = draw(n_classes)
    hinge = get_loss(loss, n_classes)
    problem = Problem(X, y, np.full(ROWS, 1 / ROWS), hinge, len(intercept), 0.1, 1.0, True)
    descent = SubgradientDescent(coef.T.copy(), intercept.copy())
    descent.sweep(problem, schedule=lambda t: 0.5, average=False, batch_size=ROWS, rng=None)
    _, in_coef, in_intercept = objective_and_subgradient(coef, intercept, X, y, loss=loss, alpha=0.1)
    after_coef, after_intercept = descent.coefficients()
    np.testing.assert_allclose(after_coef.T, coef - 0.5 * in_coef, atol=1e-12)
    np.testing.assert_allclose(after_intercept, intercept - 0.5 * in_intercept, atol=1e-12)


@every_form
@every_loss
def test_the_form_of_the_data_does_not_matter(loss, form):
    coef, intercept, X, y = draw(3)
    X = np.where(X > 0, X, 0).astype(np.float32)
    parameters = {"loss": loss, "alpha": 0.1}
    wanted = objective_and_subgradient(coef, intercept, X.astype(float), y, **parameters)
    given = form(X)
    found = objective_and_subgradient(sp.csr_array(coef), intercept, given, np.array(["a", "b", "c"])[y], **parameters)
    for part, value in zip(found, wanted, strict=True):
        np.testing.assert_allclose(part, value, rtol=1e-12)
        assert np.asarray(part).dtype == np.float64
    assert (given != form(X)).sum() == 0


def test_a_number_is_the_intercept_of_all_classes():
    coef, _, X, y = draw(3)
    one = objective_and_subgradient(coef, 0.5, X, y, loss="one_vs_rest", alpha=0.1)
    three = objective_and_subgradient(coef, [0.5, 0.5, 0.5], X, y, loss="one_vs_rest", alpha=0.1)
    for part, other in zip(one, three, strict=True):
        np.testing.assert_array_equal(part, other)


@every_loss
def test_batches_without_some_of_the_classes_add_up(loss):
    coef, intercept, X, y = draw(3)
    parts = [
        objective_and_subgradient(coef, intercept, X[[i]], y[[i]], loss=loss, alpha=0.1, classes=[2, 1, 0])
        for i in range(ROWS)
    ]
    whole = objective_and_subgradient(coef, intercept, X, y, loss=loss, alpha=0.1)
    for part, values in zip(whole, zip(*parts, strict=True), strict=True):
        np.testing.assert_allclose(part, np.mean(values, axis=0), atol=1e-12)


GOOD = dict(zip(("coef", "intercept", "X", "y"), draw(3), strict=True)) | {"loss": "one_vs_rest", "alpha": 1.0}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"loss": "hinge"}, "The 'loss' parameter of objective_and_subgradient must be a str among"),
        ({"alpha": -1}, "The 'alpha' parameter of objective_and_subgradient must be a float in the range"),
        ({"margin": 0}, "The 'margin' parameter of objective_and_subgradient must be a float in the range"),
        ({"coef": np.zeros((2, FEATURES))}, r"coef has the shape \(2, 4\), but these data and classes need \(3, 4\)"),
        (
            {"coef": np.zeros((FEATURES, 3))},
            "coef has 3 columns, but X has 4 features; coef has one row for each class",
        ),
        (
            {"coef": np.zeros((3, 2)), "y": np.arange(ROWS) / 7},  # said first, for arguments in another order
            "coef has 2 columns, but X has 4 features",
        ),
        ({"y": np.array([np.nan, *"abcabcabcab"], object)}, "Input y contains NaN."),
        ({"coef": np.full((3, FEATURES), np.nan)}, "Input coef contains NaN"),
        ({"coef": np.full((3, FEATURES), 1e200)}, "Floating-point under-/overflow occurred"),
        ({"intercept": np.zeros(2)}, r"intercept has the shape \(2,\), but these classes need \(3,\) or a number"),
        ({"X": np.zeros((3, FEATURES))}, "Found input variables with inconsistent numbers of samples"),
        ({"y": np.zeros(ROWS, int)}, r"At least 2 classes are needed, but there is only \[0\]"),
        ({"y": np.arange(ROWS) / 7}, "Unknown label type: continuous"),
        ({"classes": [0, 1]}, r"y has the label 2, which is not among the classes \[0, 1\]"),
        ({"sample_weight": -np.ones(ROWS)}, "Negative values in data passed to `sample_weight`"),
    ],
)
def test_wrong_input_is_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        objective_and_subgradient(**(GOOD | wrong))
