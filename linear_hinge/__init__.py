"""Linear support vector machines with a multiclass hinge loss, at home in scikit-learn."""

from linear_hinge._version import __version__
from linear_hinge.estimator.classifier import MulticlassHingeClassifier
from linear_hinge.estimator.classifier_cv import MulticlassHingeClassifierCV
from linear_hinge.estimator.objective import objective_and_subgradient
from linear_hinge.estimator.path import hinge_path
from linear_hinge.estimator.stop_fit import StopFit
from linear_hinge.report.convergence_display import ConvergenceDisplay
from linear_hinge.report.gap_progress_bar import GapProgressBar
from linear_hinge.report.path_display import PathDisplay
from linear_hinge.report.show_versions import show_versions

__all__ = [
    "ConvergenceDisplay",
    "GapProgressBar",
    "MulticlassHingeClassifier",
    "MulticlassHingeClassifierCV",
    "PathDisplay",
    "StopFit",
    "__version__",
    "hinge_path",
    "objective_and_subgradient",
    "show_versions",
]
