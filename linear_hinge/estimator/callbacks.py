"""scikit-learn's callbacks where it has them (1.9), and nothing at all where it does not.

`FitTask` is what the estimator talks to: it stands for the fit in progress and, one at a time, for its passes.
"""

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks

    HAS_CALLBACKS = True
except ImportError:  # scikit-learn < 1.9
    HAS_CALLBACKS = False

    class CallbackSupportMixin:
        """Stands in for scikit-learn's mixin and adds nothing."""

    def with_callbacks(method):
        """Return the method as it is."""
        return method


# Frames between the user's line and the body of `fit`, for warnings: itself and the decorators of scikit-learn.
DEPTH_OF_FIT = 4 if HAS_CALLBACKS else 3


class FitTask:
    """The fit of ``estimator``, whose callbacks hear of its beginning, of every pass and of its end.

    Parameters
    ----------
    estimator : BaseEstimator
    X, y, sample_weight
        What `fit` was called with, validated; what a callback would score on.
    max_iter : int
        Passes at most.

    Attributes
    ----------
    may_stop : bool
        Whether anybody listens, who may stop the fit.
    """

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
        if self.context is not None:
            self.current = self.context.subcontext(task_name="pass")
            self.current.call_on_fit_task_begin(**self.about)

    def end_pass(self, fitted_attributes):
        """Whether a callback asks to stop; ``fitted_attributes()`` make an estimator that predicts."""
        if self.context is None:
            return False
        return self.current.call_on_fit_task_end(**self.about, reconstruction_attributes=fitted_attributes)

    def end(self, fitted_attributes):
        if self.context is not None:
            self.context.call_on_fit_task_end(**self.about, reconstruction_attributes=fitted_attributes)
