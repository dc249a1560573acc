"""Partitions on the workers of a Dask cluster, asked as `ThreadedPartitions` are in this process.

What a partition remembers lies in a `Holder`, an ordinary result in the memory of one worker. Dask frees it when the
client lets go of it or goes away. It is never copied: where it has to be made anew, because its worker is gone, it is
empty, and the partition says so (`LostError`).
"""

import time
import uuid
from concurrent.futures import CancelledError
from dataclasses import fields, replace

import distributed
import numpy as np
import scipy.sparse as sp

from linear_hinge.kernels.memory import LINE_BYTES
from linear_hinge.problem.problem import Problem
from linear_hinge.solvers.partition import LostError, Partition

POLL_SECONDS = 1.0  # after which it is checked whether the worker is still there
PATIENCE_SECONDS = 60.0  # for a first or a new worker
MOST_LOSSES = 3  # of one partition, between two answers
LARGE_ARGUMENT = 2**16  # bytes; larger ones are sent to one worker, from where the others have them


class Holder:
    """The place of a partition's memory on a worker; a copy of it is empty."""

    def __init__(self):
        self.partition = None

    def __reduce__(self):
        return Holder, ()


class DaskPartitions:
    """Partitions on workers.

    Parameters
    ----------
    client : distributed.Client
    data : list
        Of every partition a function of the address of its worker that returns a future of its `PartOfData`.
    recipes : list of callable
        Make a `Partition` of a `PartOfData`.
    shares : list of float
        Their weights Ω_k.
    homes : list of str
        Addresses of the workers that hold the data, or None.
    """

    def __init__(self, client, data, recipes, shares, homes):
        self.client, self.data, self.recipes, self.shares = client, data, recipes, shares
        self.name = f"linear-hinge-{uuid.uuid4().hex}"
        self.n_asked = 0
        self.homes, self.holders = [None] * len(data), [None] * len(data)
        self.n_losses = [0] * len(data)
        for place, home in enumerate(homes):
            self._settle(place, home)

    def ask(self, question, *arguments, places=None):
        """Yield the answers of the partitions, as `ThreadedPartitions.ask` does."""
        places = list(range(len(self.shares)) if places is None else places)
        self.n_asked += 1
        arguments, is_lost = self._sent(arguments), False
        futures = [self._submit(place, question, arguments) for place in places]
        # All are waited for, also where one is lost: none may still be at work when the next question comes.
        try:
            for place, future in zip(places, futures, strict=True):
                try:
                    answer = self._result(place, future)
                except LostError:
                    is_lost = True
                future.release()
                if not is_lost:
                    yield answer
        finally:
            # Not left to the garbage collector: an error refers to what was there when it was raised.
            for future in [*futures, arguments] if isinstance(arguments, distributed.Future) else futures:
                future.release()
        if is_lost:
            raise LostError("a worker was lost")

    def _submit(self, place, question, arguments):
        return self.client.submit(
            _answer,
            self.holders[place],
            self.data[place](self.homes[place]),
            self.recipes[place],
            question,
            arguments,
            key=f"{question}-{self.name}-{place}-{self.n_asked}",
            workers=[self.homes[place]],
            allow_other_workers=False,
            pure=False,
        )

    def _sent(self, arguments):
        size = sum(part.nbytes for part in _arrays(arguments))
        if size < LARGE_ARGUMENT or len(self.shares) == 1:
            return arguments
        return self.client.scatter([arguments], hash=False)[0]

    def _result(self, place, future):
        """Return what a partition answers; if its worker goes, find a new one and raise `LostError`."""
        while True:
            try:
                answer = future.result(timeout=POLL_SECONDS)
            except (TimeoutError, distributed.TimeoutError):
                if future.status == "error":
                    raise
                if self.homes[place] in self._workers():
                    continue
            except (distributed.scheduler.KilledWorker, CancelledError) as error:
                if self.homes[place] in self._workers() and self.n_losses[place] >= MOST_LOSSES:
                    raise RuntimeError(
                        f"The data of partition {place} are lost, and nothing loads them again."
                    ) from error
            except LostError:
                raise
            except Exception as error:
                error.add_note(f"This happened in partition {place} on the worker {self.homes[place]}.")
                raise
            else:
                self.n_losses[place] = 0
                return answer
            future.cancel()
            self._lose(place)
            raise LostError(f"the worker of partition {place} is gone")

    def _lose(self, place):
        self.n_losses[place] += 1
        if self.n_losses[place] > MOST_LOSSES:
            raise RuntimeError(
                f"Partition {place} was lost {self.n_losses[place]} times in a row with its worker. If the workers"
                " ran out of memory, make the partitions smaller."
            )
        self._settle(place)

    def _settle(self, place, home=None):
        """Make an empty holder on the worker that has the data, or on the one with the fewest partitions."""
        workers = self._workers()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not workers:
            if time.monotonic() > deadline:
                raise RuntimeError("The cluster has no workers.")
            time.sleep(POLL_SECONDS / 4)
            workers = self._workers()
        if home not in workers:
            home = min(workers, key=lambda worker: (self.homes.count(worker), worker))
        self.homes[place] = home
        self.holders[place] = self.client.submit(
            Holder,
            key=f"holder-{self.name}-{place}-{uuid.uuid4().hex}",
            workers=[home],
            allow_other_workers=False,
            pure=False,
        )

    def close(self):
        """Let go of everything on the cluster, also where an error still refers to it."""
        for holder in self.holders:
            holder.release()

    def _workers(self):
        return sorted(self.client.nthreads())


def _arrays(arguments):
    """Yield the arrays in a tuple of arguments, which may be tuples themselves."""
    for argument in arguments:
        if isinstance(argument, tuple):
            yield from _arrays(argument)
        elif isinstance(argument, np.ndarray):
            yield argument


def aligned(X):
    """Place dense X at the beginning of a line of memory: elsewhere sums of NumPy may have other bits."""
    if sp.issparse(X) or X.ctypes.data % LINE_BYTES == 0:
        return X
    memory = np.empty(X.nbytes + LINE_BYTES, np.uint8)
    first = -memory.ctypes.data % LINE_BYTES
    rows = memory[first : first + X.nbytes].view(X.dtype).reshape(X.shape)
    rows[:] = X
    return rows


def _answer(holder, data, recipe, question, arguments):
    """Let the partition answer, on a worker, without keeping the data, which Dask holds or loads."""
    if holder.partition is None:
        holder.partition = recipe(data)
    else:
        holder.partition.attach(recipe.rows(data))
    try:
        return getattr(holder.partition, question)(*arguments)
    finally:
        holder.partition.detach()


class Recipe:
    """How the partition of some data is made.

    Parameters
    ----------
    problem : Problem
        Its constants, without rows.
    labels : ndarray of shape (n_classes,)
    codes : ndarray of shape (n_classes,)
        What the problem calls them.
    factors : ndarray of shape (n_classes,)
        By which the sample weights of each class are multiplied.
    number : int
    share : float
    options : dict
        Of `Partition`.
    """

    def __init__(self, problem, labels, codes, factors, number, share, options):
        self.problem = Problem(**{field.name: getattr(problem, field.name) for field in fields(Problem)})
        self.labels, self.codes, self.factors = labels, codes, factors
        self.number, self.share, self.options = number, share, options

    def rows(self, data):
        """Return X in the precision that all partitions have in common."""
        return aligned(data.X.astype(self.problem.dtype, copy=False))

    def __call__(self, data):
        places = np.searchsorted(self.labels, data.y)
        weights = data.weights * self.factors[places]
        problem = replace(self.problem, X=self.rows(data), y=self.codes[places], weights=weights / weights.sum())
        return Partition(problem, self.share, self.number, **self.options)
