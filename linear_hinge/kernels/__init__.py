"""Compiled code behind one door, the NumPy code that specifies it and stands in for it, and what both need of memory.

`_kernels` are the compiled ones, None where there was no compiler. The environment variable LINEAR_HINGE_PURE_PYTHON=1,
read at import, leaves them out.
"""

import os

try:
    from linear_hinge.kernels import compiled as _kernels
except ImportError:
    _kernels = None
if os.environ.get("LINEAR_HINGE_PURE_PYTHON") == "1":
    _kernels = None


def is_compiled():
    """Whether compiled steps are in use."""
    return _kernels is not None
