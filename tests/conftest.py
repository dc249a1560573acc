"""Fixtures of all tests, and what has to be decided before SciPy is imported."""

import os
import signal

os.environ["SCIPY_ARRAY_API"] = "1"  # without it check_estimator skips its check of array API input

import numpy as np
import pytest
from hypothesis import settings

from linear_hinge.kernels import door

settings.register_profile("linear_hinge", deadline=None, max_examples=50, derandomize=True)
settings.load_profile("linear_hinge")


@pytest.fixture
def numpy_steps(monkeypatch):
    """Minibatch steps are those of the specification, whatever is installed."""
    monkeypatch.setattr(door, "_kernels", None)


@pytest.fixture
def ctrl_c_raises():
    """SIGINT is a KeyboardInterrupt, also where the tests run in the background and would ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def rng():
    return np.random.RandomState(0)
