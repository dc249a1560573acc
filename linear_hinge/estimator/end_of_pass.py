"""What callbacks have in common that look at the ends of passes only."""

from sklearn.base import BaseEstimator

from linear_hinge.estimator.callbacks import CallbackContext


class EndOfPassCallback:
    """A callback that looks at the ends of passes only."""

    def on_fit_task_begin(self, estimator: BaseEstimator, context: CallbackContext) -> None:
        """Do nothing when a pass begins.

        Parameters
        ----------
        estimator : MulticlassHingeClassifier
            The one that is fitted.
        context : CallbackContext
            The fit, or the pass, that begins or ends.
        """
