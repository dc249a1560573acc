"""The versions that a bug report needs."""

import platform
import sys

import numpy as np
import scipy
import sklearn

from linear_hinge._version import __version__
from linear_hinge.kernels import is_compiled, threads


def describe_steps() -> str:
    """Say whether the minibatch steps are compiled, and how many threads they use."""
    return f"compiled, {threads.describe()}" if is_compiled() else "NumPy"


def show_versions() -> None:
    """Print the versions of the package and what it runs on, and whether its compiled steps and threads are in use."""
    versions = {
        "linear_hinge": __version__,
        "minibatch steps": describe_steps(),
        "scikit-learn": sklearn.__version__,
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "python": sys.version.split()[0],
        "platform": platform.platform(),
    }
    for name, version in versions.items():
        print(f"{name + ':':17}{version}")
