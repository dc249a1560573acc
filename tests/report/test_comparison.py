"""The comparison: which estimators are fitted, on which rows, and how they are measured."""

from contextlib import contextmanager

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import make_blobs
from sklearn.svm import LinearSVC

from linear_hinge.losses import LOSSES
from linear_hinge.report import comparison as comparison_module
from linear_hinge.report.columns import DataError
from linear_hinge.report.comparison import (
    BINARY_HINGE,
    Dataset,
    bundled_datasets,
    compare,
    equivalent_C,
    hold_out,
    read_dataset,
    standardise,
    training_objective,
)

ALPHA = 0.01
OURS, SVC, SGD = "MulticlassHingeClassifier", "LinearSVC", "SGDClassifier"
# LinearSVC with Crammer-Singer complains at random.
UNCOUNTED_PASSES = pytest.mark.filterwarnings("ignore:Liblinear failed to converge")


def blobs(n_classes, labels=None):
    X, y = make_blobs(120, n_features=4, centers=n_classes, cluster_std=4, random_state=0)
    return hold_out("blobs", X, y if labels is None else np.array(labels)[y])


def run(dataset, **options):
    return list(compare(dataset, **({"losses": list(LOSSES), "alpha": ALPHA, "fit_intercept": False} | options)))


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        (["crammer_singer"], [(SVC, "crammer_singer"), (OURS, "crammer_singer")]),
        (["weston_watkins"], [(SVC, "crammer_singer"), (OURS, "weston_watkins")]),
        (["one_vs_rest"], [(SVC, "one_vs_rest"), (SGD, "one_vs_rest"), (OURS, "one_vs_rest")]),
        (
            ["crammer_singer", "weston_watkins"],
            [(SVC, "crammer_singer"), (OURS, "crammer_singer"), (OURS, "weston_watkins")],
        ),
    ],
)
def test_estimators_of_three_classes(losses, expected):
    assert [(result.estimator, result.loss) for result in run(blobs(3), losses=losses)] == expected


def test_results_come_as_soon_as_an_estimator_is_fitted():
    begun = []

    @contextmanager
    def watch(estimator, loss):
        begun.append((estimator, loss))
        yield

    options = {"losses": ["one_vs_rest"], "alpha": ALPHA, "fit_intercept": True, "watch": watch}
    for n_results, result in enumerate(compare(blobs(3), **options), 1):
        assert len(begun) == n_results
        assert begun[-1] == (result.estimator, result.loss)


def test_losses_of_two_classes_are_one():
    results = run(blobs(2))
    assert [(result.estimator, result.loss) for result in results] == [(n, BINARY_HINGE) for n in (SVC, SGD, OURS)]


@pytest.mark.parametrize("labels", [None, ["c", "a", "b"]])
@pytest.mark.parametrize("loss", LOSSES)
def test_estimators_of_one_loss_solve_the_same_problem(loss, labels):
    """Which they do only if C is the right one, and signs, labels and weights are taken alike."""
    results = run(blobs(3, labels), losses=[loss], alpha=1)
    same = [result.objective for result in results if result.loss == loss]
    assert same == pytest.approx([min(same)] * len(same), rel=0.01)


@UNCOUNTED_PASSES
@pytest.mark.parametrize("loss", ["crammer_singer", "one_vs_rest"])
def test_linear_svc_is_at_the_minimum_for_alpha(loss):
    dataset = blobs(3)
    multi_class = {"crammer_singer": "crammer_singer", "one_vs_rest": "ovr"}[loss]
    C = equivalent_C(ALPHA, len(dataset.y_train))
    model = LinearSVC(loss="hinge", C=C, multi_class=multi_class, fit_intercept=False, random_state=0, max_iter=10**5)
    model.fit(dataset.X_train, dataset.y_train)
    objectives = []
    for factor in (0.8, 1, 1.25):
        model.coef_ = factor * model.coef_
        objectives.append(training_objective(model, dataset, loss=loss, alpha=ALPHA))
        model.coef_ = model.coef_ / factor
    assert objectives[1] < min(objectives[0], objectives[2])


def hinges_of_a_row(scores, label):
    """The three losses, as they are written in the books."""
    others = np.delete(scores, label) - scores[label]
    signed = np.where(np.arange(len(scores)) == label, scores, -scores)
    return {
        "crammer_singer": max(0, (1 + others).max()),
        "weston_watkins": np.maximum(0, 1 + others).sum(),
        "one_vs_rest": np.maximum(0, 1 - signed).sum(),
    }


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("container", [np.asarray, sp.csr_matrix])
def test_training_objective_by_hand(container, loss):
    dataset = blobs(3)
    model = LinearSVC(random_state=0).fit(dataset.X_train, dataset.y_train)
    scores = dataset.X_train @ model.coef_.T + model.intercept_
    mean_loss = np.mean([hinges_of_a_row(s, y)[loss] for s, y in zip(scores, dataset.y_train, strict=True)])
    given = Dataset("", container(dataset.X_train), dataset.y_train, None, None)
    expected = ALPHA / 2 * (model.coef_**2).sum() + mean_loss
    assert training_objective(model, given, loss=loss, alpha=ALPHA) == pytest.approx(expected, rel=1e-12)


@UNCOUNTED_PASSES
@pytest.mark.parametrize("loss", LOSSES)
def test_accuracy_and_agreement(loss):
    dataset = blobs(3)
    svc, *_, ours = run(dataset, losses=[loss])
    C = equivalent_C(ALPHA, len(dataset.y_train))
    multi_class = "ovr" if loss == "one_vs_rest" else "crammer_singer"
    twin = LinearSVC(loss="hinge", C=C, multi_class=multi_class, fit_intercept=False, random_state=0)
    predictions = twin.fit(dataset.X_train, dataset.y_train).predict(dataset.X_test)
    assert svc.accuracy == np.mean(predictions == dataset.y_test)
    assert svc.agreement is None
    assert ours.agreement == np.mean(predictions == ours.predictions)
    assert ours.accuracy == np.mean(ours.predictions == dataset.y_test)


def test_stopped_before_convergence():
    """Without a warning: here, all of them are errors."""
    marks = {(result.estimator, result.loss): result for result in run(blobs(3), max_iter=1)}
    for key in [(OURS, "crammer_singer"), (OURS, "one_vs_rest"), (SVC, "one_vs_rest"), (SGD, "one_vs_rest")]:
        assert (marks[key].n_passes, marks[key].converged) == (1, False)
    # It does not count its passes.
    assert (marks[SVC, "crammer_singer"].n_passes, marks[SVC, "crammer_singer"].converged) == (None, True)


@pytest.mark.parametrize("fit_intercept", [False, True])
def test_options_reach_the_estimators(monkeypatch, fit_intercept):
    models = {}

    def measure(model, loss, alpha, dataset):
        models[type(model).__name__, loss] = model.get_params()
        return comparison_module.Result(type(model).__name__, loss, 0, 0, True, 0, None, 0, np.zeros(1))

    monkeypatch.setattr(comparison_module, "_measure", measure)
    run(blobs(3), fit_intercept=fit_intercept, max_iter=17, tol=0.25)
    assert all(params["fit_intercept"] is fit_intercept for params in models.values())
    assert all(params["max_iter"] == 17 for params in models.values())
    assert {key for key, params in models.items() if params["tol"] == 0.25} == {(OURS, loss) for loss in LOSSES}
    assert all(params["loss"] == loss for (name, loss), params in models.items() if name == OURS)
    assert all(params["alpha"] == ALPHA for (name, _), params in models.items() if name != SVC)
    assert models[SVC, "one_vs_rest"]["C"] == pytest.approx(1 / (ALPHA * 90))


@pytest.mark.filterwarnings("ignore:The model predicts:UserWarning")
def test_failure_of_an_estimator_is_told():
    with pytest.raises(DataError, match=r"^[A-Za-z]+ on blobs: "):
        run(blobs(3), alpha=1e-320, max_iter=2)


def test_hold_out_takes_a_quarter_of_every_class():
    y = np.repeat(["a", "b", "c"], [80, 40, 8])
    X = np.arange(128.0)[:, None]
    dataset = hold_out("rows", X, y)
    assert dict(zip(*np.unique(dataset.y_test, return_counts=True), strict=True)) == {"a": 20, "b": 10, "c": 2}
    assert sorted([*dataset.X_train[:, 0], *dataset.X_test[:, 0]]) == X[:, 0].tolist()
    np.testing.assert_array_equal(hold_out("rows", X, y).X_test, dataset.X_test)


@pytest.mark.parametrize("counts", [[9, 6, 1], [2, 2, 2, 2, 2]])
def test_hold_out_of_classes_that_cannot_be_stratified(counts):
    y = np.repeat(np.arange(len(counts)), counts)
    dataset = hold_out("rows", np.ones((len(y), 2)), y)
    assert len(dataset.y_test) == np.ceil(len(y) / 4)
    assert sorted([*dataset.y_train, *dataset.y_test]) == y.tolist()


@pytest.mark.parametrize("y", [["a"], ["a", "a", "a"], ["a", "b"]])
def test_one_class_to_train_on(y):
    with pytest.raises(DataError, match=r"rows.*: all rows to train on have the same label, '[ab]'"):
        hold_out("rows", np.ones((len(y), 2)), np.array(y))


def test_standardise_by_the_training_rows():
    dataset = blobs(3)
    scaled = standardise(dataset)
    mean, std = dataset.X_train.mean(axis=0), dataset.X_train.std(axis=0)
    np.testing.assert_allclose(scaled.X_train, (dataset.X_train - mean) / std)
    np.testing.assert_allclose(scaled.X_test, (dataset.X_test - mean) / std)


def test_standardise_leaves_sparse_features():
    X = sp.csr_matrix(np.eye(3))
    dataset = Dataset("rows", X, np.arange(3), X, np.arange(3))
    assert standardise(dataset) is dataset


def test_sparse_and_dense_give_the_same():
    dense = blobs(3)
    sparse = Dataset("", sp.csr_matrix(dense.X_train), dense.y_train, sp.csr_matrix(dense.X_test), dense.y_test)
    for one, other in zip(run(dense), run(sparse), strict=True):
        assert one.objective == pytest.approx(other.objective, rel=0.02)


def test_bundled_datasets():
    shapes = [(d.name, d.X_train.shape, len(d.y_test), d.n_classes) for d in bundled_datasets()]
    assert shapes == [
        ("digits", (1347, 64), 450, 10),
        ("breast cancer", (426, 30), 143, 2),
        ("five clouds in a row", (750, 2), 250, 5),
    ]


def test_read_dataset(tmp_path):
    train, test = tmp_path / "train.csv", tmp_path / "test.csv"
    train.write_text("".join(f"{i},{'ab'[i % 2]}\n" for i in range(40)))
    test.write_text("5,a\n")
    whole = read_dataset(str(train), str(test))
    assert (whole.X_train.shape, whole.X_test.tolist(), whole.y_test.tolist()) == ((40, 1), [[5]], ["a"])
    parted = read_dataset(str(train))
    assert (parted.X_train.shape, parted.X_test.shape) == ((30, 1), (10, 1))
    test.write_text("5,a\n6,a\n")
    with pytest.raises(DataError, match=r"test.csv: all rows to train on"):
        read_dataset(str(test), str(train))


def test_what_was_done_to_a_file_is_noted(tmp_path):
    path = tmp_path / "train.csv"
    path.write_text(
        "size;colour;kind\n" + "".join(f"{i if i % 8 else ''};{'rg'[i % 3 % 2]};{'ab'[i % 2]}\n" for i in range(40))
    )
    assert read_dataset(str(path)).notes == (
        "text became columns of zeros and ones: 'colour' (2)",
        "empty cells, filled with the median of their column: 5",
    )
