"""The way from a problem to the attributes of a fitted model: the solver, its start and its result."""

import time
from copy import deepcopy
from functools import partial
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning

from linear_hinge.estimator.collapse import describe_collapse
from linear_hinge.estimator.weighted_classes import NoLoss, WeightedClasses, with_usual_intercepts
from linear_hinge.kernels.products import squared_norms
from linear_hinge.linalg.batches import normalised, take_rows
from linear_hinge.linalg.sums import weighted_mean
from linear_hinge.problem.centring import centred
from linear_hinge.problem.certificate import coef_from_dual
from linear_hinge.problem.largest_alpha import best_constants
from linear_hinge.solvers.certified_fit import CertifiedFit
from linear_hinge.solvers.progress import Progress, relative_gap
from linear_hinge.solvers.schedules import make_schedule
from linear_hinge.solvers.stream import DualStream
from linear_hinge.solvers.subgradient import ScheduledFit, SubgradientDescent
from linear_hinge.solvers.warm_start import starting_dual

# Samples in a minibatch where batch_size="auto". Steps in closed form gain from small batches where rows resemble each
# other. Where a batch holds all rows, samples of weight k and samples repeated k times give the same model.
BATCH_SIZE = 64
CLOSED_FORM_BATCH_SIZE = 8

# Attributes that describe a fit; the next one starts without them.
FIT_ATTRIBUTES = (
    "n_iter_",
    "objective_",
    "dual_objective_",
    "duality_gap_",
    "dual_coef_",
    "support_",
    "history_",
    "_stream_",
    "_steps_",
    "_lowest_",
)


def overflow(n_iter):
    """Return the error for data that leave the range of floats."""
    return ValueError(
        f"Floating-point under-/overflow occurred at pass #{n_iter}. Scaling input data with StandardScaler or"
        " MinMaxScaler might help."
    )


# An overflow is found in the objective, and one error is raised for all of them.
quiet = partial(np.errstate, over="ignore", invalid="ignore", divide="ignore")


@quiet()
def make_solver(problem, classes, params, rng, before, *, from_constants=False):
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
    from_constants : bool
        Whether a fresh start is the best model with W = 0, its intercept included: near it where alpha is large.

    Returns
    -------
    CertifiedFit, ScheduledFit or NoLoss
        The solver.

    Raises
    ------
    ValueError
        If squared norms of rows overflow, or if the coefficients to start from have another shape.
    """
    if len(classes.weighted) == 1 or problem.objective_of_zero == 0:
        return NoLoss(problem, has_proof=params["learning_rate"] == "auto")
    options = {"tol": params["tol"], "batch_size": _batch_size(params), "rng": rng}
    if params["learning_rate"] == "auto":
        if params["batch_size"] == "auto" and len(problem.rows) > BATCH_SIZE:
            options["batch_size"] = CLOSED_FORM_BATCH_SIZE
        _row_norm(problem)  # raises where squares overflow
        problem = centred(problem)
        if "coef_" not in before:
            if from_constants:
                dual, intercept = (part.astype(problem.X.dtype) for part in best_constants(problem))
                return CertifiedFit(problem, dual, intercept, coef_from_dual(problem, dual), **options)
            return CertifiedFit(problem, starting_dual(problem), np.zeros(problem.n_scores, problem.X.dtype), **options)
        coef, intercept = _start(problem, classes, before)
        dual = before.get("dual_coef_")
        dual = starting_dual(problem, coef, intercept, None if dual is None else classes.contract_dual(dual))
        return CertifiedFit(problem, dual, intercept, coef, saved=before.get("_steps_"), **options)
    descent = SubgradientDescent(*_start(problem, classes, before), _row_norm(problem))
    return ScheduledFit(problem, descent, _schedule(params, descent), average=params["average"], **options)


class Outcome(NamedTuple):
    """The result of a run.

    Attributes
    ----------
    progress : Progress
        The report of its last pass.
    passes : list of tuple (work, seconds, objective, dual_objective)
        One for every pass.
    """

    progress: Progress
    passes: list


def run(solver, *, max_iter, verbose, task, classes, codes_predicted=None):
    """Let a solver pass over the data until it has finished.

    Parameters
    ----------
    solver : CertifiedFit, ScheduledFit or NoLoss
        The solver.
    max_iter, verbose : int
        Parameters of the estimator.
    task : FitTask
        The task of the fit, whose callbacks may stop it, and which shows its warnings.
    classes : WeightedClasses
        The classes.
    codes_predicted : callable, optional
        The codes of the classes that coefficients and intercept predict, where the rows lie elsewhere.

    Returns
    -------
    Outcome
        The last report of the solver, and what every pass has come to.

    Raises
    ------
    ValueError
        If the computation overflows or underflows.
    """
    started = time.perf_counter()
    passes = []
    solver.may_be_stopped = task.may_stop
    for n_iter in range(1, max_iter + 1):
        task.begin_pass()
        with quiet():
            progress = solver.run_pass(is_last=n_iter == max_iter)
        has_underflowed = progress.objective == 0 and progress.coef.any()
        if has_underflowed or not progress.objective < np.inf:
            raise overflow(n_iter)
        passes.append((progress.work, time.perf_counter() - started, progress.objective, progress.dual_objective))
        if not task.is_silent and (advice := solver.early_advice()):
            # Not a ConvergenceWarning, because the fit may still converge.
            task.warn(f"After {_passes(n_iter)}, {advice}", UserWarning)
        if verbose:
            _print_pass(n_iter, *passes[-1])
        stopped = task.end_pass(partial(_model_so_far, solver.problem, progress, classes, n_iter))
        if solver.finished or stopped:
            break
    if stopped:
        with quiet():
            progress = solver.certify()
        work, seconds, *_ = passes[-1]
        passes[-1] = (work + progress.work, seconds, progress.objective, progress.dual_objective)
    if not task.is_silent:
        if not (solver.converged or stopped):
            task.warn(f"Not converged after {_passes(n_iter)}: {solver.advice()}", ConvergenceWarning)
        if found := describe_collapse(solver, progress, classes, codes_predicted):
            task.warn(found, UserWarning)
    return Outcome(progress, passes)


def fitted_attributes(solver, outcome, classes):
    """Return the attributes of the fitted model after a run.

    Parameters
    ----------
    solver : CertifiedFit, ScheduledFit or NoLoss
        The solver that has run.
    outcome : Outcome
        The result of its run.
    classes : WeightedClasses
        The classes.

    Returns
    -------
    dict
        The attributes.
    """
    progress, passes = outcome
    fit = {"n_iter_": len(passes), "objective_": progress.objective, "history_": _history(passes)} | solver.attributes()
    if not classes.are_all:
        fit.pop("_stream_", None)  # a stream of the classes with weight only
        fit |= {"dual_coef_": classes.expand_dual(fit["dual_coef_"])} if "dual_coef_" in fit else {}
    return model_of(solver.problem, progress, classes) | fit


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
    stream = deepcopy(model.get("_stream_"))
    coef, intercept = _start(problem, WeightedClasses(model["classes_"]), model)
    if isinstance(stream, kind):
        if _were_set(coef, intercept, stream):
            stream.go_on_from(coef.astype(stream.iterate.dtype), intercept.astype(stream.iterate.dtype))
    else:
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


def model_attributes(coef, intercept, **others):
    """Return the attributes ``coef_`` and ``intercept_`` for Wᵀ and b, and the given others."""
    return {"coef_": coef.T, "intercept_": intercept} | others


def model_of(problem, progress, classes):
    """Return the attributes that predict, with all classes."""
    lowest = classes.lowest_score(problem, progress.coef, progress.intercept)
    coef, intercept = classes.expand(progress.coef, progress.intercept, lowest)
    model = model_attributes(coef, intercept, classes_=classes.labels)
    return model if lowest is None else model | {"_lowest_": lowest}


def _model_so_far(problem, progress, classes, n_iter):
    """Return copies of the attributes of the model so far, which a callback may keep."""
    copy = progress._replace(coef=progress.coef.copy(), intercept=progress.intercept.copy())
    state = {"n_iter_": n_iter, "objective_": progress.objective}
    if np.isfinite(progress.dual_objective):
        gap = relative_gap(progress.objective, progress.dual_objective)
        state |= {"dual_objective_": progress.dual_objective, "duality_gap_": float(gap)}
    return model_of(problem, copy, classes) | state


def _start(problem, classes, model):
    """Return Wᵀ and b of a fitted model, or zeros."""
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
    coef, intercept = classes.contract(coef.T, intercept)
    return np.array(coef, dtype=dtype, order="C"), np.array(intercept, dtype=dtype)


def _were_set(coef, intercept, stream):
    """Return whether coefficients differ from those of the stream."""
    return not all(map(np.array_equal, (coef, intercept), stream.coefficients()))


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


def _history(passes):
    work, seconds, objective, dual_objective = np.array(passes, dtype=np.float64).T
    return {
        "pass": np.cumsum(work),
        "seconds": seconds,
        "objective": objective,
        "dual_objective": dual_objective,
        "gap": relative_gap(objective, dual_objective),
    }


def _passes(n_iter):
    return f"{n_iter} pass" if n_iter == 1 else f"{n_iter} passes"


def _print_pass(n_iter, work, seconds, objective, dual_objective):
    line = f"pass {n_iter:4d}  {seconds:9.3f} s  objective {objective:.8g}"
    if dual_objective == 0 < objective:
        line += "  not yet proven"  # zero is a lower bound of any objective
    elif np.isfinite(dual_objective):
        line += f"  dual objective {dual_objective:.8g}  gap {relative_gap(objective, dual_objective):.2e}"
    print(line)
