"""The number of threads that the kernels use."""

import functools
import os
import time

import joblib

from linear_hinge.kernels import _kernels

# Threads that waited in vain rest for `REST` times as long: what is lost stays below a hundredth of the time. The first
# `GRACE` seconds that a process loses cost no rest: so much takes memory that is touched for the first time.
REST, GRACE = 100, 5e-3


def max_threads():
    """Return how many threads a step may use.

    Returns
    -------
    int
        OpenMP's number of threads, which threadpoolctl and joblib set, or the number of cores if that is less. It is 1
        in a forked process, and for a while after other processes kept the cores busy.
    """
    if team.is_forked or time.monotonic() < team.rests_until:
        return 1
    return _n_threads()


def describe():
    """Say how many threads the compiled steps use, and why one if that is not OpenMP's choice."""
    if not _kernels.has_openmp():
        return "1 thread, because the compiler had no OpenMP"
    if team.is_forked:
        return "1 thread, because this process was forked"
    n_threads = _n_threads()
    return f"{n_threads} thread{'s' * (n_threads > 1)} of OpenMP"


class _Team:
    """Whether the threads may be woken."""

    is_forked = False
    lost = 0.0  # seconds, in this process
    rests_until = 0.0  # on the monotonic clock

    def fork(self):
        """Stay on one thread: the threads of GNU OpenMP do not exist in a forked child, which would wait for them."""
        self.is_forked = True

    def rest(self, seconds):
        """Leave the threads asleep for a while after they lost this time, in seconds."""
        self.lost += seconds
        if self.lost > GRACE:
            self.rests_until = time.monotonic() + REST * seconds


team = _Team()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=team.fork)


def _n_threads():
    return min(_kernels.max_threads(), _cpu_count())


@functools.cache
def _cpu_count():
    return joblib.cpu_count()
