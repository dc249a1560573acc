"""Suboptimality against seconds: this package, `LinearSVC` and `SGDClassifier` on the same objective.

    python benchmarks/solvers.py DATA --out RESULTS [--problems NAME ...] [--C C ...] [--losses LOSS ...] [--repeat 5]

Every run is a process of its own that loads the data, converts them to the solver's favourite format inside the timed
part, fits, and reports seconds, objective, test accuracy and peak memory. Solvers take turns; the table has medians.
No intercepts, so that all minimise alpha/2 ‖W‖² + mean loss; the optimum is the best certified lower bound of any run.
RESULTS gets runs.csv, table.md (seconds to relative suboptimalities of 1e-2, 1e-3 and 1e-4, and with the solver's
default settings) and, with matplotlib, curves.png. Threads are those of the environment (OMP_NUM_THREADS).
"""

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import time
import warnings
from pathlib import Path
from statistics import median

import numpy as np
from problems import PROBLEMS, load_problem
from sklearn.linear_model import SGDClassifier
from sklearn.svm import LinearSVC

from linear_hinge import MulticlassHingeClassifier, show_versions
from linear_hinge._comparison import Dataset, training_objective

LEVELS = (1e-2, 1e-3, 1e-4)
TOLS = {"linear_hinge": (3e-2, 1e-2, 1e-3, 1e-4), "LinearSVC": (1, 0.1, 1e-2, 1e-3, 1e-4)}
EPOCHS = (1, 3, 10, 30, 100)
DEFAULTS = {"linear_hinge": 1e-3, "LinearSVC": 1e-4}
LONGEST_RUN = 120  # seconds


def settings_of(solver, loss):
    """The settings of a solver that its curve is made of."""
    if solver == "SGDClassifier":
        return [{"max_iter": n, "average": average} for average in (False, True) for n in EPOCHS]
    return [{"tol": tol} for tol in TOLS[solver]]


def solvers_of(loss):
    """The solvers that have the loss, this package first."""
    peers = {"crammer_singer": ["LinearSVC"], "weston_watkins": [], "one_vs_rest": ["LinearSVC", "SGDClassifier"]}
    return ["linear_hinge", *peers[loss]]


def make_estimator(solver, loss, alpha, n_samples, setting):
    if solver == "linear_hinge":
        return MulticlassHingeClassifier(loss, alpha=alpha, fit_intercept=False, random_state=0, **setting)
    if solver == "SGDClassifier":
        options = {"loss": "hinge", "alpha": alpha, "fit_intercept": False, "tol": None, "random_state": 0}
        return SGDClassifier(**options, **setting)
    multi_class = "crammer_singer" if loss == "crammer_singer" else "ovr"
    options = {"loss": "hinge", "C": 1 / (alpha * n_samples), "fit_intercept": False, "max_iter": 100_000}
    return LinearSVC(multi_class=multi_class, random_state=0, **options, **setting)


def run_one(folder, problem, loss, C, solver, setting):
    """Fit once in this process and print what came of it."""
    X, X_test, y, y_test = load_problem(folder, problem)
    alpha = 1 / (C * len(y))
    estimator = make_estimator(solver, loss, alpha, len(y), setting)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator.fit(X, y)
    seconds = time.perf_counter() - started
    dataset = Dataset(problem, X, y, X_test, y_test)
    result = {
        "seconds": seconds,
        "objective": training_objective(estimator, dataset, loss=loss, alpha=alpha),
        "bound": getattr(estimator, "dual_objective_", None),
        "accuracy": float(np.mean(estimator.predict(X_test) == y_test)),
        "MiB": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
    }
    print(json.dumps(result))


def measure(arguments, jobs):
    """The medians of every job, from processes that take turns."""
    measured = {job: [] for job in jobs}
    for _ in range(arguments.repeat):
        for job, results in measured.items():
            if results and results[-1] is None:
                continue

            command = [sys.executable, __file__, arguments.data, "--one", json.dumps(job)]
            try:
                done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=LONGEST_RUN)
                results.append(json.loads(done.stdout.splitlines()[-1]))
            except subprocess.TimeoutExpired:
                results.append(None)
    rows = []
    for (problem, loss, C, solver, setting), results in measured.items():
        if None not in results:
            row = {"problem": problem, "loss": loss, "C": C, "solver": solver, "setting": setting}
            rows.append(row | {key: median(r[key] or 0 for r in results) for key in results[0]})
    return rows


def add_suboptimality(rows):
    """Relative to the best certified bound of the problem."""
    for row in rows:
        peers = [other for other in rows if all(other[key] == row[key] for key in ("problem", "loss", "C"))]
        bound = max(other["bound"] for other in peers)
        row["suboptimality"] = row["objective"] / bound - 1


def seconds_to(rows, solver, level):
    """The quickest setting of a solver that comes as close; None if none does."""
    return min((r["seconds"] for r in rows if r["solver"] == solver and r["suboptimality"] <= level), default=None)


def table(rows):
    """Markdown: for every problem, seconds of this package and of the best peer, to every level and by default."""
    lines = ["| problem | loss | C | to 1e-2 | to 1e-3 | to 1e-4 | default | accuracy, default |", "|" + "---|" * 8]
    ratios = []
    for problem, loss, C in dict.fromkeys((r["problem"], r["loss"], r["C"]) for r in rows):
        mine = [r for r in rows if (r["problem"], r["loss"], r["C"]) == (problem, loss, C)]
        cells = []
        for level in LEVELS:
            ours = seconds_to(mine, "linear_hinge", level)
            peers = {solver: seconds_to(mine, solver, level) for solver in solvers_of(loss)[1:]}
            best = min((s for s in peers.values() if s is not None), default=None)
            cells.append(f"{shown(ours)} : {shown(best)}")
            if ours and best:
                ratios.append(best / ours)
        defaults = {r["solver"]: r for r in mine if r["setting"] == json.dumps({"tol": DEFAULTS.get(r["solver"])})}
        names = [name for name in ("linear_hinge", "LinearSVC") if name in solvers_of(loss)]
        cells.append(" : ".join(shown(defaults[name]["seconds"] if name in defaults else None) for name in names))
        cells.append(" : ".join(f"{100 * defaults[n]['accuracy']:.1f} %" if n in defaults else "–" for n in names))
        lines.append(f"| {problem} | {loss} | {C:g} | " + " | ".join(cells) + " |")
    if ratios:
        lines.append(f"\nGeometric mean of peer's seconds over ours: {np.exp(np.mean(np.log(ratios))):.2f}")
    return "\n".join(lines) + "\n"


def shown(seconds):
    return "–" if seconds is None else f"{seconds:.3g} s"


def draw(rows, path):
    """One panel a problem: suboptimality against seconds, one curve a solver."""
    from matplotlib.figure import Figure

    panels = list(dict.fromkeys((r["problem"], r["loss"], r["C"]) for r in rows))
    n_columns = min(4, len(panels))
    n_lines = -(-len(panels) // n_columns)
    figure = Figure(figsize=(3.6 * n_columns, 3 * n_lines), layout="constrained")
    axes = figure.subplots(n_lines, n_columns, squeeze=False)
    styles = {"linear_hinge": ("C0", "o-"), "LinearSVC": ("C1", "s--"), "SGDClassifier": ("0.5", "^:")}
    for ax, panel in zip(axes.flat, panels, strict=False):
        mine = [r for r in rows if (r["problem"], r["loss"], r["C"]) == panel]
        for solver, (color, style) in styles.items():
            points = sorted((r["seconds"], max(r["suboptimality"], 1e-9)) for r in mine if r["solver"] == solver)
            if points:
                ax.loglog(*zip(*points, strict=True), style, color=color, label=solver, markersize=4)
        ax.set(title="{}, {}, C = {:g}".format(*panel), xlabel="seconds", ylabel="relative suboptimality")
        ax.title.set_fontsize(9)
    for ax in axes.flat[len(panels) :]:
        ax.remove()
    axes[0, 0].legend(fontsize=8)
    figure.savefig(path, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--out", default="results")
    parser.add_argument("--problems", nargs="+", default=PROBLEMS, choices=PROBLEMS, metavar="NAME")
    parser.add_argument("--losses", nargs="+", default=["crammer_singer", "weston_watkins", "one_vs_rest"])
    parser.add_argument("--C", nargs="+", type=float, default=[0.01, 1.0])
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        problem, loss, C, solver, setting = json.loads(arguments.one)
        return run_one(arguments.data, problem, loss, C, solver, json.loads(setting))
    out = Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    show_versions()
    print(f"OMP_NUM_THREADS: {os.environ.get('OMP_NUM_THREADS', 'not set')}, {os.cpu_count()} cores")
    rows = []
    for problem in arguments.problems:
        n_classes = len(np.unique(load_problem(arguments.data, problem)[2]))
        for loss in arguments.losses if n_classes > 2 else ["one_vs_rest"]:
            for C in arguments.C:
                jobs = [
                    (problem, loss, C, solver, json.dumps(setting))
                    for solver in solvers_of(loss)
                    for setting in settings_of(solver, loss)
                ]
                rows += measure(arguments, jobs)
                add_suboptimality(rows)
                print(table(rows).splitlines()[-3 if len(rows) > 4 else -1], flush=True)
    with open(out / "runs.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    (out / "table.md").write_text(table(rows), encoding="utf-8")
    print(table(rows))
    try:
        draw(rows, out / "curves.png")
    except ImportError:
        print("matplotlib is not installed: no figure")


if __name__ == "__main__":
    main()
