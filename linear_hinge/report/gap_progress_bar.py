"""`GapProgressBar`: how far a fit is on its way to the tolerance, and how long the rest will take."""

import math

import numpy as np
from sklearn.base import BaseEstimator

from linear_hinge.estimator.callbacks import CallbackContext
from linear_hinge.estimator.end_of_pass import EndOfPassCallback

SMALLEST_TOL = float(np.finfo(np.float64).eps)  # what a tol of zero comes down to


class GapProgressBar(EndOfPassCallback):
    """Progress bar driven by the logarithm of the duality gap.

    A callback for ``set_callbacks``, which scikit-learn has from version 1.9 on. It needs the package ``rich``. A gap
    shrinks by a factor in a given time, not by a difference, so the bar stands at log(gap) / log(tol), and the time
    left follows from it. :class:`sklearn.callback.ProgressBar` counts passes up to `max_iter` instead, and jumps to the
    end when the gap is closed. With a learning rate other than "auto" there is no gap, and the bar only shows that the
    fit goes on.

    See Also
    --------
    MulticlassHingeClassifier : The estimator whose fits are shown.
    ConvergenceDisplay : The way to the optimum, as a picture.
    """

    def __init__(self) -> None:
        try:
            import rich.progress  # noqa: F401
        except ImportError:
            raise ImportError("GapProgressBar needs the package rich: pip install rich") from None

    def setup(self, estimator: BaseEstimator, context: CallbackContext) -> None:
        """Show an empty bar.

        Parameters
        ----------
        estimator : MulticlassHingeClassifier
            The one that is fitted.
        context : CallbackContext
            The fit, or the pass, that begins or ends.
        """
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[state]}"),
            TimeRemainingColumn(elapsed_when_finished=True),
        )
        self._progress.start()
        has_gap = estimator.learning_rate == "auto"
        self._task = self._progress.add_task(
            type(estimator).__name__, total=1.0 if has_gap else None, state="not yet proven" if has_gap else ""
        )

    def teardown(self, estimator: BaseEstimator, context: CallbackContext) -> None:
        """Leave the bar as it is.

        Parameters
        ----------
        estimator : MulticlassHingeClassifier
            The one that is fitted.
        context : CallbackContext
            The fit, or the pass, that begins or ends.
        """
        self._progress.stop()
        del self._progress

    def on_fit_task_end(
        self, estimator: BaseEstimator, context: CallbackContext, *, fitted_estimator: BaseEstimator
    ) -> None:
        """Move the bar on.

        Parameters
        ----------
        estimator : MulticlassHingeClassifier
            The one that is fitted.
        context : CallbackContext
            What has ended: a pass, or the whole fit.
        fitted_estimator : MulticlassHingeClassifier
            A copy that predicts as if the fit had stopped here.
        """
        gap = getattr(fitted_estimator, "duality_gap_", 1.0)
        if gap < 1:
            self._progress.update(self._task, completed=progress(gap, estimator.tol), state=f"gap {gap:.1e}")
        if context.task_name == "fit" and gap <= estimator.tol:
            self._progress.update(self._task, completed=1.0)


def progress(gap: float, tol: float) -> float:
    """Compute log(gap) / log(tol), from 0 at a gap of 1 to 1 at the tolerance.

    Parameters
    ----------
    gap : float
        The relative duality gap.
    tol : float
        The gap at which the fit ends.

    Returns
    -------
    float
        The share of the way.
    """
    tol = min(max(tol, SMALLEST_TOL), 1.0)
    if gap <= tol:
        return 1.0
    return max(0.0, math.log(gap) / math.log(tol))
