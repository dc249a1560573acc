"""The callbacks of scikit-learn 1.9, which earlier versions do not have.

The estimator talks to a `FitTask`, which stands for the fit in progress and, one at a time, for its passes, and shows
its warnings.
"""

import warnings

try:
    from sklearn.callback import CallbackContext, CallbackSupportMixin, with_callbacks

    HAS_CALLBACKS = True
except ImportError:  # scikit-learn < 1.9
    HAS_CALLBACKS = False

    class CallbackContext:
        """A stand-in for what scikit-learn hands to callbacks, which is there for annotations."""

    class CallbackSupportMixin:
        """A stand-in for scikit-learn's mixin, which adds nothing."""

    def with_callbacks(method):
        """Return the method as it is."""
        return method


# Number of frames between the user's line and the body of `fit`, for warnings: `fit` and scikit-learn's decorators.
DEPTH_WITHOUT_CALLBACKS = 3
DEPTH_OF_FIT = DEPTH_WITHOUT_CALLBACKS + HAS_CALLBACKS


class SilentTask:
    """The task of one of many fits, as along a path: nobody stops it, and it shows no warnings."""

    may_stop, is_silent = False, True

    def begin_pass(self):
        """Do nothing."""

    def end_pass(self, fitted_attributes):
        """Return that nobody asks to stop."""
        return False

    def warn(self, message, category):
        """Do nothing: the caller of many fits sums up."""


class Refit(SilentTask):
    """The task of a fit inside `fit` of another estimator, without callbacks: its warnings are shown."""

    is_silent = False

    def warn(self, message, category):
        """Warn at the line that called the other estimator."""
        warnings.warn(message, category, DEPTH_WITHOUT_CALLBACKS + 3)


class FitTask:
    """A fit whose beginning, passes and end are reported to the callbacks of the estimator.

    Parameters
    ----------
    estimator : BaseEstimator
        The estimator that is fitted.
    X, y, sample_weight
        The validated arguments of `fit`, which a callback may score on.
    max_iter : int
        Number of passes at most.

    Attributes
    ----------
    may_stop : bool
        Whether there is a callback, which may stop the fit.
    """

    is_silent = False

    def __init__(self, estimator, X, y, sample_weight, max_iter):
        self.context = None
        self.may_stop = bool(getattr(estimator, "_skl_callbacks", ()))
        self.about = {"estimator": estimator, "X": X, "y": y}
        if sample_weight is not None:
            self.about["metadata"] = {"sample_weight": sample_weight}
        if HAS_CALLBACKS:
            self.context = estimator._init_callback_context(max_subtasks=max_iter)
            self.context.call_on_fit_task_begin(**self.about)

    def begin_pass(self):
        """Report the beginning of a pass."""
        if self.context is not None:
            self.current = self.context.subcontext(task_name="pass")
            self.current.call_on_fit_task_begin(**self.about)

    def end_pass(self, fitted_attributes):
        """Report the end of a pass, and return whether a callback asks to stop.

        Parameters
        ----------
        fitted_attributes : callable
            A function that returns the attributes of a model that predicts.

        Returns
        -------
        bool
            Whether to stop.
        """
        if self.context is None:
            return False
        return self.current.call_on_fit_task_end(**self.about, reconstruction_attributes=fitted_attributes)

    def warn(self, message, category):
        """Warn at the line that called `fit`, from what is called by its body's helper."""
        warnings.warn(message, category, DEPTH_OF_FIT + 3)

    def end(self, fitted_attributes):
        """Report the end of the fit, with the attributes of the model."""
        if self.context is not None:
            self.context.call_on_fit_task_end(**self.about, reconstruction_attributes=fitted_attributes)
