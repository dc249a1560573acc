"""The solver of a fit and the stream of `partial_fit`: made from the parameters, and from a model to go on from."""

from copy import deepcopy
from functools import partial

import numpy as np
import scipy.sparse as sp

from linear_hinge.estimator.no_loss import NoLoss
from linear_hinge.estimator.weighted_classes import WeightedClasses, with_usual_intercepts
from linear_hinge.kernels.products import squared_norms
from linear_hinge.linalg.batches import normalised, take_rows
from linear_hinge.linalg.sums import weighted_mean
from linear_hinge.problem.centring import centred
from linear_hinge.problem.largest_alpha import better_than_zero
from linear_hinge.solvers.certified_fit import CertifiedFit
from linear_hinge.solvers.schedules import make_schedule
from linear_hinge.solvers.stream import DualStream
from linear_hinge.solvers.subgradient import ScheduledFit, SubgradientDescent
from linear_hinge.solvers.warm_start import starting_dual

# Samples in a minibatch where batch_size="auto". Where a batch holds all rows, samples of weight k and samples repeated
# k times give the same model.
BATCH_SIZE = 64

# Steps in closed form gain from small batches where rows resemble each other, as rows of at most `FEW_FEATURES` do.
CLOSED_FORM_BATCH_SIZE, SMALLEST_BATCH_SIZE = 16, 8
FEW_FEATURES = 64


def overflow(n_iter):
    """Return the error for data that leave the range of floats."""
    return ValueError(
        f"Floating-point under-/overflow occurred at pass #{n_iter}. Scaling input data with StandardScaler or"
        " MinMaxScaler might help."
    )


# An overflow is found in the objective, and one error is raised for all of them.
quiet = partial(np.errstate, over="ignore", invalid="ignore", divide="ignore")


@quiet()
def make_solver(problem, classes, params, rng, before):
    """Make the solver that `learning_rate` asks for.

    Parameters
    ----------
    problem : Problem
        The problem of the classes that have a weight.
    classes : WeightedClasses
        The classes.
    params : dict
        Parameters of the estimator.
    rng : RandomState or None
        Generator that shuffles the rows; None leaves them in their order.
    before : dict
        Attributes of the model to start from; empty for a fresh start.

    Returns
    -------
    CertifiedFit, ScheduledFit or NoLoss
        The solver.

    Raises
    ------
    ValueError
        If squared norms of rows overflow, or if the coefficients to start from have another shape.
    """
    if NoLoss.suits(problem, classes):
        return NoLoss(problem, has_proof=params["learning_rate"] == "auto")
    options = {"tol": params["tol"], "batch_size": _batch_size(params), "rng": rng}
    if params["learning_rate"] == "auto":
        if params["batch_size"] == "auto" and len(problem.rows) > BATCH_SIZE:
            options["batch_size"] = closed_form_batch_size(problem.X.shape[1])
        _row_norm(problem)  # raises where squares overflow
        problem = centred(problem)
        if "coef_" not in before:
            constants = better_than_zero(problem)
            if constants is not None:
                dual, intercept, of_dual = (part.astype(problem.X.dtype, copy=False) for part in constants)
                return CertifiedFit(problem, dual, intercept, of_dual, of_dual=of_dual, **options)
            return CertifiedFit(problem, starting_dual(problem), np.zeros(problem.n_scores, problem.X.dtype), **options)
        coef, intercept = _start(problem, classes, before)
        dual = before.get("dual_coef_")
        dual = starting_dual(problem, coef, intercept, None if dual is None else classes.contract_dual(dual))
        return CertifiedFit(problem, dual, intercept, coef, saved=before.get("_steps_"), **options)
    descent = SubgradientDescent(*_start(problem, classes, before), _row_norm(problem))
    return ScheduledFit(problem, descent, _schedule(params, descent), average=params["average"], **options)


def closed_form_batch_size(n_features):
    """Return the number of samples in a minibatch of steps in closed form."""
    return SMALLEST_BATCH_SIZE if n_features <= FEW_FEATURES else CLOSED_FORM_BATCH_SIZE


def make_stream(problem, model, params):
    """Make the stream that `partial_fit` goes on with, and the options of its sweep over a chunk.

    The stream is a copy, because the model must stay as it was if the pass fails.

    Parameters
    ----------
    problem : Problem
        The problem of the chunk.
    model : dict
        Attributes of the estimator.
    params : dict
        Its parameters.

    Returns
    -------
    stream : DualStream or SubgradientDescent
        The stream.
    options : dict
        Arguments of its method `sweep`.

    Raises
    ------
    ValueError
        If squared norms of rows overflow, or if the coefficients of the model have another shape.
    """
    _row_norm(problem)  # raises where squares overflow
    kind = DualStream if params["learning_rate"] == "auto" else SubgradientDescent
    coef, intercept = _coefficients_of(problem, WeightedClasses(model["classes_"]), model)
    stream = model.get("_stream_")
    if isinstance(stream, kind):
        were_set = not stream.iterate.has(coef, intercept)
        stream = deepcopy(stream)
        if were_set:
            stream.go_on_from(*_copies(coef, intercept, stream.iterate.dtype))
    else:
        coef, intercept = _copies(coef, intercept, problem.X.dtype)
        if kind is DualStream:
            stream = DualStream(coef, intercept, *model.get("_trained_on_", ()))
        else:
            # The norm is that of the first batch: the stream must not depend on how it is cut into chunks.
            stream = SubgradientDescent(coef, intercept, _row_norm(problem, _batch_size(params)))
        stream.t = model.get("t_", 0)
    options = {"average": params["average"], "batch_size": _batch_size(params)}
    if kind is SubgradientDescent:
        options["schedule"] = _schedule(params, stream)
    return stream, options


def _start(problem, classes, model):
    """Return Wᵀ and b of a fitted model, or zeros: arrays that a solver may change."""
    return _copies(*_coefficients_of(problem, classes, model), problem.X.dtype)


def _copies(coef, intercept, dtype):
    return np.array(coef, dtype=dtype, order="C"), np.array(intercept, dtype=dtype)


def _coefficients_of(problem, classes, model):
    """Return Wᵀ and b of a fitted model, perhaps its own arrays, or zeros."""
    dtype = problem.X.dtype
    coef = model.get("coef_")
    if coef is None:
        return np.zeros((problem.X.shape[1], problem.n_scores), dtype), np.zeros(problem.n_scores, dtype)
    coef = coef.toarray() if sp.issparse(coef) else np.asarray(coef)
    shape = (classes.n_scores, problem.X.shape[1])
    if coef.shape != shape:
        raise ValueError(
            f"coef_ of the last call has the shape {coef.shape}, but these data need {shape}; use"
            " warm_start=False to start afresh."
        )
    intercept = np.broadcast_to(model["intercept_"], shape[:1]) if problem.fit_intercept else np.zeros(shape[0])
    intercept = with_usual_intercepts(intercept, model.get("_lowest_"), problem.margin)
    return classes.contract(coef.T, intercept)


def _batch_size(params):
    return BATCH_SIZE if params["batch_size"] == "auto" else int(params["batch_size"])


def _row_norm(problem, n_rows=None):
    """Return the root mean square of ‖x_i‖ over the first rows that have a weight."""
    rows = problem.rows[:n_rows]
    with np.errstate(over="ignore"):
        norms = problem.squared_norms[rows] if n_rows is None else squared_norms(take_rows(problem.X, rows))
        row_norm = float(np.sqrt(weighted_mean(normalised(problem.weights[rows]), norms)))
    if not np.isfinite(row_norm):
        raise overflow(1)
    return row_norm


def _schedule(params, descent):
    return make_schedule(
        params["learning_rate"],
        alpha=params["alpha"],
        row_norm=descent.row_norm,
        eta0=params["eta0"],
        power_t=params["power_t"],
    )
