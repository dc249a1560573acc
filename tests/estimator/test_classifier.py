"""`MulticlassHingeClassifier`: its parameters mean what they say, and its attributes are what they are called."""

import re
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from cases import LEARNING_RATES, LOSSES, SCHEDULES, SOLVERS, blobs, calm_classifier, fingerprint, objective
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.class_weight import compute_class_weight

from linear_hinge import MulticlassHingeClassifier

ignore_convergence = pytest.mark.filterwarnings("ignore:Not converged:sklearn.exceptions.ConvergenceWarning")


def assert_same_model(model, other, rtol=0.0):
    """Equal classes, and coefficients that are equal to the bit or to a relative tolerance."""
    assert_array_equal(model.classes_, other.classes_)
    for name in ("coef_", "intercept_"):
        ours, theirs = getattr(model, name), getattr(other, name)
        assert_allclose(ours, theirs, rtol=rtol, atol=rtol * np.abs(theirs).max())


# Classes and shapes


@pytest.mark.parametrize(("n_classes", "n_scores"), [(2, 1), (3, 3), (7, 7)])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_shapes(n_classes, n_scores, loss, learning_rate):
    X, y = blobs(n_classes=n_classes)
    model = calm_classifier(learning_rate, loss=loss).fit(X, y)
    assert model.coef_.shape == (n_scores, 5)
    assert model.intercept_.shape == (n_scores,)
    assert model.decision_function(X).shape == ((90, n_classes) if n_classes > 2 else (90,))
    assert model.predict(X).shape == (90,)
    assert model.n_features_in_ == 5


@pytest.mark.parametrize("loss", LOSSES)
def test_scores_are_linear_and_the_highest_one_is_predicted(loss):
    X, y = blobs(n_classes=4)
    model = calm_classifier(loss=loss).fit(X, y)
    scores = X @ model.coef_.T + model.intercept_
    assert_allclose(model.decision_function(X), scores, rtol=1e-12)
    assert_array_equal(model.predict(X), model.classes_[scores.argmax(axis=1)])
    assert model.score(X, y) > 0.6


def test_with_two_classes_a_positive_score_is_the_second_class():
    X, y = blobs(n_classes=2)
    model = calm_classifier().fit(X, np.array(["no", "yes"])[y])
    assert_array_equal(model.predict(X) == "yes", model.decision_function(X) > 0)


@pytest.mark.parametrize("learning_rate", LEARNING_RATES)
def test_with_two_classes_all_losses_are_the_binary_hinge(learning_rate):
    X, y = blobs(n_classes=2)
    models = [calm_classifier(learning_rate, loss=loss).fit(X, y) for loss in LOSSES]
    assert_same_model(models[1], models[0])
    assert_same_model(models[2], models[0])


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["cat", "dog", "owl"]),
        np.array(["cat", "dog", "owl"], dtype=object),
        np.array([-5, 0, 7]),
        np.array([-1.0, 0.0, 2.0]),
        np.array([False, True]),
    ],
    ids=["strings", "objects", "negative", "floats", "booleans"],
)
def test_labels_come_back_as_they_were(labels):
    X, y = blobs(n_classes=len(labels))
    model, coded = calm_classifier().fit(X, labels[y]), calm_classifier().fit(X, y)
    assert_array_equal(model.classes_, labels)
    assert_array_equal(model.predict(X), labels[coded.predict(X)])
    assert_array_equal(model.coef_, coded.coef_)
    assert model.predict(X).dtype == labels.dtype


# The objective


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("learning_rate", LEARNING_RATES)
def test_objective_is_that_of_the_formulas(fit_intercept, n_classes, loss, learning_rate, rng):
    X, y = blobs(n_classes=n_classes)
    w = rng.exponential(size=len(y))
    model = calm_classifier(learning_rate, loss=loss, margin=1.5, fit_intercept=fit_intercept).fit(X, y, w)
    assert model.objective_ == pytest.approx(objective(model, X, y, w), rel=1e-9)
    assert model.intercept_.any() == fit_intercept


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("learning_rate", LEARNING_RATES)
def test_no_nearby_model_has_a_much_lower_objective(loss, learning_rate, rng):
    X, y = blobs()
    model = calm_classifier(learning_rate, loss=loss).fit(X, y)
    best = model.objective_
    for _ in range(50):
        coef, intercept = model.coef_, model.intercept_
        model.coef_ = coef + 0.05 * rng.standard_normal(coef.shape)
        model.intercept_ = intercept + 0.05 * rng.standard_normal(intercept.shape)
        assert objective(model, X, y) > 0.98 * best
        model.coef_, model.intercept_ = coef, intercept


# For the margin cΔ, W = cV has the objective c (c alpha/2 ‖V‖² + mean loss of V for the margin Δ); for the samples cX,
# W = V/c has alpha/(2c²) ‖V‖² + mean loss of V for X. The minimisers are related likewise, and so are the objectives.
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_a_margin_of_4_is_a_margin_of_1_with_alpha_times_4(loss, learning_rate):
    X, y = blobs()
    wide = calm_classifier(learning_rate, loss=loss, margin=4.0, alpha=0.05).fit(X, y)
    narrow = calm_classifier(learning_rate, loss=loss, alpha=4 * 0.05).fit(X, y)
    assert wide.objective_ == pytest.approx(4 * narrow.objective_, rel=0.02)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_halved_samples_are_whole_ones_with_alpha_times_4(loss, learning_rate):
    X, y = blobs()
    halved = calm_classifier(learning_rate, loss=loss, alpha=0.05).fit(X / 2, y)
    whole = calm_classifier(learning_rate, loss=loss, alpha=4 * 0.05).fit(X, y)
    assert halved.objective_ == pytest.approx(whole.objective_, rel=0.02)


# With V for W/4 and eta/4 for eta the steps are the same ones, and powers of two are exact.
@pytest.mark.parametrize("learning_rate", ["constant", "invscaling"])
def test_steps_scale_exactly_with_the_margin(learning_rate):
    X, y = blobs()
    options = {"learning_rate": learning_rate, "random_state": 0, "batch_size": 16}
    wide = MulticlassHingeClassifier(alpha=2**-5, margin=4, eta0=2**-4, **options)
    narrow = MulticlassHingeClassifier(alpha=2**-3, margin=1, eta0=2**-6, **options)
    for _ in range(3):
        wide.partial_fit(X, y, classes=[0, 1, 2])
        narrow.partial_fit(X, y, classes=[0, 1, 2])
    assert_array_equal(wide.coef_, 4 * narrow.coef_)
    assert_array_equal(wide.intercept_, 4 * narrow.intercept_)


# Weights


@ignore_convergence
@pytest.mark.parametrize("container", [np.asarray, sp.csr_array])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("learning_rate", LEARNING_RATES)
def test_integer_weights_are_repeated_rows_in_any_order(container, loss, learning_rate, rng):
    X, y = blobs(n_samples=40)
    weights = rng.randint(0, 4, size=len(y))
    repeated = rng.permutation(np.repeat(np.arange(len(y)), weights))
    model = calm_classifier(learning_rate, loss=loss, batch_size=1000, max_iter=200)
    by_weight = model.fit(container(X), y, weights).decision_function(X)
    by_repetition = model.fit(container(X[repeated]), y[repeated]).decision_function(X)
    assert_allclose(by_weight, by_repetition, rtol=0, atol=1e-6)


@ignore_convergence
@pytest.mark.parametrize("batch_size", [8, 1000])
@pytest.mark.parametrize("learning_rate", LEARNING_RATES)
def test_rows_and_classes_without_weight_are_as_good_as_absent(batch_size, learning_rate):
    X, y = blobs(n_classes=4)
    weights = (np.arange(len(y)) % 3 > 0) * (y != 1) * 1.0
    present = weights > 0
    options = {"batch_size": batch_size, "max_iter": 100}
    model = calm_classifier(learning_rate, **options).fit(X, y, weights)
    without = calm_classifier(learning_rate, **options).fit(X[present], y[present])
    assert_array_equal(model.classes_, [0, 1, 2, 3])
    assert_allclose(model.coef_[[0, 2, 3]], without.coef_, rtol=1e-6)
    assert_allclose(model.intercept_[[0, 2, 3]], without.intercept_, rtol=1e-6)


@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_class_weights_multiply_sample_weights(learning_rate, rng):
    X, y = blobs()
    weights = rng.exponential(size=len(y))
    model = calm_classifier(learning_rate, class_weight={0: 3, 1: 1, 2: 0.5})
    plain = calm_classifier(learning_rate)
    multiplied = weights * np.array([3, 1, 0.5])[y]
    assert_same_model(model.fit(X, y, weights), plain.fit(X, y, multiplied), rtol=1e-9)
    model.partial_fit(X, y, sample_weight=weights)
    assert_same_model(model, plain.partial_fit(X, y, sample_weight=multiplied), rtol=1e-9)


@pytest.mark.parametrize("labels", [np.array([0, 1, 2]), np.array(["a", "b", "c"])])
def test_class_weights_go_by_label_and_default_to_one(labels):
    X, y = blobs()
    model = calm_classifier(class_weight={labels[1]: 5}).fit(X, labels[y])
    assert_same_model(model, calm_classifier(class_weight=dict(zip(labels, [1, 5, 1], strict=True))).fit(X, labels[y]))
    shifted = np.mean(model.predict(X) == labels[1]) - np.mean(calm_classifier().fit(X, y).predict(X) == 1)
    assert shifted > 0


def test_balanced_is_scikit_learns_formula():
    X, y = blobs(n_classes=4)
    X, y = X[y <= np.arange(len(y)) % 4], y[y <= np.arange(len(y)) % 4]
    explicit = dict(enumerate(compute_class_weight("balanced", classes=np.arange(4), y=y)))
    assert len(set(explicit.values())) > 1
    model = calm_classifier(class_weight="balanced").fit(X, y)
    assert_same_model(model, calm_classifier(class_weight=explicit).fit(X, y), rtol=1e-9)


def test_balanced_counts_weights_instead_of_rows(rng):
    X, y = blobs()
    weights = rng.exponential(size=len(y)) * np.array([1, 2, 5])[y]
    explicit = weights.sum() / (3 * np.bincount(y, weights))
    model = calm_classifier(class_weight="balanced").fit(X, y, weights)
    # What rounding makes of the weights, conjugate gradients enlarge.
    assert_same_model(model, calm_classifier().fit(X, y, weights * explicit[y]), rtol=1e-6)
    integers = rng.randint(1, 4, size=len(y))
    repeated = calm_classifier(class_weight="balanced", batch_size=1000).fit(X.repeat(integers, 0), y.repeat(integers))
    weighted = calm_classifier(class_weight="balanced", batch_size=1000).fit(X, y, integers)
    assert_same_model(weighted, repeated, rtol=1e-7)


# Passes


@pytest.mark.parametrize("container", [np.asarray, sp.csr_array])
@pytest.mark.parametrize("learning_rate", LEARNING_RATES)
def test_same_random_state_same_model_to_the_bit(container, learning_rate):
    X, y = blobs()
    models = [calm_classifier(learning_rate, random_state=seed).fit(container(X), y) for seed in (7, 7, 8)]
    assert_same_model(models[0], models[1])
    assert (models[0].coef_ != models[2].coef_).any()
    by_instance = calm_classifier(learning_rate, random_state=np.random.RandomState(7)).fit(container(X), y)
    assert_same_model(by_instance, models[0])


@pytest.mark.parametrize("learning_rate", LEARNING_RATES)
def test_without_shuffling_there_is_nothing_random(learning_rate):
    X, y = blobs()
    models = [calm_classifier(learning_rate, shuffle=False, random_state=seed).fit(X, y) for seed in (7, 8)]
    assert_same_model(*models)


@pytest.mark.parametrize("learning_rate", LEARNING_RATES)
def test_a_batch_that_holds_everything_makes_one_step_a_pass_in_any_order(learning_rate, rng):
    X, y = blobs()
    model = calm_classifier(learning_rate, batch_size=10**9, loss="crammer_singer").fit(X, y)
    if learning_rate == "auto":  # which counts its Newton steps as passes
        assert 0 < model.t_ <= model.n_iter_
    else:
        assert model.t_ == model.n_iter_
    order = rng.permutation(len(y))
    other = calm_classifier(learning_rate, batch_size=90, loss="crammer_singer").fit(X[order], y[order])
    assert_same_model(other, model, rtol=1e-6)


@pytest.mark.filterwarnings("ignore:The model predicts:UserWarning")
@pytest.mark.parametrize(
    ("learning_rate", "n_samples", "steps"), [("auto", 64, 1), ("auto", 65, 9), ("optimal", 64, 1), ("optimal", 65, 2)]
)
def test_the_automatic_batch_size(learning_rate, n_samples, steps):
    X, y = (part[:n_samples] for part in blobs(n_samples=90))
    model = MulticlassHingeClassifier(learning_rate=learning_rate, max_iter=1)
    with pytest.warns(ConvergenceWarning):
        assert model.fit(X, y).t_ == steps


@ignore_convergence
@pytest.mark.parametrize(("batch_size", "steps"), [(1, 90), (16, 6), (90, 1), (91, 1)])
@pytest.mark.parametrize("learning_rate", SCHEDULES)
def test_steps_are_counted(batch_size, steps, learning_rate):
    X, y = blobs()
    model = calm_classifier(learning_rate, batch_size=batch_size, max_iter=3)
    assert model.partial_fit(X, y, classes=[0, 1, 2]).t_ == steps
    assert model.partial_fit(X, y).t_ == 2 * steps
    assert model.fit(X, y).t_ == 3 * steps


@pytest.mark.parametrize("learning_rate", LEARNING_RATES)
def test_history_of_a_fit(learning_rate):
    X, y = blobs()
    model = calm_classifier(learning_rate).fit(X, y)
    assert 1 <= model.n_iter_ < model.max_iter
    assert len(model.history_["objective"]) == len(model.history_["seconds"]) == model.n_iter_
    assert (np.diff(model.history_["seconds"], prepend=0) >= 0).all()
    assert model.history_["objective"][-1] == model.objective_
    assert model.objective_ < model.history_["objective"][0]


@pytest.mark.parametrize("learning_rate", LEARNING_RATES)
def test_a_fit_that_runs_out_of_passes_says_how_far_it_got_and_what_to_change(learning_rate):
    X, y = blobs()
    model = calm_classifier(learning_rate, max_iter=2, tol=1e-6)
    with pytest.warns(ConvergenceWarning) as warned:
        model.fit(X, y)
    (message,) = [str(warning.message) for warning in warned]
    assert model.n_iter_ == 2
    assert "2 passes" in message
    assert "tol=1e-06" in message
    assert re.search(r"\d\.\d+", message)
    assert "ncrease max_iter" in message
    assert "StandardScaler" in message


@pytest.mark.parametrize("learning_rate", LEARNING_RATES)
def test_a_smaller_tol_takes_more_passes(learning_rate):
    X, y = blobs()
    loose = calm_classifier(learning_rate, tol=1e-1).fit(X, y)
    tight = calm_classifier(learning_rate, tol=1e-3).fit(X, y)
    assert loose.n_iter_ < tight.n_iter_
    assert tight.objective_ < 1.001 * loose.objective_


@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_verbose_prints_a_line_for_every_pass(learning_rate, capsys):
    X, y = blobs()
    model = calm_classifier(learning_rate, verbose=1).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == model.n_iter_
    for n, (line, reached) in enumerate(zip(lines, model.history_["objective"], strict=True), start=1):
        assert re.match(rf"pass +{n} ", line)
        assert f"{reached:.8g}" in line
    unproven = model.history_["dual_objective"] == 0
    assert ["not yet proven" in line for line in lines] == unproven.tolist()
    assert not any("gap 1.00e+00" in line for line in lines)
    calm_classifier(learning_rate).fit(X, y)
    assert capsys.readouterr().out == ""


# The average of the iterates


def iterates(X, y, **params):
    """Coefficients after every step, and how many samples had been seen."""
    model = MulticlassHingeClassifier(batch_size=10, shuffle=False, **params)
    found = []
    for start in range(0, len(y), 10):
        model.partial_fit(X[start : start + 10], y[start : start + 10], classes=[0, 1, 2])
        found.append((model.coef_, model.intercept_))
    return [np.array(part) for part in zip(*found, strict=True)]


@pytest.mark.parametrize(("average", "n_left_out"), [(True, 0), (1, 0), (45, 4), (90, 8)])
@pytest.mark.parametrize("learning_rate", LEARNING_RATES)
def test_average_weighs_the_iterates_by_their_number(average, n_left_out, learning_rate):
    X, y = blobs()
    coefs, intercepts = iterates(X, y, learning_rate=learning_rate)
    averaged = iterates(X, y, learning_rate=learning_rate, average=average)
    numbers = np.arange(1, len(coefs) - n_left_out + 1)
    assert_allclose(averaged[0][-1], np.average(coefs[n_left_out:], axis=0, weights=numbers), rtol=1e-9)
    assert_allclose(averaged[1][-1], np.average(intercepts[n_left_out:], axis=0, weights=numbers), rtol=1e-9)


@pytest.mark.parametrize("learning_rate", LEARNING_RATES)
def test_until_the_average_begins_the_last_iterate_counts(learning_rate):
    X, y = blobs()
    last = iterates(X, y, learning_rate=learning_rate, average=False)
    assert_array_equal(iterates(X, y, learning_rate=learning_rate, average=10**6)[0], last[0])


# Storage


@pytest.mark.parametrize("n_classes", [2, 4])
def test_sparsify_and_densify_change_the_storage_and_nothing_else(n_classes):
    X, y = blobs(n_classes=n_classes)
    model = calm_classifier().fit(X, y)
    coef, scores, labels = model.coef_, model.decision_function(X), model.predict(X)
    assert model.sparsify() is model
    assert model.coef_.format == "csr"
    for data in (X, sp.csr_array(X), sp.coo_matrix(X)):
        assert_allclose(model.decision_function(data), scores, rtol=1e-12)
        assert_array_equal(model.predict(data), labels)
    assert model.densify() is model
    assert_array_equal(model.coef_, coef)


@ignore_convergence
@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_a_sparsified_model_can_go_on_training(learning_rate):
    X, y = blobs()
    model = calm_classifier(learning_rate).fit(X, y).sparsify().partial_fit(X, y)
    assert_same_model(model, calm_classifier(learning_rate).fit(X, y).partial_fit(X, y))
    models = [calm_classifier(learning_rate).fit(X, y), calm_classifier(learning_rate).fit(X, y).sparsify()]
    assert_same_model(*[model.set_params(warm_start=True, max_iter=3).fit(X, y) for model in models])


# Starting warm


@ignore_convergence
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("learning_rate", LEARNING_RATES)
def test_a_warm_start_begins_where_the_last_fit_ended(loss, learning_rate):
    X, y = blobs()
    cold = calm_classifier(learning_rate, loss=loss, max_iter=1).fit(X, y)
    warm = calm_classifier(learning_rate, loss=loss, warm_start=True).fit(X, y).set_params(max_iter=1).fit(X, y)
    assert warm.n_iter_ == 1
    assert warm.objective_ < cold.objective_


# "optimal" is left out: it begins with its longest steps again, as in SGDClassifier.
@pytest.mark.parametrize("learning_rate", [name for name in LEARNING_RATES if name != "optimal"])
def test_a_warm_start_needs_fewer_passes(learning_rate):
    X, y = blobs()
    model = calm_classifier(learning_rate, warm_start=True).fit(X, y)
    passes = model.n_iter_
    assert model.fit(X, y).n_iter_ < passes


@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_a_warm_start_without_an_intercept_forgets_the_last_one(learning_rate):
    X, y = blobs()
    model = calm_classifier(learning_rate, warm_start=True).fit(X, y)
    assert model.intercept_.any()
    assert not model.set_params(fit_intercept=False).fit(X, y).intercept_.any()


def test_without_warm_start_every_fit_begins_anew():
    X, y = blobs()
    model = calm_classifier().fit(X, 2 - y)
    assert_same_model(model.fit(X, y), calm_classifier().fit(X, y))


def test_a_warm_start_needs_the_same_shape():
    X, y = blobs()
    model = calm_classifier(warm_start=True).fit(X, y)
    before = fingerprint(model)
    with pytest.raises(
        ValueError, match=re.escape("coef_ of the last call has the shape (3, 5), but these data need (3, 4)")
    ):
        model.fit(X[:, :4], y)
    with pytest.raises(ValueError, match="use warm_start=False to start afresh"):
        model.fit(X, y == 0)
    assert fingerprint(model) == before


# Streams


@pytest.mark.parametrize("container", [np.asarray, sp.csr_array])
@pytest.mark.parametrize("average", [True, False, 40])
@pytest.mark.parametrize("learning_rate", LEARNING_RATES)
def test_chunks_equal_one_stream_to_the_bit(container, average, learning_rate):
    X, y = blobs(n_samples=96)
    X = container(X)
    model, streamed = (
        MulticlassHingeClassifier(learning_rate=learning_rate, average=average, batch_size=16, shuffle=False)
        for _ in range(2)
    )
    model.partial_fit(X, y, classes=[0, 1, 2])
    for start in range(0, 96, 32):
        streamed.partial_fit(X[start : start + 32], y[start : start + 32], classes=[0, 1, 2])
    assert streamed.t_ == model.t_ == 6
    assert_same_model(streamed, model)


@ignore_convergence
# Not "optimal", which looks at all rows for its t0 in fit and at the first batch of a stream.
@pytest.mark.parametrize("learning_rate", ["constant", "invscaling", "adaptive"])
def test_one_pass_of_fit_is_one_partial_fit(learning_rate):
    X, y = blobs()
    fitted = calm_classifier(learning_rate, max_iter=1).fit(X, y)
    assert_same_model(calm_classifier(learning_rate).partial_fit(X, y, classes=[0, 1, 2]), fitted, rtol=1e-12)


@pytest.mark.parametrize("learning_rate", LEARNING_RATES)
def test_partial_fit_goes_on_where_fit_ended(learning_rate):
    X, y = blobs()
    model = calm_classifier(learning_rate).fit(X, y)
    steps, coef, intercept, reached = model.t_, model.coef_, model.intercept_, model.objective_
    model.partial_fit(X, y)
    assert model.t_ == steps + 6
    assert_allclose(model.coef_, coef, atol=0.05)
    assert (model.coef_ != coef).any()
    assert (model.intercept_ != intercept).any()
    assert objective(model, X, y) < 1.05 * reached
    for name in ("objective_", "history_", "dual_objective_", "duality_gap_", "dual_coef_", "support_"):
        assert not hasattr(model, name)  # they told of the fit


@pytest.mark.parametrize("learning_rate", LEARNING_RATES)
def test_a_stream_learns(learning_rate):
    X, y = blobs(n_samples=2000)
    model = calm_classifier(learning_rate)
    for start in range(0, 2000, 100):
        model.partial_fit(X[start : start + 100], y[start : start + 100], classes=[0, 1, 2])
    assert objective(model, X, y) < 1.1 * calm_classifier().fit(X, y).objective_


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_the_first_chunk_decides_the_precision_of_a_stream(dtype, learning_rate):
    X, y = blobs()
    model = calm_classifier(learning_rate).partial_fit(X.astype(dtype), y, classes=[0, 1, 2])
    for later in (np.float32, np.float64):
        assert model.partial_fit(X.astype(later), y).coef_.dtype == dtype
        assert model.intercept_.dtype == dtype


@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_classes_may_come_late_and_in_any_order(learning_rate):
    X, y = blobs()
    model = calm_classifier(learning_rate).partial_fit(X[y < 2], y[y < 2], classes=[2, 0, 1])
    assert_array_equal(model.classes_, [0, 1, 2])
    assert model.coef_.shape == (3, 5)
    for _ in range(5):
        model.partial_fit(X, y)
    assert set(model.predict(X)) == {0, 1, 2}


@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_weights_of_a_stream(learning_rate, rng):
    X, y = blobs()
    weights = rng.randint(0, 3, size=len(y))
    weighted = calm_classifier(learning_rate, batch_size=1000).partial_fit(X, y, [0, 1, 2], weights)
    X, y = X.repeat(weights, axis=0), y.repeat(weights)
    repeated = calm_classifier(learning_rate, batch_size=1000).partial_fit(X, y, [0, 1, 2])
    assert_same_model(weighted, repeated, rtol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_predictions_do_not_depend_on_the_rows_beside_them(dtype, rng):
    """Of rows with equal scores for two classes least of all."""
    X = rng.normal(size=(50, 33)).astype(dtype)
    model = calm_classifier(loss="one_vs_rest").fit(X, np.arange(50) % 3)
    model.coef_ = np.vstack([model.coef_[0], model.coef_[0][::-1], model.coef_[2] - 100])
    model.intercept_ = np.zeros(3, dtype)
    X = (X + X[:, ::-1]) / 2  # symmetric rows
    one_by_one = np.concatenate([model.predict(X[row : row + 1]) for row in range(50)])
    assert_array_equal(model.predict(X), one_by_one)


@pytest.mark.parametrize(
    ("n_features", "dtype"), [(1, np.float64), (7, np.float32), (64, np.float64), (9000, np.float64)]
)
def test_scores_of_tied_rows_do_not_depend_on_the_rows_beside_them(n_features, dtype):
    rng = np.random.default_rng(0)
    model = MulticlassHingeClassifier()
    model.classes_, model.n_features_in_ = np.arange(3), n_features
    model.coef_ = np.repeat(rng.normal(size=(1, n_features)), 3, axis=0).astype(dtype)
    model.intercept_ = np.zeros(3, dtype)
    X = rng.normal(size=(5000 if n_features < 100 else 300, n_features)).astype(dtype)
    scores = model.decision_function(X)
    for n_rows in (1, 2, 3, 4, 5, 17, 250):
        rows = rng.permutation(len(X))[:n_rows]
        for part in (X[rows], np.asfortranarray(X[rows])):
            np.testing.assert_array_equal(model.decision_function(part), scores[rows])


# A model that predicts one class


def noisy_labels(seed=0):
    """Ten clouds of points, more than half of whose labels are drawn at random."""
    rng = np.random.RandomState(seed)
    truth = rng.randint(10, size=1000)
    X = 1.5 * rng.normal(size=(10, 10))[truth] + rng.normal(size=(1000, 10))
    return X, np.where(rng.uniform(size=1000) < 0.6, rng.randint(10, size=1000), truth), truth


def test_noisy_labels_do_not_fool_the_default_loss():
    X, y, truth = noisy_labels()
    model = MulticlassHingeClassifier(alpha=1e-2, random_state=0).fit(X, y)
    assert model.score(X, truth) > 0.7
    with pytest.warns(UserWarning, match='smaller alpha, loss="weston_watkins" or class_weight="balanced"'):
        MulticlassHingeClassifier("crammer_singer", alpha=1e-2, random_state=0).fit(X, y)


@ignore_convergence
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("learning_rate", LEARNING_RATES)
@pytest.mark.parametrize("n_classes", [2, 4])
def test_a_model_of_one_class_warns_and_names_cures(loss, learning_rate, n_classes):
    y = np.append(np.repeat("a", 70), np.array(list("abcd"))[np.arange(30) % n_classes])
    model = calm_classifier(learning_rate, loss=loss, max_iter=100)
    with pytest.warns(UserWarning, match="one class, a, for all .* a smaller alpha.* or class_weight") as record:
        model.fit(np.zeros((100, 2)), y)
    (message,) = [str(warning.message) for warning in record if "one class" in str(warning.message)]
    assert ("weston_watkins" in message) == (loss != "weston_watkins" and n_classes > 2)
    assert {warning.filename for warning in record} == {__file__}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.partial_fit(np.zeros((100, 2)), y)


def test_one_sample_of_another_class_is_enough_for_silence():
    """However many there are; the first look takes a few of them."""
    X, y = np.zeros((3000, 1)), np.zeros(3000, int)
    X[1001], y[1001] = 100, 1
    model = calm_classifier(alpha=1e-5, tol=1e-2).fit(X, y)
    assert_array_equal(np.flatnonzero(model.predict(X)), [1001])


# Parameters that are properties


class WithC(MulticlassHingeClassifier):
    """The parameter C of LinearSVC in the place of alpha, for 90 samples."""

    def __init__(self, C=1.0, random_state=None):
        super().__init__(random_state=random_state)
        self.C = C

    @property
    def alpha(self):
        return 1 / (90 * self.C)

    @alpha.setter
    def alpha(self, value):
        pass


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_parameter_may_be_a_property_of_a_subclass(method):
    X, y = blobs()
    options = {"classes": [0, 1, 2]} if method == "partial_fit" else {}
    ours = getattr(WithC(C=0.1, random_state=0), method)(X, y, **options)
    usual = getattr(MulticlassHingeClassifier(alpha=1 / 9, random_state=0), method)(X, y, **options)
    assert_array_equal(ours.coef_, usual.coef_)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("alpha", [1.0, 100.0])
def test_strong_regularisation_of_classes_of_very_different_weights_takes_few_passes(loss, alpha):
    """From zero subgradients it took a thousand, because the dual is flat where only the intercept moves."""
    X, y = blobs(n_samples=40, n_classes=5)
    class_weight = {0: 0.09, 1: 0.01, 2: 7.2, 3: 1.0, 4: 5.8}
    model = MulticlassHingeClassifier(
        loss, alpha=alpha * (X**2).sum() / len(X), class_weight=class_weight, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it predicts a single class
        warnings.simplefilter("error", ConvergenceWarning)
        model.fit(X, y)
    assert model.n_iter_ <= 40
    assert model.duality_gap_ <= 1e-3
