"""The way from a solver to the attributes of a fitted model."""

import time
from functools import partial
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from linear_hinge.estimator.collapse import describe_collapse
from linear_hinge.estimator.starting import overflow, quiet
from linear_hinge.solvers.progress import Progress, relative_gap

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
    solver.may_be_stopped, solver.most_passes = task.may_stop, max_iter
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
