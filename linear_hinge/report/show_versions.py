"""The versions that a bug report needs."""

import platform
import sys

import numpy as np
import scipy
import sklearn

from linear_hinge._version import __version__
from linear_hinge.kernels import is_compiled, threads


def show_versions() -> None:
    """Print the versions of the package and what it runs on, and whether its compiled steps and threads are in use."""
    steps = f"compiled, {threads.describe()}" if is_compiled() else "NumPy"
    versions = {
        "linear_hinge": __version__,
        "minibatch steps": steps,
        "scikit-learn": sklearn.__version__,
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "python": sys.version.split()[0],
        "platform": platform.platform(),
    }
    for name, version in versions.items():
        print(f"{name + ':':17}{version}")
