"""Rows, labels and weights as the solvers need them: validated data, integer codes and normalised weights."""

from contextlib import contextmanager

import numpy as np
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, validate_data

from linear_hinge.kernels.layout import checked_sparse, for_kernels
from linear_hinge.linalg.batches import normalised


def check_rows(estimator, X, y, *, reset):
    """X, dense or CSR as the solvers read it, and the labels of a classification; ``reset`` as in `validate_data`."""
    X = checked_sparse(X)
    with naming_y():
        X, y = validate_data(estimator, X, y, accept_sparse="csr", dtype=[np.float64, np.float32], reset=reset)
    # Whole numbers of a later chunk are labels, and have to be known ones.
    if reset or y.dtype.kind not in "biu":
        check_labels(y)
    return for_kernels(X), y


def check_labels(y):
    """Check that y holds the labels of a classification, and none that is missing.

    Raises
    ------
    ValueError
        If a label is None, or if y is of another kind.
    """
    if y.dtype == object and any(label is None for label in y):
        raise ValueError("Input y contains NaN.")
    check_classification_targets(y)


@contextmanager
def naming_y():
    """Say that it is y where scikit-learn finds a missing label among objects, and does not say so."""
    try:
        yield
    except (TypeError, ValueError) as error:
        if str(error) in ("Input contains NaN", "boolean value of NA is ambiguous"):
            raise ValueError("Input y contains NaN.") from error
        raise


def check_weights(sample_weight, X):
    """Return sample weights as float64 of shape (n_samples,).

    Raises
    ------
    ValueError
        If weights are negative, or all zero, in the words of scikit-learn.
    """
    weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    if not weights.any():  # scikit-learn checks this from 1.8 on
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return weights


def encode_for_fit(y, weights, class_weight):
    """Compute the classes, codes and weights of a fit.

    Rows without weight count as absent, and so do classes without weighted rows: codes number the other classes only,
    and the codes of rows without weight have no meaning.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        The labels.
    weights : ndarray of shape (n_samples,)
        The sample weights.
    class_weight : dict, "balanced" or None
        The parameter of the estimator.

    Returns
    -------
    classes : ndarray of shape (n_classes,)
        All labels of y.
    weighted : ndarray of shape (n_weighted,)
        The numbers of the classes that have a weight.
    codes : ndarray of shape (n_samples,)
        Places in ``weighted``.
    weights : ndarray of shape (n_samples,)
        The ω_i: the sample weights times the class weights, divided by their sum.
    mean_weight : float
        The mean of these products over the rows with a positive one, before the division.

    Raises
    ------
    ValueError
        If there is a single class, or if class weights are not valid or leave no weight.
    """
    classes, codes = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(
            "This solver needs samples of at least 2 classes in the data, but the data contains only one class:"
            f" {classes.tolist()[0]!r}"
        )
    weights = weights * _class_weights(class_weight, classes, codes, y, weights)[codes]
    if not weights.any():
        raise ValueError("class_weight leaves no sample with a weight; at least one class needs a positive one.")
    parts = normalised(weights)
    weighted = np.flatnonzero(np.bincount(codes[parts > 0], minlength=len(classes)))
    if len(weighted) < len(classes):
        places = np.zeros(len(classes), dtype=np.intp)
        places[weighted] = np.arange(len(weighted))
        codes = places[codes]
    return classes, weighted, codes, parts, weights.max() / (parts.max() * np.count_nonzero(weights))


def encode_for_partial_fit(y, weights, class_weight, classes):
    """Compute the codes and weights of a chunk of a stream, whose classes are known.

    Raises
    ------
    ValueError
        If ``class_weight`` is "balanced", which no chunk determines, or is not valid, or if a label is not known.
    """
    if class_weight == "balanced":
        raise ValueError(
            "class_weight 'balanced' is not supported for partial_fit. In order to use 'balanced' weights, use"
            " compute_class_weight('balanced', classes=classes, y=y). In place of y you can use a large enough sample"
            " of the full training set target to properly estimate the class frequency distributions. Pass the"
            " resulting weights as the class_weight parameter."
        )
    if class_weight is None and y.dtype == classes.dtype:
        codes = np.searchsorted(classes, y)
        if np.array_equal(classes[np.minimum(codes, len(classes) - 1)], y):
            return codes, weights
    try:
        of_class = compute_class_weight(class_weight, classes=classes, y=y)
    except ValueError as error:
        known = set(classes.tolist())
        unknown = next((label for label in y.tolist() if label not in known), None)
        if unknown is None:
            raise
        raise ValueError(f"{error}: the label {unknown!r} is not among {classes.tolist()}.") from None
    _check_class_weights(class_weight, of_class)
    codes = np.searchsorted(classes, y)
    return codes, weights * of_class[codes]


def _class_weights(class_weight, classes, codes, y, weights):
    if class_weight == "balanced":
        # scikit-learn's own takes the sample weights into account only from 1.7 on.
        counts = np.bincount(codes, weights=normalised(weights), minlength=len(classes))
        of_class = np.zeros(len(classes))
        present = counts > 0
        of_class[present] = 1 / (present.sum() * normalised(counts[present]))
        return of_class
    if class_weight is None:
        return np.ones(len(classes))
    of_class = compute_class_weight(class_weight, classes=classes, y=y)
    _check_class_weights(class_weight, of_class)
    return of_class


def _check_class_weights(class_weight, of_class):
    if not (np.isfinite(of_class).all() and (of_class >= 0).all()):
        raise ValueError(f"class_weight={class_weight!r}: the weights must be finite and not negative.")
