"""`StopFit`: a callback that ends a fit early and keeps the model."""

import signal
import threading
import time
from numbers import Integral, Real
from typing import Literal

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, validate_params

from linear_hinge.estimator.callbacks import CallbackContext
from linear_hinge.estimator.end_of_pass import EndOfPassCallback
from linear_hinge.estimator.types import MatrixLike, keeping_types


class StopFit(EndOfPassCallback):
    """Stop a fit early and keep its model.

    A callback for ``set_callbacks``, which scikit-learn has from version 1.9 on. The fit ends with the first pass after
    which one of the conditions holds. Its model is that of the pass, ``duality_gap_`` says how good it is, and there
    is no warning.

    Parameters
    ----------
    seconds : float, default=None
        The time that a fit may take, greater than 0. The pass in which it runs out is completed.
    gap : float, default=None
        The relative duality gap that is small enough, with ``learning_rate="auto"``. Unlike `tol`, it does not make the
        fit look for a proof sooner.
    validation : tuple (X, y), default=None
        Held-out rows to score on. The fit stops when the score has not risen for ``patience`` passes that changed the
        model.
    patience : int, default=5
        See ``validation``.
    interrupt : bool, default=True
        Whether Ctrl-C, or the stop button of a notebook, ends the fit with the current pass instead of raising
        `KeyboardInterrupt`, which would lose the model. A second one raises.

    Attributes
    ----------
    reason_ : {"seconds", "gap", "validation", "interrupt"} or None
        Why the last fit was stopped; None if it was not.

    See Also
    --------
    MulticlassHingeClassifier : The estimator whose fits can be stopped.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from linear_hinge import MulticlassHingeClassifier, StopFit
    >>> X, y = load_digits(return_X_y=True)
    >>> model = MulticlassHingeClassifier(tol=1e-9, random_state=0)
    >>> stop = StopFit(gap=0.1)
    >>> model = model.set_callbacks(stop).fit(X, y)
    >>> stop.reason_
    'gap'
    """

    reason_: Literal["seconds", "gap", "validation", "interrupt"] | None

    @keeping_types(
        validate_params(
            {
                "seconds": [Interval(Real, 0, None, closed="neither"), None],
                "gap": [Interval(Real, 0, None, closed="neither"), None],
                "validation": [tuple, list, None],
                "patience": [Interval(Integral, 1, None, closed="left")],
                "interrupt": ["boolean"],
            },
            prefer_skip_nested_validation=True,
        )
    )
    def __init__(
        self,
        *,
        seconds: float | None = None,
        gap: float | None = None,
        validation: tuple[MatrixLike, ArrayLike] | None = None,
        patience: int = 5,
        interrupt: bool = True,
    ) -> None:
        self.seconds = seconds
        self.gap = gap
        self.validation = validation
        self.patience = patience
        self.interrupt = interrupt
        self.reason_ = None

    def setup(self, estimator: BaseEstimator, context: CallbackContext) -> None:
        """Look at the clock, and listen for Ctrl-C.

        Parameters
        ----------
        estimator : MulticlassHingeClassifier
            The one that is fitted.
        context : CallbackContext
            The fit, or the pass, that begins or ends.
        """
        self.reason_, self._started = None, time.monotonic()
        self._best, self._n_waited, self._objective = -float("inf"), 0, None
        self._was_interrupted, self._handler = False, None
        # Only the main thread may listen; where another handler stands that is not Python's, it stays.
        if self.interrupt and threading.current_thread() is threading.main_thread():
            self._handler = signal.signal(signal.SIGINT, self._on_interrupt)

    def teardown(self, estimator: BaseEstimator, context: CallbackContext) -> None:
        """Hand Ctrl-C back to its former handler.

        Parameters
        ----------
        estimator : MulticlassHingeClassifier
            The one that is fitted.
        context : CallbackContext
            The fit, or the pass, that begins or ends.
        """
        if self._handler is not None:
            signal.signal(signal.SIGINT, self._handler)
            self._handler = None

    def on_fit_task_end(
        self, estimator: BaseEstimator, context: CallbackContext, *, fitted_estimator: BaseEstimator
    ) -> bool:
        """Decide whether the fit should stop here.

        Parameters
        ----------
        estimator : MulticlassHingeClassifier
            The one that is fitted.
        context : CallbackContext
            What has ended: a pass, or the whole fit.
        fitted_estimator : MulticlassHingeClassifier
            A copy that predicts as if the fit had stopped here.

        Returns
        -------
        stop : bool
            Whether one of the conditions holds.
        """
        if context.task_name != "pass":
            return False
        conditions = {
            "interrupt": self._was_interrupted,
            "seconds": self.seconds is not None and time.monotonic() - self._started >= self.seconds,
            "gap": self.gap is not None and getattr(fitted_estimator, "duality_gap_", 1) <= self.gap,
            "validation": self.validation is not None and self._has_settled(fitted_estimator),
        }
        self.reason_ = next((reason for reason, holds in conditions.items() if holds), None)
        return self.reason_ is not None

    def _has_settled(self, fitted_estimator):
        if fitted_estimator.objective_ == self._objective:
            return False  # the model is that of the pass before
        self._objective = fitted_estimator.objective_
        score = fitted_estimator.score(*self.validation)
        self._n_waited = 0 if score > self._best else self._n_waited + 1
        self._best = max(self._best, score)
        return self._n_waited >= self.patience

    def _on_interrupt(self, number, frame):
        if self._was_interrupted:
            raise KeyboardInterrupt
        self._was_interrupted = True
