"""Linear support vector machines with a multiclass hinge loss, at home in scikit-learn."""

from linear_hinge._classifier import MulticlassHingeClassifier
from linear_hinge._version import __version__

__all__ = ["MulticlassHingeClassifier", "__version__"]
