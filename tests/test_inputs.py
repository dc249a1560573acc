"""What goes in: containers, dtypes and memory."""

import tracemalloc
from copy import deepcopy

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from cases import LEARNING_RATES, LOSSES, SOLVERS, blobs, calm_classifier, with_int64_indices
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import DataConversionWarning
from sklearn.preprocessing import StandardScaler

SPARSE = {
    f"{form}_{kind}": getattr(sp, f"{form}_{kind}") for form in ("csr", "csc", "coo") for kind in ("array", "matrix")
}
NAMES = list("abcde")

DENSE = {
    "F order": np.asfortranarray,
    "every second column": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "every second row": lambda X: np.repeat(X, 2, axis=0)[::2],
    "big endian": lambda X: X.astype(">f8"),
    "objects": lambda X: X.astype(object),
    "lists": lambda X: X.tolist(),
    "pandas": lambda X: pd.DataFrame(X, columns=NAMES),
    "pandas, columns of two dtypes": lambda X: pd.DataFrame(X, columns=NAMES).astype({"a": "Float64"}),
    "polars": lambda X: pl.DataFrame(X, schema=NAMES),
}


def fit_both_ways(model, X, y, **options):
    """One model from `fit`, one from two calls of `partial_fit`."""
    stream = deepcopy(model).partial_fit(X, y, classes=np.unique(y), **options).partial_fit(X, y, **options)
    return model.fit(X, y, **options), stream


# Containers and dtypes


def assert_same_models(models, references, X_of_models, X_of_references):
    """The same to rounding, in their attributes and in what they say about the same samples."""
    for model, reference in zip(models, references, strict=True):
        scores = reference.decision_function(X_of_references)
        assert_allclose(model.coef_, reference.coef_, rtol=1e-7, atol=1e-10)
        assert_allclose(model.intercept_, reference.intercept_, rtol=1e-7, atol=1e-10)
        assert_allclose(model.decision_function(X_of_models), scores, rtol=1e-7, atol=1e-10)
        assert_array_equal(model.predict(X_of_models), reference.predict(X_of_references))


@pytest.mark.parametrize("container", DENSE)
@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_every_dense_container_gives_the_same_model(container, learning_rate):
    X, y = blobs()
    contained = DENSE[container](X)
    expected = fit_both_ways(calm_classifier(learning_rate), X, y)
    models = fit_both_ways(calm_classifier(learning_rate), contained, y)
    assert_same_models(models, expected, contained, X)


@pytest.mark.parametrize("container", SPARSE)
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_sparse_and_dense_give_the_same_model(container, fit_intercept, learning_rate):
    X, y = blobs()
    X[np.abs(X) < 1] = 0
    contained = SPARSE[container](X)
    dense = fit_both_ways(calm_classifier(learning_rate, fit_intercept=fit_intercept), X, y)
    sparse = fit_both_ways(calm_classifier(learning_rate, fit_intercept=fit_intercept), contained, y)
    if learning_rate == "auto" and fit_intercept:
        # Dense rows are centred and sparse ones are not, which takes other ways to the same optimum.
        assert sparse[0].objective_ == pytest.approx(dense[0].objective_, rel=sparse[0].tol)
    else:
        assert_same_models(sparse, dense, contained, X)


@pytest.mark.parametrize("container", ["csr_array", "csr_matrix", "csc_array", "csc_matrix", "coo_array"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_int64_indices_give_the_same_model_to_the_bit(container, dtype, learning_rate):
    X, y = blobs()
    X = SPARSE[container](X.astype(dtype))
    X_int64 = with_int64_indices(X)
    expected = fit_both_ways(calm_classifier(learning_rate), X, y)
    models = fit_both_ways(calm_classifier(learning_rate), X_int64, y)
    for model, reference in zip(models, expected, strict=True):
        assert_array_equal(model.coef_, reference.coef_)
        assert_array_equal(model.intercept_, reference.intercept_)
        assert_array_equal(model.decision_function(X_int64), reference.decision_function(X))


def with_halved_entries(X):
    """CSR with every entry stored twice, at half its value."""
    X = sp.csr_array(X)
    return sp.csr_array((np.repeat(X.data / 2, 2), np.repeat(X.indices, 2), 2 * X.indptr), shape=X.shape)


def with_reversed_rows(X):
    """CSR with every row stored from right to left."""
    X = sp.csr_array(X)
    order = np.concatenate([np.arange(start, stop)[::-1] for start, stop in zip(X.indptr, X.indptr[1:], strict=False)])
    return sp.csr_array((X.data[order], X.indices[order], X.indptr), shape=X.shape)


def with_explicit_zeros(X):
    """CSR with zeros stored like other values."""
    row, column = np.indices(X.shape).reshape(2, -1)
    return sp.coo_array((X.ravel(), (row, column)), shape=X.shape).tocsr()


@pytest.mark.parametrize("store", [with_halved_entries, with_reversed_rows, with_explicit_zeros])
@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_csr_need_not_be_canonical(store, learning_rate):
    X, y = blobs()
    X[np.abs(X) < 1] = 0
    expected = fit_both_ways(calm_classifier(learning_rate), sp.csr_array(X), y)
    models = fit_both_ways(calm_classifier(learning_rate), store(X), y)
    for model, reference in zip(models, expected, strict=True):
        assert_allclose(model.coef_, reference.coef_, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("container", [np.asarray, sp.csr_array, sp.csc_matrix])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.int64, np.uint8, bool])
@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_float32_and_float64_are_kept_and_everything_else_becomes_float64(dtype, container, learning_rate):
    X, y = blobs()
    X = container((X > 0 if dtype is bool else np.abs(X)).astype(dtype))
    kept = dtype if dtype in (np.float32, np.float64) else np.float64
    for model in fit_both_ways(calm_classifier(learning_rate), X, y):
        assert model.coef_.dtype == kept
        assert model.intercept_.dtype == kept
        assert model.decision_function(X).dtype == kept


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("learning_rate", LEARNING_RATES)
def test_float32_solves_the_same_problem(loss, learning_rate):
    X, y = blobs()
    double = calm_classifier(learning_rate, loss=loss).fit(X, y)
    single = calm_classifier(learning_rate, loss=loss).fit(X.astype(np.float32), y)
    assert single.objective_ == pytest.approx(double.objective_, rel=1e-2)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_names_of_the_features_are_remembered(frame):
    X, y = blobs()
    named = frame(dict(zip(NAMES, X.T, strict=True)))
    if not hasattr(StandardScaler().fit(named), "feature_names_in_"):
        pytest.skip("this version of scikit-learn cannot read the names in a frame of this version")
    model = calm_classifier().fit(named, y)
    assert model.feature_names_in_.tolist() == NAMES
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame(dict(zip(NAMES[::-1], X.T, strict=True))))


@pytest.mark.parametrize(
    ("labels", "weights"),
    [
        (list, list),
        (pd.Series, pd.Series),
        (pl.Series, pl.Series),
        (lambda y: y.astype(np.uint8), lambda w: w.astype(int)),
        (lambda y: y.astype(float), lambda w: w.astype(np.float32)),
    ],
)
def test_labels_and_weights_in_any_container(labels, weights, rng):
    X, y = blobs()
    w = rng.randint(1, 4, size=len(y)).astype(float)
    expected = fit_both_ways(calm_classifier(), X, y, sample_weight=w)
    models = fit_both_ways(calm_classifier(), X, labels(y), sample_weight=weights(w))
    for model, reference in zip(models, expected, strict=True):
        assert_array_equal(model.coef_, reference.coef_)


def test_a_column_of_labels_is_taken_with_scikit_learns_warning():
    X, y = blobs()
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed"):
        model = calm_classifier().fit(X, y[:, None])
    assert_array_equal(model.coef_, calm_classifier().fit(X, y).coef_)


# Memory


def memory_map(array, path):
    """The same array, in a file that must not be written to."""
    np.save(path, array)
    mapped = np.load(path, mmap_mode="r")
    assert not mapped.flags.writeable
    return mapped


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_dense_data_may_be_read_only(order, dtype, learning_rate, tmp_path):
    X, y = blobs()
    X, w = np.asarray(X, dtype, order=order), np.linspace(0, 1, len(y))
    mapped = {name: memory_map(a, tmp_path / f"{name}.npy") for name, a in {"X": X, "y": y, "sample_weight": w}.items()}
    expected = fit_both_ways(calm_classifier(learning_rate), X, y, sample_weight=w)
    for model, reference in zip(fit_both_ways(calm_classifier(learning_rate), **mapped), expected, strict=True):
        assert_array_equal(model.coef_, reference.coef_)
        assert_array_equal(model.predict(mapped["X"]), reference.predict(X))


@pytest.mark.parametrize("indices", [np.int32, np.int64])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_csr_may_be_read_only(indices, dtype, learning_rate, tmp_path):
    X, y = blobs()
    X = sp.csr_array(X.astype(dtype))
    parts = {"data": X.data, "indices": X.indices.astype(indices), "indptr": X.indptr.astype(indices)}
    mapped = sp.csr_array(X.shape, dtype=dtype)
    for name, part in parts.items():
        setattr(mapped, name, memory_map(part, tmp_path / f"{name}.npy"))
    expected = fit_both_ways(calm_classifier(learning_rate), X, y)
    for model, reference in zip(fit_both_ways(calm_classifier(learning_rate), mapped, y), expected, strict=True):
        assert_array_equal(model.coef_, reference.coef_)
        assert_array_equal(model.predict(mapped), reference.predict(X))


def contents(X):
    """Everything that X consists of, as bytes."""
    arrays = [X.data, X.indices, X.indptr] if sp.issparse(X) else [X]
    return [array.tobytes() for array in arrays]


@pytest.mark.parametrize(
    "container",
    [np.ascontiguousarray, np.asfortranarray, sp.csr_array, sp.csc_array, with_reversed_rows, with_halved_entries],
)
@pytest.mark.parametrize("batch_size", [16, 10**6])
@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_what_is_passed_stays_as_it_was(container, batch_size, learning_rate):
    X, y = blobs()
    X, w = container(X), np.linspace(0, 1, len(y))
    class_weight, classes = {0: 2.0, 1: 1.0, 2: 0.5}, [2, 0, 1]
    before = contents(X), contents(y), contents(w)
    model = calm_classifier(learning_rate, batch_size=batch_size, class_weight=class_weight)
    model.partial_fit(X, y, classes, w).fit(X, y, w).predict(X)
    assert (contents(X), contents(y), contents(w)) == before
    assert class_weight == {0: 2.0, 1: 1.0, 2: 0.5}
    assert classes == [2, 0, 1]


@pytest.mark.parametrize("container", SPARSE)
@pytest.mark.parametrize("batch_size", [16, 10**6])
@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_sparse_data_are_never_made_dense(container, batch_size, learning_rate, monkeypatch):
    X, y = blobs()
    X = SPARSE[container](X)

    def only_without_features(method):
        def refuse(self, *args, **kwargs):
            assert self.shape[1] != X.shape[1], "made dense"
            return method(self, *args, **kwargs)

        return refuse

    for class_ in SPARSE.values():
        for name in ("toarray", "todense"):
            monkeypatch.setattr(class_, name, only_without_features(getattr(class_, name)))
    for model in fit_both_ways(calm_classifier(learning_rate, batch_size=batch_size), X, y):
        model.predict(X)


def peak_memory(function, *args, **kwargs):
    """Bytes that the call held at its worst moment, beyond those that were held before."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        function(*args, **kwargs)
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def n_bytes(X):
    return sum(len(part) for part in contents(X))


@pytest.fixture(scope="module")
def large():
    X, y = blobs(n_samples=20_000, n_features=200)
    X[:, ::2] = 0
    return X, y


@pytest.mark.filterwarnings("ignore:Not converged:sklearn.exceptions.ConvergenceWarning")  # one pass is enough here
@pytest.mark.parametrize(
    ("container", "dtype"),
    [
        (np.ascontiguousarray, np.float32),
        (np.ascontiguousarray, np.float64),
        (np.asfortranarray, np.float64),
        (sp.csr_array, np.float64),
    ],
)
@pytest.mark.parametrize("batch_size", [64, 10**6])
@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_data_are_never_copied_whole(container, dtype, batch_size, learning_rate, large):
    X, y = container(large[0].astype(dtype)), large[1]
    chunk = X[:5000]
    model = calm_classifier(learning_rate, batch_size=batch_size, max_iter=1)
    assert peak_memory(model.fit, X, y) < n_bytes(X) / 2
    assert peak_memory(model.predict, X) < n_bytes(X) / 2
    assert peak_memory(model.partial_fit, chunk, y[:5000]) < n_bytes(chunk) / 2


@pytest.mark.filterwarnings("ignore:Not converged:sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("batch_size", [16, 10**6])
@pytest.mark.parametrize("learning_rate", SOLVERS)
def test_many_features_that_are_mostly_zero(batch_size, learning_rate):
    _, y = blobs(n_samples=200)
    X = sp.random(200, 20_000, density=1e-3, format="csr", random_state=0)
    model = calm_classifier(learning_rate, batch_size=batch_size, max_iter=1)
    assert peak_memory(model.fit, X, y) < np.prod(X.shape) * X.dtype.itemsize / 5
    assert peak_memory(model.partial_fit, X, y) < np.prod(X.shape) * X.dtype.itemsize / 5


@pytest.mark.filterwarnings("ignore:Not converged:sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("max_iter", [1, 4])  # later, as long as they are not many, extrapolation holds two more
@pytest.mark.parametrize("loss", LOSSES)
def test_a_fit_holds_three_arrays_of_the_size_of_the_coefficients(loss, max_iter, rng):
    """Text with hashed features and many classes: the coefficients are much larger than the data."""
    n_samples, n_features, n_classes = 300, 200_000, 16
    entries = rng.normal(size=3000), (rng.randint(n_samples, size=3000), rng.randint(n_features, size=3000))
    X, y = sp.csr_array(entries, shape=(n_samples, n_features)), np.arange(n_samples) % n_classes
    model = calm_classifier(loss=loss, alpha=1e-4, max_iter=max_iter)
    assert peak_memory(model.fit, X, y) < 3.6 * n_features * n_classes * X.dtype.itemsize


@pytest.mark.filterwarnings("ignore:Not converged:sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("max_iter", [1, 4])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_fit_holds_three_arrays_of_the_size_of_the_dual(loss, max_iter, rng):
    """Many samples of many classes: the subgradients are much larger than the data."""
    n_samples, n_classes = 20_000, 100
    y = np.arange(n_samples) % n_classes
    X = rng.normal(size=(n_classes, 10))[y] + rng.normal(size=(n_samples, 10))
    model = calm_classifier(loss=loss, alpha=1e-2, max_iter=max_iter)
    assert peak_memory(model.fit, X, y) < 3 * n_samples * n_classes * X.dtype.itemsize
