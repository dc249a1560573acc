"""What the tests of the estimator share: the choices to go through, small data, and comparisons of models."""

import joblib
import numpy as np
import pytest
from sklearn.datasets import make_blobs

from linear_hinge import MulticlassHingeClassifier
from linear_hinge.losses import LOSSES as REGISTRY

LOSSES = list(REGISTRY)
JOINT_LOSSES = [name for name, loss in REGISTRY.items() if loss.sums_to_zero]  # of differences of scores only

LEARNING_RATES = ["auto", "optimal", "constant", "invscaling", "adaptive"]
SCHEDULES = LEARNING_RATES[1:]

# One learning rate for every solver behind them: enough where it does not matter how long a step is.
SOLVERS = ["auto", "optimal"]

# With these every learning rate settles on `blobs` well within max_iter, without a ConvergenceWarning.
CALM = {
    "auto": {},
    "optimal": {"average": True},
    "constant": {"average": True, "eta0": 0.03},
    "invscaling": {"average": True},
    "adaptive": {"average": True},
}


def mostly_slow(names, values, *, n_quick=1, **options):
    """Parametrise a test: the first values always, the others with the mark ``slow``."""
    slow = [pytest.param(*(value if "," in names else (value,)), marks=pytest.mark.slow) for value in values[n_quick:]]
    return pytest.mark.parametrize(names, [*values[:n_quick], *slow], **options)


def calm_classifier(learning_rate=None, **params):
    """A classifier that converges on `blobs`, with the default learning rate if none is given."""
    learning_rate = learning_rate or MulticlassHingeClassifier().learning_rate
    params = {"alpha": 0.1, "batch_size": 16, "random_state": 0, **CALM[learning_rate], **params}
    return MulticlassHingeClassifier(learning_rate=learning_rate, **params)


def blobs(n_samples=90, n_features=5, n_classes=3, seed=0):
    """Overlapping clouds of points, which no hyperplane separates."""
    centers = np.random.RandomState(seed).uniform(-3, 3, (n_classes, n_features))
    return make_blobs(n_samples, centers=centers, cluster_std=2, random_state=seed)


def fingerprint(model):
    """A hash of everything that a model knows: parameters and attributes, public and private, to the bit."""
    return joblib.hash(vars(model))


def objective(model, X, y, sample_weight=None):
    """The training objective of a fitted model, from the formulas and without the package's losses."""
    weights = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
    scores = X @ model.coef_.T.astype(float) + model.intercept_
    truth = y[:, None] == model.classes_
    margin = np.broadcast_to(model.margin, (truth.shape[1], truth.shape[1]))[truth.argmax(axis=1)]
    if len(model.classes_) == 2:
        losses = np.maximum(0, margin[~truth] - np.where(truth[:, 1], 1, -1) * scores[:, 0])
    elif model.loss == "one_vs_rest":
        losses = np.maximum(0, margin - np.where(truth, 1, -1) * scores).sum(axis=1)
    else:
        hinges = np.where(truth, 0, np.maximum(0, margin + scores - scores[truth][:, None]))
        losses = hinges.max(axis=1) if model.loss == "crammer_singer" else hinges.sum(axis=1)
    return model.alpha / 2 * (model.coef_.astype(float) ** 2).sum() + weights @ losses / weights.sum()


def with_int64_indices(X):
    """The same CSR, CSC or COO array with 64-bit indices."""
    X = X.copy()
    if X.format == "coo":
        X.row, X.col = X.row.astype(np.int64), X.col.astype(np.int64)
        return X
    X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    return X
