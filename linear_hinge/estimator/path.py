"""A fit for every alpha, from the largest to the smallest: each goes on from where the last one ended."""

import warnings
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array
from sklearn.utils._param_validation import Interval, validate_params

from linear_hinge.estimator.callbacks import SilentTask
from linear_hinge.estimator.classifier import MulticlassHingeClassifier
from linear_hinge.estimator.fitting import model_of, run
from linear_hinge.estimator.no_loss import NoLoss
from linear_hinge.estimator.starting import make_solver
from linear_hinge.estimator.targets import check_rows, check_weights
from linear_hinge.estimator.types import (
    BatchSize,
    ClassWeight,
    LossName,
    Margin,
    MatrixLike,
    RandomState,
    Scores,
    keeping_types,
)
from linear_hinge.kernels.layout import with_whole_rows
from linear_hinge.problem.largest_alpha import largest_alpha
from linear_hinge.solvers.progress import relative_gap

# The last alpha of a grid, in parts of the first.
GRID_RATIO = 1e-6


class HingePath(NamedTuple):
    """Models along a path of alphas; what `hinge_path` returns.

    Attributes
    ----------
    alphas : ndarray of shape (n_alphas,)
        From the largest to the smallest.
    coefs : ndarray of shape (n_alphas, n_classes, n_features), or (n_alphas, 1, n_features) with two classes
    intercepts : ndarray of shape (n_alphas, n_classes), or (n_alphas, 1) with two classes
    objectives : ndarray of shape (n_alphas,)
        The training objective of every model.
    dual_objectives : ndarray of shape (n_alphas,)
        Its proven lower bound.
    n_iters : ndarray of shape (n_alphas,)
        Passes over the data, and Newton steps, of every fit.
    """

    alphas: NDArray[np.float64]
    coefs: Scores
    intercepts: Scores
    objectives: NDArray[np.float64]
    dual_objectives: NDArray[np.float64]
    n_iters: NDArray[np.integer[Any]]


ALPHAS = [Interval(Integral, 1, None, closed="left"), "array-like"]
PARAMETERS = (
    "loss",
    "fit_intercept",
    "margin",
    "class_weight",
    "batch_size",
    "max_iter",
    "tol",
    "shuffle",
    "random_state",
)
CONSTRAINTS = {name: MulticlassHingeClassifier._parameter_constraints[name] for name in PARAMETERS}


@keeping_types(
    validate_params(
        {
            "alphas": ALPHAS,
            "sample_weight": ["array-like", Interval(Real, None, None, closed="neither"), None],
            **CONSTRAINTS,
        },
        prefer_skip_nested_validation=True,
    )
)
def hinge_path(
    X: MatrixLike,
    y: ArrayLike,
    alphas: int | ArrayLike = 10,
    *,
    loss: LossName = "weston_watkins",
    fit_intercept: bool = True,
    margin: Margin = 1.0,
    sample_weight: ArrayLike | float | None = None,
    class_weight: ClassWeight = None,
    batch_size: BatchSize = "auto",
    max_iter: int = 1000,
    tol: float = 1e-3,
    shuffle: bool = True,
    random_state: RandomState = None,
) -> HingePath:
    """Fit a :class:`MulticlassHingeClassifier` for each of many alphas, with one call.

    Each fit goes on from the subgradients and coefficients of its neighbour, and what does not depend on alpha is
    computed once. Each is certified like any other: its bound is computed from the data.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The training samples.
    y : array-like of shape (n_samples,)
        The labels.
    alphas : int or array-like of shape (n_alphas,), default=10
        The strengths of the regularisation, greater than 0. An int is the length of a geometric sequence from the
        alpha at which coefficients of zero are proven to be within ``tol`` of the optimum down to 1e-6 of it.
    loss : {"weston_watkins", "crammer_singer", "one_vs_rest"}, default="weston_watkins"
        As in :class:`MulticlassHingeClassifier`, like the other parameters.
    fit_intercept : bool, default=True
        Whether to fit an intercept. It is not regularised.
    margin : float or array-like of shape (n_classes, n_classes), default=1.0
        Δ, the distance that the hinge asks for, greater than 0, or one for each pair of classes.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples, not negative.
    class_weight : dict or "balanced", default=None
        Weights of the classes, which multiply ``sample_weight``.
    batch_size : int or "auto", default="auto"
        Samples in a minibatch.
    max_iter : int, default=1000
        Passes over the data, and Newton steps, at most, for every alpha.
    tol : float, default=0.001
        The relative duality gap at which each fit stops.
    shuffle : bool, default=True
        Whether the samples are shuffled before every pass.
    random_state : int, RandomState instance or None, default=None
        Shuffles the samples. An int gives the same path in every call.

    Returns
    -------
    path : HingePath
        A named tuple of the arrays ``alphas``, from the largest to the smallest, ``coefs``, ``intercepts``,
        ``objectives``, ``dual_objectives`` and ``n_iters``.

    Raises
    ------
    ValueError
        If the data do not fit each other, if an alpha is not a positive number, or if the computation overflows.

    Warns
    -----
    ConvergenceWarning
        If `max_iter` passes were not enough for some alphas.

    See Also
    --------
    MulticlassHingeClassifierCV : The alpha with the best score in cross-validation.
    PathDisplay : Draws coefficients against alpha.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from linear_hinge import hinge_path
    >>> X, y = load_iris(return_X_y=True)
    >>> path = hinge_path(X, y, alphas=[1, 0.1, 0.01], random_state=0)
    >>> path.coefs.shape
    (3, 3, 4)
    >>> bool((path.objectives - path.dual_objectives <= 1e-3 * path.objectives).all())
    True
    """
    model = MulticlassHingeClassifier(
        loss,
        fit_intercept=fit_intercept,
        margin=margin,
        class_weight=class_weight,
        batch_size=batch_size,
        max_iter=max_iter,
        tol=tol,
        shuffle=shuffle,
        random_state=random_state,
    )
    X, y = check_rows(model, X, y, reset=True)
    X = with_whole_rows(X, np.inf)  # it is visited in many fits
    weights = check_weights(sample_weight, X)
    alphas = check_alphas(model, alphas, X, y, weights)
    steps = list(fits_along(model, X, y, weights, alphas))
    warn_of_open_gaps([step.converged for step in steps], max_iter, stacklevel=4)
    return HingePath(
        alphas,
        *(np.array(values) for values in zip(*(step.numbers for step in steps), strict=True)),
    )


class Step(NamedTuple):
    """One fit of a path: what predicts, and how good it is."""

    model: dict  # ``classes_``, ``coef_``, ``intercept_``
    objective: float
    dual_objective: float
    n_iter: int
    converged: bool

    @property
    def numbers(self):
        """What `HingePath` holds of it."""
        return self.model["coef_"], self.model["intercept_"], self.objective, self.dual_objective, self.n_iter

    @property
    def gap(self):
        """The relative duality gap."""
        return relative_gap(self.objective, self.dual_objective)


def fits_along(estimator, X, y, weights, alphas):
    """Fit a model for every alpha, one after another.

    Parameters
    ----------
    estimator : MulticlassHingeClassifier
        Its parameters are those of all fits.
    X : ndarray or CSR of shape (n_samples, n_features)
        The training samples.
    y : ndarray of shape (n_samples,)
        The labels.
    weights : ndarray of shape (n_samples,)
        The weights of the samples, not negative.
    alphas : ndarray of shape (n_alphas,)
        From the largest to the smallest.

    Yields
    ------
    step : Step
        As soon as the model of an alpha is fitted.
    """
    problem, classes, _ = estimator._weighted_problem(X, y, weights)
    problem = problem.with_alpha(alphas[0])
    solver = make_solver(problem, classes, estimator._parameters(), estimator._generator(), {})
    for n_done, alpha in enumerate(alphas):
        if n_done > 0:
            solver.change_alpha(solver.problem.with_alpha(alpha))
        outcome = run(solver, max_iter=estimator.max_iter, verbose=0, task=SilentTask(), classes=classes)
        progress = outcome.progress
        model = model_of(solver.problem, progress, classes)
        yield Step(model, progress.objective, progress.dual_objective, len(outcome.passes), solver.converged)


def check_alphas(estimator, alphas, X, y, weights):
    """Return the alphas of a path, those of a grid if there is only their number.

    Parameters
    ----------
    estimator : MulticlassHingeClassifier
        Its ``tol`` says where a grid begins.
    alphas : int or array-like of shape (n_alphas,)
        The alphas, or the length of a grid.
    X : ndarray or CSR of shape (n_samples, n_features)
        The training samples.
    y : ndarray of shape (n_samples,)
        The labels.
    weights : ndarray of shape (n_samples,)
        The weights of the samples, not negative.

    Returns
    -------
    ndarray of shape (n_alphas,), dtype=float64
        The alphas, from the largest to the smallest.

    Raises
    ------
    ValueError
        If an alpha is not a positive number, or if there is only their number and ``tol`` is 0.
    """
    if not isinstance(alphas, Integral):
        alphas = check_array(alphas, ensure_2d=False, dtype=np.float64, input_name="alphas")
        if alphas.ndim != 1 or not (alphas > 0).all():
            raise ValueError(f"alphas must be an int or a list of numbers greater than 0, but is {alphas.tolist()}.")
        return np.sort(alphas)[::-1]
    if estimator.tol == 0:
        raise ValueError(
            "alphas is an int, whose grid begins where tol says, but tol is 0: give the alphas themselves."
        )
    problem, classes, _ = estimator._weighted_problem(X, y, weights)
    largest = 1.0 if NoLoss.suits(problem, classes) else largest_alpha(problem, estimator.tol)
    return np.geomspace(largest, GRID_RATIO * largest, alphas)


def warn_of_open_gaps(converged, max_iter, stacklevel):
    """Warn once of all fits that were not certified to ``tol``.

    Parameters
    ----------
    converged : array-like of bool
        Whether each fit was certified, of any shape.
    max_iter : int
        The number of passes that were allowed.
    stacklevel : int
        How far up the stack the caller is whom the warning points to, as in :func:`warnings.warn`.

    Warns
    -----
    ConvergenceWarning
        If some fits were not certified.
    """
    n_open = np.size(converged) - np.count_nonzero(converged)
    if n_open > 0:
        warnings.warn(
            f"{n_open} of {np.size(converged)} fits have not converged after {max_iter} passes. Scale the features with"
            " StandardScaler, increase max_iter or tol, or leave out the smallest alphas.",
            ConvergenceWarning,
            stacklevel,
        )
