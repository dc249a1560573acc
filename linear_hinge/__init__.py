"""Linear support vector machines with a multiclass hinge loss, at home in scikit-learn."""

from linear_hinge._classifier import MulticlassHingeClassifier
from linear_hinge._display import ConvergenceDisplay
from linear_hinge._show_versions import show_versions
from linear_hinge._version import __version__

__all__ = ["ConvergenceDisplay", "MulticlassHingeClassifier", "__version__", "show_versions"]
