"""Suboptimality against seconds: this package and the linear SVMs of others on the same objective.

    python benchmarks/solvers.py DATA --out RESULTS [--problems NAME ...] [--C C ...] [--losses LOSS ...] [--repeat 5]

Every run is a process of its own that loads the data, fits (what a solver converts is timed with it), and reports
seconds, objective, test accuracy and peak memory; packages are imported before. Solvers take turns; the table has
medians. Before it is timed, a solver is fitted to one row of each class, because some compile or import at their first
fit. Data are float64; this package also gets them converted to float32, which it computes with. No intercepts, so that
all minimise alpha/2 ‖W‖² + mean loss; the optimum is the best certified lower bound of any run with the data as they
are. `SVC` always has an intercept: it takes part in accuracy only; snapml and, with two classes, skglm take part where
they are installed. A run that takes longer than a limit ends its setting and those of the same solver with a smaller
tol. One more run of this package, not in the table, closes the gap further, so that the bound is close enough to tell
1e-4.

RESULTS gets runs.csv, to which a second call adds what is missing, table.md (seconds to relative suboptimalities of
1e-2, 1e-3 and 1e-4, and with default settings) and, with matplotlib, suboptimality.png and accuracy.png. Threads are
those of the environment (OMP_NUM_THREADS).
"""

import argparse
import csv
import importlib.util
import json
import multiprocessing
import os
import resource
import time
import warnings
from pathlib import Path
from statistics import median

import joblib
import numpy as np
from figures import draw
from problems import PROBLEMS, load_problem
from sklearn.linear_model import SGDClassifier
from sklearn.svm import SVC, LinearSVC

from linear_hinge import MulticlassHingeClassifier, show_versions
from linear_hinge.losses import LOSSES
from linear_hinge.report.comparison import Dataset, training_objective

LEVELS = (1e-2, 1e-3, 1e-4)
OURS = ("linear_hinge", "linear_hinge, float32")
REFERENCE = ("reference", json.dumps({"tol": 1e-6}))
PEERS = ("LinearSVC", "SGDClassifier", "snapml", "skglm")
MISSING = [name for name in ("snapml", "skglm") if importlib.util.find_spec(name) is None]
TOLS = dict.fromkeys(OURS, (3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4)) | {
    "LinearSVC": (1, 0.1, 1e-2, 1e-3, 1e-4),
    "SVC": (1e-3,),
    "snapml": (1e-1, 1e-2, 1e-3, 1e-4),
    "skglm": (1e-1, 1e-2),
}
EPOCHS = (3, 30)
DEFAULTS = {"linear_hinge": 1e-3, "LinearSVC": 1e-4}
FEW_ROWS = 10_000

# Where there is a server that forks, every process begins with the packages imported.
PROCESSES = multiprocessing.get_context("forkserver" if os.name == "posix" else "spawn")

KEYS = ("problem", "loss", "C", "solver", "setting")
RESULTS = ("seconds", "MiB", "accuracy", "objective", "bound")


def settings_of(solver):
    """The settings of a solver that its curve is made of."""
    if solver == "SGDClassifier":
        return [{"max_iter": n, "average": average} for average in (False, True) for n in EPOCHS]
    return [{"tol": tol} for tol in TOLS[solver]]


def solvers_of(loss, n_samples=np.inf, n_classes=3):
    """The solvers that have the loss, this package first."""
    peers = {"crammer_singer": ["LinearSVC"], "weston_watkins": [], "one_vs_rest": list(PEERS[:3])}[loss]
    if n_classes == 2:
        peers += ["skglm", "SVC"] if n_samples <= FEW_ROWS else ["skglm"]
    return [*OURS, *(name for name in peers if name not in MISSING)]


def make_estimator(solver, loss, alpha, n_samples, setting):
    if solver in (*OURS, "reference"):
        return MulticlassHingeClassifier(loss, alpha=alpha, fit_intercept=False, random_state=0, **setting)
    if solver == "SGDClassifier":
        options = {"loss": "hinge", "alpha": alpha, "fit_intercept": False, "tol": None, "random_state": 0}
        return SGDClassifier(**options, **setting)
    if solver == "SVC":
        return SVC(kernel="linear", C=1 / (alpha * n_samples), **setting)
    if solver == "snapml":
        from snapml import SupportVectorMachine

        options = {"regularizer": alpha * n_samples, "n_jobs": os.cpu_count(), "max_iter": 100_000}
        return SupportVectorMachine(loss="hinge", random_state=0, **options, **setting)
    if solver == "skglm":
        from skglm.estimators import LinearSVC as SparseSVC

        return SparseSVC(C=1 / (alpha * n_samples), fit_intercept=False, **setting)
    multi_class = "crammer_singer" if loss == "crammer_singer" else "ovr"
    options = {"loss": "hinge", "C": 1 / (alpha * n_samples), "fit_intercept": False, "max_iter": 100_000}
    return LinearSVC(multi_class=multi_class, random_state=0, **options, **setting)


def run_one(path, job, sender):
    """Fit once in this process and send what came of it."""
    problem, loss, C, solver, setting = job
    X, X_test, y, y_test = joblib.load(path)
    alpha = 1 / (C * len(y))
    estimator = make_estimator(solver, loss, alpha, len(y), json.loads(setting))
    few = np.unique(y, return_index=True)[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator.fit(X[few], y[few])
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started = time.perf_counter()
        estimator.fit(X.astype(np.float32) if solver == "linear_hinge, float32" else X, y)
    result = {"seconds": time.perf_counter() - started}
    result["MiB"] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    result["accuracy"] = float(np.mean(estimator.predict(X_test) == y_test))
    result["objective"] = result["bound"] = None
    if solver != "SVC":
        dataset = Dataset(problem, X, y, X_test, y_test)
        result["objective"] = training_objective(estimator, dataset, loss=loss, alpha=alpha)
        result["bound"] = estimator.dual_objective_ if solver in ("linear_hinge", "reference") else None
    sender.send(result)


def run_apart(path, job, longest):
    """What `run_one` finds, in a process of its own; None if it takes longer."""
    receiver, sender = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=run_one, args=(path, job, sender))
    process.start()
    sender.close()
    try:
        return receiver.recv() if receiver.poll(longest) else None
    finally:
        process.kill()
        process.join()


def measure(path, jobs, repeat, longest):
    """The medians of every job, from processes that take turns; None where a run took too long."""
    measured = {job: [] for job in jobs}
    too_slow = set()
    for _ in range(repeat):
        for job, results in measured.items():
            *_, solver, setting = job
            if not results and solver in too_slow and "tol" in setting:
                results.append(None)
            if None not in results:
                results.append(run_apart(path, job, longest))
                if results[-1] is None:
                    too_slow.add(solver)
    for job, results in measured.items():
        row = dict(zip(KEYS, job, strict=True))
        if None in results:
            yield row | dict.fromkeys(RESULTS)
        else:
            yield row | {key: None if results[0][key] is None else median(r[key] for r in results) for key in RESULTS}


def add_suboptimality(rows):
    """Relative to the best certified bound of the problem."""
    for row in rows:
        bounds = [other["bound"] for other in rows if panel_of(other) == panel_of(row) and other["bound"]]
        row["suboptimality"] = row["objective"] / max(bounds) - 1 if row["objective"] and bounds else None


def panel_of(row):
    return row["problem"], row["loss"], row["C"]


def seconds_to(rows, solvers, level):
    """The quickest setting of these solvers that comes as close; None if none does."""
    mine = [row for row in rows if row["solver"] in solvers and row["suboptimality"] is not None]
    return min((row["seconds"] for row in mine if row["suboptimality"] <= level), default=None)


def table(rows):
    """Markdown: for every problem, seconds of this package and of the best peer, to every level and by default."""
    lines = [
        "| problem | loss | C | to 1e-2 | to 1e-3 | to 1e-4 | by default | accuracy by default |",
        "|" + "---|" * 8,
    ]
    ratios = []
    for panel in dict.fromkeys(map(panel_of, rows)):
        mine = [row for row in rows if panel_of(row) == panel]
        cells = []
        for level in LEVELS:
            ours, best = seconds_to(mine, OURS, level), seconds_to(mine, PEERS, level)
            cells.append(f"{shown(ours)} : {shown(best)}")
            if ours and best:
                ratios.append(best / ours)
        defaults = {r["solver"]: r for r in mine if r["setting"] == json.dumps({"tol": DEFAULTS.get(r["solver"])})}
        by_default = [defaults.get(name, dict.fromkeys(RESULTS)) for name in DEFAULTS]
        cells.append(" : ".join(shown(row["seconds"]) for row in by_default))
        cells.append(" : ".join("–" if row["accuracy"] is None else f"{row['accuracy']:.4f}" for row in by_default))
        lines.append("| {} | {} | {:g} | ".format(*panel) + " | ".join(cells) + " |")
    if ratios:
        lines.append(f"\nGeometric mean of the best peer's seconds over ours: {np.exp(np.mean(np.log(ratios))):.2f}")
    return "\n".join(lines) + "\n"


def shown(seconds):
    return "–" if seconds is None else f"{seconds:.3g} s"


def read_rows(path):
    """The rows of an earlier call, with numbers where there were numbers."""
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row |= {key: float(row[key]) if row[key] else None for key in ("C", *RESULTS)}
    return rows


def write(rows, out):
    add_suboptimality(rows)
    with open(out / "runs.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    (out / "table.md").write_text(table(rows), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--out", default="results", type=Path)
    parser.add_argument("--problems", nargs="+", default=PROBLEMS, choices=PROBLEMS, metavar="NAME")
    parser.add_argument("--losses", nargs="+", default=list(LOSSES))
    parser.add_argument("--C", nargs="+", type=float, default=[0.01, 1.0, 100.0])
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--longest", type=float, default=60, help="seconds after which a run is given up")
    arguments = parser.parse_args()
    PROCESSES.set_forkserver_preload(
        ["sklearn.svm", "sklearn.linear_model", "linear_hinge.report.comparison", "figures"]
    )
    arguments.out.mkdir(parents=True, exist_ok=True)
    show_versions()
    print(f"OMP_NUM_THREADS: {os.environ.get('OMP_NUM_THREADS', 'not set')}, {os.cpu_count()} cores")
    rows = read_rows(arguments.out / "runs.csv")
    done = {tuple(row[key] for key in KEYS) for row in rows}
    for problem in arguments.problems:
        path = arguments.out / f"{problem}.joblib"
        if not path.exists():
            joblib.dump(load_problem(arguments.data, problem), path)
        y = joblib.load(path)[2]
        n_classes = len(np.unique(y))
        for loss in arguments.losses if n_classes > 2 else ["one_vs_rest"]:
            for C in arguments.C:
                panel = (problem, loss, C)
                solvers = solvers_of(loss, len(y), n_classes)
                jobs = [(*panel, name, json.dumps(setting)) for name in solvers for setting in settings_of(name)]
                new = list(measure(path, [job for job in jobs if job not in done], arguments.repeat, arguments.longest))
                if (*panel, *REFERENCE) not in done:
                    new += measure(path, [(*panel, *REFERENCE)], 1, 4 * arguments.longest)
                if new:
                    rows += new
                    write(rows, arguments.out)
                    print(table([row for row in rows if panel_of(row) == panel]).splitlines()[2], flush=True)
    print(table(rows))
    draw(rows, arguments.out)


if __name__ == "__main__":
    main()
