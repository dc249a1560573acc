"""The objective and its subgradient at any coefficients, for learners and for tests of other code."""

from numbers import Real

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, check_X_y
from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from linear_hinge.estimator.margins import split_margin
from linear_hinge.estimator.targets import check_labels, check_weights, naming_y
from linear_hinge.estimator.types import LossName, Margin, MatrixLike, keeping_types
from linear_hinge.estimator.weighted_classes import WeightedClasses
from linear_hinge.kernels.layout import checked_sparse, for_kernels
from linear_hinge.linalg.batches import normalised
from linear_hinge.losses import LOSSES, get_loss
from linear_hinge.problem.objective import primal_objective, primal_subgradient
from linear_hinge.problem.problem import Problem


@keeping_types(
    validate_params(
        {
            "coef": ["array-like", "sparse matrix"],
            "intercept": ["array-like", Real],
            "X": ["array-like", "sparse matrix"],
            "y": ["array-like"],
            "loss": [StrOptions(set(LOSSES))],
            "alpha": [Interval(Real, 0, None, closed="left")],
            "margin": [Interval(Real, 0, None, closed="neither"), "array-like"],
            "sample_weight": ["array-like", None],
            "classes": ["array-like", None],
        },
        prefer_skip_nested_validation=True,
    )
)
def objective_and_subgradient(
    coef: MatrixLike,
    intercept: ArrayLike,
    X: MatrixLike,
    y: ArrayLike,
    *,
    loss: LossName,
    alpha: float,
    margin: Margin = 1.0,
    sample_weight: ArrayLike | None = None,
    classes: ArrayLike | None = None,
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Evaluate the training objective and one of its subgradients at given coefficients.

    The objective is the one that :class:`MulticlassHingeClassifier` minimises,

        P(W, b) = alpha/2 ‖W‖² + Σ_i ω_i ℓ(W x_i + b, y_i)

    with ω_i the sample weights divided by their sum. With g_i a subgradient of ℓ(·, y_i) at the scores W x_i + b,

        alpha W + Σ_i ω_i g_i x_iᵀ  and  Σ_i ω_i g_i

    are subgradients of P in W and in b. Away from kinks they are the gradient. At a kink several g_i are valid: a hinge
    whose margin is exactly met counts as not violated, and of equally violated margins that of the first class counts
    as the worst, as in the steps of `MulticlassHingeClassifier`.

    Parameters
    ----------
    coef : array-like of shape (n_classes, n_features), or (1, n_features) with two classes
        W, as in ``coef_``.
    intercept : array-like of shape (n_classes,), or (1,) with two classes, or float
        The intercept b, as in ``intercept_``. A number stands for all classes: 0 for no intercept.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The samples.
    y : array-like of shape (n_samples,)
        Their labels.
    loss : {"weston_watkins", "crammer_singer", "one_vs_rest"}
        The loss ℓ, as in :class:`MulticlassHingeClassifier`. With two classes each of them is the binary hinge.
    alpha : float
        Strength of the L2 regularisation, at least 0. With 0 what is left is the mean loss.
    margin : float or array-like of shape (n_classes, n_classes), default=1.0
        Δ, the distance that the hinge asks for, greater than 0, or one for each pair of classes, as in
        :class:`MulticlassHingeClassifier`.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples, not negative. Only their relations matter.
    classes : array-like of shape (n_classes,), default=None
        All labels, where ``y`` need not have each of them, as in a minibatch. The rows of ``coef`` belong to them in
        sorted order. If None, they are the labels of ``y``.

    Returns
    -------
    objective : float
        P(W, b).
    coef_subgradient : ndarray of shape (n_classes, n_features), or (1, n_features) with two classes
        The subgradient in W, in float64.
    intercept_subgradient : ndarray of shape (n_classes,), or (1,) with two classes
        The subgradient in b, in float64.

    Raises
    ------
    ValueError
        If the shapes or the labels do not fit each other, or if the computation overflows.

    See Also
    --------
    MulticlassHingeClassifier : The estimator that minimises this objective.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from linear_hinge import objective_and_subgradient
    >>> X, y = load_iris(return_X_y=True)
    >>> objective, in_coef, in_intercept = objective_and_subgradient(
    ...     np.zeros((3, 4)), 0, X, y, loss="weston_watkins", alpha=0.1
    ... )
    >>> round(objective, 6)  # of equal scores, both margins of a sample are violated by Δ = 1
    2.0
    >>> in_coef.shape, in_intercept.shape
    ((3, 4), (3,))
    """
    with naming_y():
        X, y = check_X_y(checked_sparse(X), y, accept_sparse="csr", dtype=[np.float64, np.float32])
    coef = _checked_coef(coef, X.shape[1])
    check_labels(y)
    classes, codes = _encoded(y, classes)
    margin, costs = split_margin(margin, WeightedClasses(classes))
    hinge = get_loss(loss, len(classes), costs)
    shape = hinge.n_scores(len(classes)), X.shape[1]
    weights = normalised(check_weights(sample_weight, X))
    problem = Problem(for_kernels(X), codes, weights, hinge, shape[0], float(alpha), margin, True)
    W, b = _coefficients(coef, intercept, shape)
    with np.errstate(over="ignore", invalid="ignore"):
        objective = primal_objective(problem, W, b)
        in_coef, in_intercept = primal_subgradient(problem, W, b)
    if not (np.isfinite(objective) and np.isfinite(in_coef).all()):
        raise ValueError("Floating-point under-/overflow occurred. Scaling X and coef might help.")
    return objective, in_coef.T, in_intercept


def _encoded(y, classes):
    """Return the sorted classes, and the places of the labels among them."""
    classes = np.unique(y if classes is None else np.asarray(classes))
    if len(classes) < 2:
        raise ValueError(
            f"At least 2 classes are needed, but there is only {classes.tolist()}; name all of them in classes."
        )
    codes = np.searchsorted(classes, y).clip(max=len(classes) - 1)
    unknown = np.flatnonzero(classes[codes] != y)
    if len(unknown):
        raise ValueError(
            f"y has the label {y[unknown].tolist()[0]!r}, which is not among the classes {classes.tolist()}."
        )
    return classes, codes


def _checked_coef(coef, n_features):
    """Return W in float64, with a column for each feature."""
    coef = coef.toarray() if sp.issparse(coef) else coef
    coef = check_array(coef, dtype=np.float64, input_name="coef")
    if coef.shape[1] != n_features:
        raise ValueError(
            f"coef has {coef.shape[1]} columns, but X has {n_features} features; coef has one row for each class."
        )
    return coef


def _coefficients(coef, intercept, shape):
    """Wᵀ and b in float64, once their shapes are those of the problem."""
    if coef.shape != shape:
        raise ValueError(f"coef has the shape {coef.shape}, but these data and classes need {shape}.")
    intercept = check_array(np.atleast_1d(intercept), dtype=np.float64, ensure_2d=False, input_name="intercept")
    if intercept.shape not in ((1,), shape[:1]):
        raise ValueError(f"intercept has the shape {intercept.shape}, but these classes need {shape[:1]} or a number.")
    return np.ascontiguousarray(coef.T), np.full(shape[0], intercept)
