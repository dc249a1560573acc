"""Problems in partitions, for the tests of what works on them."""

from dataclasses import replace

import numpy as np

from linear_hinge.solvers.partition import Partition
from linear_hinge.solvers.partitioned_fit import PartitionedFit
from linear_hinge.solvers.partitions import ThreadedPartitions


def split(problem, n_parts, *, is_sorted=False, seed=0, batch_size=8):
    """A `Partition` for every n-th of the rows, in their order or sorted by class."""
    order = np.argsort(problem.y, kind="stable") if is_sorted else np.arange(len(problem.y))
    partitions = []
    for number, rows in enumerate(np.array_split(order, n_parts)):
        weights = problem.weights[rows]
        share = weights.sum()
        part = replace(problem, X=problem.X[rows], y=problem.y[rows], weights=weights / share)
        partitions.append(Partition(part, share, number, seed=seed, batch_size=batch_size))
    return partitions


def without_rows(problem):
    """The constants of a problem."""
    of_class = np.bincount(problem.y, problem.weights)
    return replace(problem, X=problem.X[:0], y=problem.y[:0], weights=problem.weights[:0], class_weights=of_class)


def fit_in_partitions(problem, partitions, tol=1e-3, max_iter=500):
    """The finished `PartitionedFit` and its last `Progress`."""
    held = partitions if hasattr(partitions, "ask") else ThreadedPartitions(partitions)
    fit = PartitionedFit(without_rows(problem), held, n_rows=len(problem.y), tol=tol)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for n_iter in range(1, max_iter + 1):
            progress = fit.run_pass(n_iter == max_iter)
            if fit.finished:
                break
    return fit, progress
