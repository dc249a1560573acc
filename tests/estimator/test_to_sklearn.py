"""Models for tools that know scikit-learn only: the same decisions, and ONNX runs them."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse as sp
from cases import LOSSES, blobs
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from linear_hinge import MulticlassHingeClassifier, MulticlassHingeClassifierCV

all_losses = pytest.mark.parametrize("loss", LOSSES)


@all_losses
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_decisions_are_the_same(loss, n_classes, dtype):
    X, y = blobs(n_samples=200, n_classes=n_classes)
    X, y = X.astype(dtype), np.array(list("abcd"))[y]
    model = MulticlassHingeClassifier(loss, alpha=0.01, random_state=0).fit(X, y)
    other = model.to_sklearn()
    assert_allclose(other.decision_function(X), model.decision_function(X), rtol=1e-5 if dtype == np.float32 else 1e-12)
    assert_array_equal(other.predict(X), model.predict(X))
    assert_array_equal(model.sparsify().to_sklearn().coef_, other.coef_)


def test_it_is_a_copy_with_the_names_of_the_features():
    pandas = pytest.importorskip("pandas")
    X, y = blobs()
    X = pandas.DataFrame(X, columns=list("vwxyz"))
    model = MulticlassHingeClassifierCV(alphas=[0.1], cv=2).fit(X, y)
    other = model.to_sklearn()
    assert_array_equal(other.feature_names_in_, X.columns)
    assert_array_equal(other.predict(X), model.predict(X))
    other.coef_ += 1
    assert not np.allclose(other.coef_, model.coef_)


def test_weightless_classes_and_sparse_rows():
    X, y = blobs(n_classes=4)
    model = MulticlassHingeClassifier(class_weight={2: 0}, random_state=0).fit(X, y)
    assert_array_equal(model.to_sklearn().predict(sp.csr_array(X)), model.predict(X))


def test_an_unfitted_model():
    with pytest.raises(NotFittedError):
        MulticlassHingeClassifier().to_sklearn()


def test_it_loads_without_this_package(tmp_path):
    X, y = blobs()
    model = MulticlassHingeClassifier(random_state=0).fit(X, y)
    (tmp_path / "model.pickle").write_bytes(pickle.dumps(model.to_sklearn()))
    script = (
        "import pickle, sys; sys.modules['linear_hinge'] = None;"
        "print(pickle.load(open('model.pickle', 'rb')).coef_.sum())"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert float(run.stdout) == pytest.approx(model.coef_.sum())


# ONNX


def onnx_labels(model, X):
    """Labels by onnxruntime, which computes in float32."""
    skl2onnx = pytest.importorskip("skl2onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    converted = skl2onnx.to_onnx(model, X[:1].astype(np.float32))
    session = onnxruntime.InferenceSession(converted.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: X.astype(np.float32)})[0]


def assert_same_labels(model, converted, X):
    """But where the two greatest scores are equal in float32."""
    found, scores = onnx_labels(converted, X), model.decision_function(X)
    if scores.ndim == 1:
        scores = np.stack([-scores, scores], axis=1) / 2
    first, second = np.sort(scores, axis=1)[:, :-3:-1].T
    is_clear = first - second > 1e-4 * np.abs(scores).max()
    assert is_clear.mean() > 0.99
    assert_array_equal(found[is_clear], model.predict(X)[is_clear])


@all_losses
@pytest.mark.parametrize("load", [load_digits, load_breast_cancer])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_onnx_predicts_the_same_labels(loss, load):
    X, y = load(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    model = MulticlassHingeClassifier(loss, alpha=0.1, random_state=0).fit(X, y)
    assert_same_labels(model, model.to_sklearn(), X)


@pytest.mark.parametrize("load", [load_digits, load_breast_cancer])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_onnx_predicts_the_same_labels_of_a_pipeline(load):
    X, y = load(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), MulticlassHingeClassifier(alpha=0.1, random_state=0)).fit(X, y)
    *steps, (name, classifier) = pipeline.steps
    assert_same_labels(pipeline, Pipeline([*steps, (name, classifier.to_sklearn())]), X)
