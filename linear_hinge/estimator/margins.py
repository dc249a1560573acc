"""The parameter `margin`: a distance for all pairs of classes, or one for each of them."""

from numbers import Real

import numpy as np


def split_margin(margin, classes):
    """Return Δ and κ, the costs of a loss, whose product is the distances that the parameter asks for.

    Δ is a power of two, so that nothing is rounded, and more than half of the largest distance.

    Parameters
    ----------
    margin : float or array-like of shape (n_classes, n_classes)
        Not changed, and not kept.
    classes : WeightedClasses
        Rows and columns are those of its ``labels``; the costs are of those that have a weight.

    Returns
    -------
    margin : float
    costs : ndarray of shape (n_weighted, n_weighted) or None
        None where all are one.
    """
    if isinstance(margin, Real):
        return float(margin), None
    distances = _checked(margin, len(classes.labels))[np.ix_(classes.weighted, classes.weighted)]
    largest = distances.max()
    scale = float(np.ldexp(1.0, np.frexp(largest)[1] - 1)) if largest > 0 else 1.0
    return scale, distances / scale


def _checked(margin, n_classes):
    """Return the distances as a float64 array."""
    try:
        distances = np.asarray(margin, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"margin must be a number, or an array of numbers with equal rows, got {margin!r}") from error
    if distances.shape != (n_classes, n_classes):
        raise ValueError(
            f"margin has the shape {distances.shape}, but with {n_classes} classes an array needs the shape"
            f" {(n_classes, n_classes)}: a row for each true class and a column for each class, in the order of the"
            " sorted labels."
        )
    is_wrong = ~(np.isfinite(distances) & (distances >= 0)) | (np.eye(n_classes, dtype=bool) & (distances != 0))
    if is_wrong.any():
        row, column = np.argwhere(is_wrong)[0]
        raise ValueError(
            f"margin[{row}, {column}]={distances[row, column]:g}: distances must be finite, not negative, and zero"
            " on the diagonal."
        )
    if not distances.any():
        raise ValueError("margin is zero everywhere; at least one distance between two classes must be positive.")
    return distances
