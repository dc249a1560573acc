"""Train `MulticlassHingeClassifier` beside the linear support vector machines of scikit-learn, and measure them alike.

With C = 1 / (alpha · n_samples), `LinearSVC` minimises the same objective divided by alpha, except that it regularises
its intercept; `SGDClassifier` minimises it as it is, one class against the others.
"""

import time
import warnings
from contextlib import nullcontext
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from sklearn.datasets import load_breast_cancer, load_digits, make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from linear_hinge.estimator.classifier import MulticlassHingeClassifier
from linear_hinge.losses import LOSSES, get_loss
from linear_hinge.problem.objective import primal_objective
from linear_hinge.problem.problem import Problem
from linear_hinge.report.columns import DataError
from linear_hinge.report.table_files import read_table, shown

BINARY_HINGE = "binary hinge"


def svc_loss_of(loss):
    """Return the loss that LinearSVC is trained with beside a loss: the same one, or the nearest that it has."""
    return BINARY_HINGE if loss == BINARY_HINGE else LOSSES[loss].nearest_in_linear_svc


@dataclass(frozen=True)
class Dataset:
    """Rows to train on and rows held out."""

    name: str
    X_train: np.ndarray | sp.csr_array | sp.csr_matrix
    y_train: np.ndarray
    X_test: np.ndarray | sp.csr_array | sp.csr_matrix
    y_test: np.ndarray
    notes: tuple[str, ...] = ()  # what was done to the file

    @property
    def n_classes(self):
        """The number of classes of the training rows."""
        return len(np.unique(self.y_train))


@dataclass(frozen=True)
class Result:
    """One fitted estimator, a line of the table; numbers that are not known are None."""

    estimator: str
    loss: str
    seconds: float
    n_passes: int | None
    converged: bool
    objective: float
    gap: float | None
    accuracy: float
    predictions: np.ndarray
    agreement: float | None = None


def bundled_datasets():
    """Yield two sets that come with scikit-learn, of ten classes and of two, and one on which the losses differ."""
    for name, load in [("digits", load_digits), ("breast cancer", load_breast_cancer)]:
        yield hold_out(name, *load(return_X_y=True))
    centers = [[4 * i, 0] for i in range(5)]
    yield hold_out("five clouds in a row", *make_blobs(1000, centers=centers, random_state=0))


def read_dataset(path, test_path=None, *, label=None):
    """Read a file to train on, and one to test on unless a part of the first is held out; see `read_table`."""
    train = read_table(path, label=label)
    if test_path is None:
        return replace(hold_out(path, train.X, train.y), notes=tuple(_notes(train)))
    _check_classes(path, train.y)
    test = read_table(test_path, label=label, like=train)
    return Dataset(path, train.X, train.y, test.X, test.y, tuple(_notes(train, test)))


def _notes(*tables):
    """Say what was done to columns of text and to empty cells."""
    texts = [
        f"{encoding.name!r} ({len(encoding.texts)})" for encoding in tables[0].encodings if encoding.texts is not None
    ]
    if texts:
        yield f"text became columns of zeros and ones: {', '.join(texts)}"
    if n_holes := sum(table.n_holes for table in tables):
        yield f"empty cells, filled with the median of their column: {n_holes}"


def hold_out(name, X, y):
    """Keep a quarter of the rows for testing, if possible a quarter of every class."""
    _check_classes(name, y)
    try:
        parts = train_test_split(X, y, test_size=0.25, random_state=0, stratify=y)
    except ValueError:  # a class with a single row, or more classes than rows to hold out
        parts = train_test_split(X, y, test_size=0.25, random_state=0)
    X_train, X_test, y_train, y_test = parts
    _check_classes(f"{name} without the quarter that is held out", y_train)
    return Dataset(name, X_train, y_train, X_test, y_test)


def _check_classes(name, y):
    if (y == y[0]).all():
        raise DataError(f"{name}: all rows to train on have the same label, {shown(y[0])}")


def standardise(dataset):
    """Scale dense features to mean 0 and variance 1, as measured on the training rows; sparse ones stay as they are."""
    if sp.issparse(dataset.X_train):
        return dataset
    scaler = StandardScaler().fit(dataset.X_train)
    return replace(dataset, X_train=scaler.transform(dataset.X_train), X_test=scaler.transform(dataset.X_test))


def equivalent_C(alpha, n_samples):
    """Return the C with which `LinearSVC` minimises the objective that belongs to ``alpha``."""
    return 1 / (alpha * n_samples)


def compare(dataset, *, losses, alpha, fit_intercept, max_iter=None, tol=None, watch=None):
    """Fit all estimators that minimise one of ``losses``, LinearSVC first.

    Parameters
    ----------
    dataset : Dataset
    losses : list of str
        Values of the parameter `loss`. With two classes they are all the same, and only one is fitted.
    alpha : float
    fit_intercept : bool
    max_iter : int, default=None
        Parameter of all estimators; by default each of them has its own.
    tol : float, default=None
        Parameter of `MulticlassHingeClassifier`. The others, in which it has another meaning, keep their own.
    watch : callable, default=None
        Takes the name of an estimator and the loss, and returns a context manager in which it is fitted.

    Yields
    ------
    result : Result
        As soon as the estimator is fitted.
    """
    limit = {} if max_iter is None else {"max_iter": max_iter}
    common = {"fit_intercept": fit_intercept, "random_state": 0} | limit
    own = {"alpha": alpha} | common | ({} if tol is None else {"tol": tol})
    predictions_of_svc = {}
    for model, loss in _estimators(dataset, [BINARY_HINGE] if dataset.n_classes == 2 else losses, common, own):
        with watch(type(model).__name__, loss) if watch else nullcontext():
            result = _measure(model, loss, alpha, dataset)
        if result.estimator == "LinearSVC":
            predictions_of_svc[loss] = result.predictions
        else:
            agreement = float(np.mean(result.predictions == predictions_of_svc[svc_loss_of(loss)]))
            result = replace(result, agreement=agreement)
        yield result


def _estimators(dataset, losses, common, own):
    """Return the estimators to fit and their losses; every LinearSVC once, before those it is compared with."""
    alpha, svc_losses = own["alpha"], set()
    for loss in losses:
        svc_loss = svc_loss_of(loss)
        if svc_loss not in svc_losses:
            svc_losses.add(svc_loss)
            multi_class = "crammer_singer" if svc_loss == "crammer_singer" else "ovr"
            C = equivalent_C(alpha, len(dataset.y_train))
            yield LinearSVC(loss="hinge", C=C, multi_class=multi_class, **common), svc_loss
        if loss in (BINARY_HINGE, "one_vs_rest"):
            yield SGDClassifier(loss="hinge", alpha=alpha, **common), loss
        yield MulticlassHingeClassifier(**(own if loss == BINARY_HINGE else {"loss": loss} | own)), loss


def _measure(model, loss, alpha, dataset):
    """Fit one estimator, and return its `Result`, still without the agreement."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        started = time.perf_counter()
        try:
            model.fit(dataset.X_train, dataset.y_train)
        except (ValueError, OverflowError) as error:
            raise DataError(f"{type(model).__name__} on {dataset.name}: {error}") from error
        seconds = time.perf_counter() - started
    converged = not any(issubclass(warning.category, ConvergenceWarning) for warning in caught)
    n_passes = model.n_iter_
    if isinstance(model, LinearSVC) and loss == "crammer_singer":
        # This solver neither counts its passes nor heeds max_iter: n_iter_ is uninitialised memory, and the warning
        # depends on it.
        n_passes, converged = None, True
    predictions = model.predict(dataset.X_test)
    return Result(
        estimator=type(model).__name__,
        loss=loss,
        seconds=seconds,
        n_passes=n_passes,
        converged=converged,
        objective=training_objective(model, dataset, loss=loss, alpha=alpha),
        gap=getattr(model, "duality_gap_", None),
        accuracy=float(np.mean(predictions == dataset.y_test)),
        predictions=predictions,
    )


def training_objective(model, dataset, *, loss, alpha):
    """Compute alpha/2 ‖W‖² + the mean loss of the training rows of a fitted linear model, in float64.

    Parameters
    ----------
    model : estimator
        A fitted model with ``classes_``, ``coef_`` and ``intercept_``.
    dataset : Dataset
    loss : str
        A value of the parameter `loss`, or "binary hinge".
    alpha : float
    """
    n_samples, n_classes = len(dataset.y_train), len(model.classes_)
    hinge = get_loss(loss, n_classes)
    problem = Problem(
        X=dataset.X_train.astype(np.float64, copy=False),
        y=np.searchsorted(model.classes_, dataset.y_train),
        weights=np.full(n_samples, 1 / n_samples),
        loss=hinge,
        n_scores=hinge.n_scores(n_classes),
        alpha=alpha,
        margin=1.0,
        fit_intercept=model.fit_intercept,
    )
    return primal_objective(problem, model.coef_.T.astype(np.float64), model.intercept_)
