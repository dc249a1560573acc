"""The warning about models that predict a single class."""

from linear_hinge.kernels.products import product
from linear_hinge.linalg.batches import ROWS_AT_ONCE, chunks, take_rows
from linear_hinge.problem.predictions import predicted_codes

# Number of rows that often suffice to show that a model predicts several classes.
ROWS_AT_FIRST = 32

# A model whose objective is less than that of zero coefficients by at most this share is no better than them.
NO_BETTER = 1e-9


def describe_collapse(solver, progress, classes, codes_predicted=None):
    """Describe a model that predicts one class at all training samples, or is proven no better than zero coefficients.

    Parameters
    ----------
    solver : CertifiedFit or ScheduledFit
        The solver, which has finished.
    progress : Progress
        Its last report.
    classes : WeightedClasses
        The classes.
    codes_predicted : callable, optional
        The codes of the classes that coefficients and intercept predict, where the rows lie elsewhere.

    Returns
    -------
    str or None
        A warning that names what to try; None for any other model.
    """
    problem = solver.problem
    if len(classes.weighted) == 1:
        return None
    if codes_predicted is None:
        label = _only_class(problem, progress, classes)
    else:
        codes = codes_predicted(progress.coef, progress.intercept)
        label = classes.labels[classes.weighted[codes[0]]] if len(codes) == 1 else None
    if label is not None:
        found = f"The model predicts one class, {label}, for all samples that it was trained on"
    elif solver.converged and progress.objective >= (1 - NO_BETTER) * problem.objective_of_zero:
        found = "The model predicts several classes, but its objective is no less than that of coefficients of zero"
    else:
        return None
    other_loss = ', loss="weston_watkins"' if problem.loss.collapses else ""
    other_margins = "" if problem.loss.costs is None else ", less unequal margins"
    cures = f'try a smaller alpha{other_loss}{other_margins} or class_weight="balanced"'
    return f"{found}: {cures}."


def _only_class(problem, progress, classes):
    """Return the label that the model predicts for all rows, or None if it predicts several."""
    rows = problem.rows
    intercept = problem.centred_intercept(progress.coef, progress.intercept)
    a_few = rows[:: max(1, len(rows) // ROWS_AT_FIRST)]
    only = None
    for some in (a_few, *(rows[chunk] for chunk in chunks(len(rows), ROWS_AT_ONCE))):
        scores = product(take_rows(problem.X, some), progress.coef) + intercept
        predicted = predicted_codes(scores)
        only = predicted[0] if only is None else only
        if (predicted != only).any():
            return None
    return classes.labels[classes.weighted[only]]
