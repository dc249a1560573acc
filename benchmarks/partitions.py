"""Rounds over data in partitions until the gap is 1e-3, beside the passes of a fit of all rows.

    python benchmarks/partitions.py DATA --out RESULTS [--problems NAME ...] [--C C ...] [--parts 2 4 8] [--longest 300]

The partitions lie in this process: rounds and gaps are those of a cluster, seconds are not. Rows are dealt out at
random or sorted by class, so that most partitions have one class or two. Weston-Watkins; two classes for a9a. A fit of
all rows is given up after --most seconds, and its partitions with it. Each fit is a line of RESULTS/partitions.jsonl;
what is there is not measured again. Writes partitions.rst.
"""

import argparse
import json
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
from datasets import load_problem
from sklearn.datasets import load_digits
from tables import ALL_C, list_table

from linear_hinge import MulticlassHingeClassifier
from linear_hinge.estimator.path import with_whole_rows
from linear_hinge.estimator.starting import closed_form_batch_size, make_solver, quiet
from linear_hinge.solvers.partition import Partition
from linear_hinge.solvers.partitioned_fit import PartitionedFit
from linear_hinge.solvers.partitions import ThreadedPartitions

PROBLEMS = ("digits", "r8", "20news", "a9a", "letter", "mnist")
ORDERS = ("random", "sorted")
TOL, MOST_ROUNDS = 1e-3, 1000


def data_of(folder, name):
    """X and y of the training rows; the digits come with scikit-learn."""
    if name == "digits":
        X, y = load_digits(return_X_y=True)
        return X / 16, y
    X, _, y, _ = load_problem(folder, name)
    return with_whole_rows(X, np.inf), y


def in_partitions(problem, n_parts, order):
    """The constants of a problem, and its rows in partitions."""
    shuffled = np.random.RandomState(0).permutation(len(problem.y))
    if order == "sorted":
        shuffled = shuffled[np.argsort(problem.y[shuffled], kind="stable")]
    parts, batch_size = [], closed_form_batch_size(problem.X.shape[1])
    for number, rows in enumerate(np.array_split(shuffled, n_parts)):
        share = problem.weights[rows].sum()
        part = replace(problem, X=problem.X[rows], y=problem.y[rows], weights=problem.weights[rows] / share)
        parts.append(Partition(part, share, number, seed=0, batch_size=batch_size))
    constants = {"class_weights": np.bincount(problem.y, problem.weights)}
    nothing = {"X": problem.X[:0], "y": problem.y[:0], "weights": problem.weights[:0]}
    return replace(problem, **nothing, **constants), ThreadedPartitions(parts)


@quiet()
def run(solver, longest):
    """What came of a fit: passes or rounds, seconds, the gap, both sides of it."""
    started = time.perf_counter()
    for n_passes in range(1, MOST_ROUNDS + 1):
        progress = solver.run_pass(is_last=n_passes == MOST_ROUNDS)
        if solver.finished or time.perf_counter() - started > longest:
            break
    gap = solver.bracket.relative_gap
    return {
        "passes": n_passes,
        "seconds": time.perf_counter() - started,
        "gap": gap,
        "objective": progress.objective,
        "dual_objective": progress.dual_objective,
    }


def fits_of(folder, name, C, parts, most, longest, known):
    """Make the fits of a problem that are not known yet: one of all rows, then those in partitions."""
    X, y = data_of(folder, name)
    model = MulticlassHingeClassifier(alpha=1 / (C * len(y)), tol=TOL, random_state=0)
    problem, classes, _ = model._weighted_problem(X, y, np.ones(len(y)))
    if (1, "random") not in known:
        solver = make_solver(problem, classes, model._parameters(), model._generator(), {})
        known[1, "random"] = run(solver, most)
        yield 1, "random", known[1, "random"]
    if known[1, "random"]["gap"] > TOL:
        return
    for order in ORDERS:
        for n_parts in parts:
            if (n_parts, order) not in known:
                rowless, held = in_partitions(problem, n_parts, order)
                solver = PartitionedFit(rowless, held, n_rows=len(y), tol=TOL)
                yield n_parts, order, run(solver, longest)


def shown(fit):
    """Passes or rounds; the gap where it is open."""
    if fit is None:
        return "–"
    return f"{fit['passes']}" if fit["gap"] <= TOL else f"**{fit['passes']}, gap {fit['gap']:.1e}**"


def table(lines, parts):
    """One row for every problem and C."""
    found = {}
    for line in lines:
        found.setdefault((line["problem"], line["C"]), {})[line["parts"], line["order"]] = line
    columns = [(n_parts, order) for order in ORDERS for n_parts in parts]
    header = ("data", "C", "all rows", *(f"{n_parts} {order}" for n_parts, order in columns))
    rows = [
        [name, f"{C:g}", shown(fits.get((1, "random"))), *(shown(fits.get(column)) for column in columns)]
        for (name, C), fits in found.items()
    ]
    return list_table(header, rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--out", default="results", type=Path)
    parser.add_argument("--problems", nargs="+", default=PROBLEMS, choices=PROBLEMS)
    parser.add_argument("--C", nargs="+", type=float, default=ALL_C)
    parser.add_argument("--parts", nargs="+", type=int, default=[2, 4, 8])
    parser.add_argument("--most", type=float, default=60, help="seconds that a fit of all rows may take")
    parser.add_argument("--longest", type=float, default=300, help="seconds that a fit in partitions may take")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    arguments.out.mkdir(parents=True, exist_ok=True)
    file = arguments.out / "partitions.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    for name in arguments.problems:
        for C in arguments.C:
            names = {"problem": name, "C": C}
            known = {(line["parts"], line["order"]): line for line in lines if names.items() <= line.items()}
            for n_parts, order, fit in fits_of(
                arguments.data, name, C, arguments.parts, arguments.most, arguments.longest, known
            ):
                lines.append(names | {"parts": n_parts, "order": order} | fit)
                print(lines[-1], flush=True)
                with file.open("a", encoding="utf-8") as out:
                    out.write(json.dumps(lines[-1]) + "\n")
    (arguments.out / "partitions.rst").write_text(table(lines, arguments.parts), encoding="utf-8")


if __name__ == "__main__":
    main()
