"""Peak memory of a fit by default beyond what was in use before, beside `LinearSVC`: C = 1, every problem and loss.

    python benchmarks/memory.py DATA --out RESULTS [--problems NAME ...]

One fit each, in a process of its own. Writes memory.rst. Peaks are right on Linux; elsewhere a fit that stays below
what reading the data took shows 0.
"""

import argparse
from pathlib import Path

import scipy.sparse as sp
from datasets import BINARY, PROBLEMS, UNSCALED
from joblib import load
from linear_svms import LINEAR_SVC, OURS
from measuring import run_apart, stored_problem, task_of
from tables import list_table

from linear_hinge.losses import LOSSES


def mebibytes_of(X):
    parts = (X.data, X.indices, X.indptr) if sp.issparse(X) else (X,)
    return sum(part.nbytes for part in parts) / 2**20


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--out", default="results", type=Path)
    parser.add_argument("--problems", nargs="+", default=PROBLEMS, choices=PROBLEMS + UNSCALED, metavar="NAME")
    parser.add_argument("--longest", type=float, default=60, help="seconds after which a run is given up")
    arguments = parser.parse_args()
    rows = []
    for problem in arguments.problems:
        path = stored_problem(arguments.data, problem, arguments.out)
        for loss in ["one_vs_rest"] if problem in BINARY else list(LOSSES):
            task = task_of(path, loss, 1.0)
            cells = []
            for solver in (OURS, LINEAR_SVC):
                result = run_apart(path, task, solver.name, {}, limit=arguments.longest) if solver.suits(task) else {}
                cells.append(f"{result['MiB']:.1f}" if "MiB" in result else "not in time" if result else "–")
            rows.append([problem, f"``{loss}``", f"{mebibytes_of(load(path)[0]):.1f}", *cells])
            print(*rows[-1], flush=True)
    text = list_table(("problem", "loss", "data (MiB)", "this package (MiB)", "LinearSVC (MiB)"), rows)
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "memory.rst").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
