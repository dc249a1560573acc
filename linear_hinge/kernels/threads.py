"""The number of threads that the kernels use, and the work that is worth waking them."""

import functools
import os
import time

import joblib

from linear_hinge.kernels import _kernels

# A thread is woken for at least `FEWEST_WORTH_THREADS` multiplications, and for at least as many as a core makes in
# about four times the time that it takes to wake the others, at `WORTH_PER_SECOND`. That time is measured at most every
# `TEAM_CHECK_INTERVAL` seconds, and takes at most 1 / `TEAM_CHECK_RATIO` of the time.
FEWEST_WORTH_THREADS = 2**17
WORTH_PER_SECOND = 2**33
NEVER_WORTH = 2**62
TEAM_CHECK_INTERVAL = 0.2
TEAM_CHECK_RATIO = 100


def max_threads():
    """Return how many threads a step may use.

    The cost of waking them is measured now and then, because it is a thousand times higher where other processes keep
    the cores busy; tasks that are not worth this cost stay on one thread. It is not measured where all tasks are small.

    Returns
    -------
    int
        OpenMP's number of threads, which threadpoolctl and joblib set, or the number of cores if that is less.
    """
    if team.is_forked:
        return 1
    n_threads = min(_kernels.max_threads(), _cpu_count())
    is_asked = n_threads > 1 and _kernels.largest_task() > FEWEST_WORTH_THREADS
    if is_asked and time.monotonic() >= team.next_check:
        seconds = _kernels.team_seconds(n_threads)
        _kernels.set_worth_threads(multiplications_worth(seconds))
        team.next_check = time.monotonic() + max(TEAM_CHECK_INTERVAL, TEAM_CHECK_RATIO * seconds)
    return n_threads


def describe():
    """Say how many threads the compiled steps use, and why one if that is not OpenMP's choice."""
    if not _kernels.has_openmp():
        return "1 thread, because the compiler had no OpenMP"
    if team.is_forked:
        return "1 thread, because this process was forked"
    n_threads = max_threads()
    return f"{n_threads} thread{'s' * (n_threads > 1)} of OpenMP"


def multiplications_worth(seconds):
    """Compute how many multiplications are worth waking the threads.

    Parameters
    ----------
    seconds : float
        The time that it takes to wake them.

    Returns
    -------
    int
        Number of multiplications.
    """
    return int(max(FEWEST_WORTH_THREADS, WORTH_PER_SECOND * seconds))


class _Team:
    """The time when the cost of waking the threads is to be measured again."""

    next_check = 0.0
    is_forked = False

    def fork(self):
        """Stay on one thread: the threads of GNU OpenMP do not exist in a forked child, which would wait for them."""
        self.is_forked = True

    def rest(self, seconds):
        """Leave the threads asleep for a while after they lost this time, in seconds."""
        _kernels.set_worth_threads(NEVER_WORTH)
        self.next_check = time.monotonic() + TEAM_CHECK_RATIO * seconds


team = _Team()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=team.fork)


@functools.cache
def _cpu_count():
    return joblib.cpu_count()
