"""Compiled code behind one door, and the NumPy code that specifies it and stands in for it.

`_kernels` is the compiled module, or None where there was no compiler. The environment variable
LINEAR_HINGE_PURE_PYTHON=1, which is read at import, leaves it out.
"""

import os

try:
    from linear_hinge.kernels import compiled as _kernels
except ImportError:
    _kernels = None
if os.environ.get("LINEAR_HINGE_PURE_PYTHON") == "1":
    _kernels = None


def is_compiled():
    """Return whether compiled steps are in use."""
    return _kernels is not None
