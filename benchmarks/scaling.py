"""Seconds to fit as the number of rows, features, classes or non-zeros grows by 2, beside `LinearSVC`.

    python benchmarks/scaling.py --out RESULTS [--repeat 5]

Random sparse rows of two or more classes, C = 1, no intercept, one-vs-rest; both with their defaults. Writes
scaling.csv, scaling.rst and, with matplotlib, scaling.png. The solvers take turns in one process; medians.
"""

import argparse
import csv
import time
import warnings
from pathlib import Path
from statistics import median

import numpy as np
import scipy.sparse as sp
from figures import Figure
from sklearn.svm import LinearSVC
from tables import list_table, shown

from linear_hinge import MulticlassHingeClassifier

BASE = {"rows": 4000, "features": 4000, "classes": 4, "non-zeros per row": 40}
N_DOUBLINGS = 4


def draw_problem(size, rng):
    """Rows whose non-zeros are more probable where their class has its words."""
    n, d, n_classes, per_row = (size[key] for key in BASE)
    y = rng.randint(n_classes, size=n)
    words = rng.randint(d, size=(n, per_row))
    own = (words // n_classes * n_classes + y[:, None]) % d
    columns = np.where(rng.uniform(size=words.shape) < 0.3, own, words)
    starts = np.arange(0, n * per_row + 1, per_row, dtype=np.int32)
    X = sp.csr_array((rng.uniform(size=n * per_row), columns.ravel().astype(np.int32), starts), (n, d))
    X.sum_duplicates()
    return X, y


def fit_seconds(solver, X, y):
    if solver == "LinearSVC":
        model = LinearSVC(loss="hinge", fit_intercept=False, random_state=0)
    else:
        model = MulticlassHingeClassifier("one_vs_rest", alpha=1 / len(y), fit_intercept=False, random_state=0)
    started = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, y)
    return time.perf_counter() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="results", type=Path)
    parser.add_argument("--repeat", type=int, default=5)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for key in BASE:
        for size in [BASE | {key: BASE[key] * 2**k} for k in range(N_DOUBLINGS + 1)]:
            X, y = draw_problem(size, np.random.RandomState(0))
            seconds = {"linear_hinge": [], "LinearSVC": []}
            for _ in range(arguments.repeat):
                for solver, measured in seconds.items():
                    measured.append(fit_seconds(solver, X, y))
            rows.append({"growing": key, **size, **{solver: median(measured) for solver, measured in seconds.items()}})
            print(key, size[key], *(f"{solver} {rows[-1][solver]:.3g} s" for solver in seconds), flush=True)
    with open(arguments.out / "scaling.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    cells = [[row["growing"], f"{row[row['growing']]:,}", *(shown(row[solver]) for solver in seconds)] for row in rows]
    text = list_table(("growing", "to", *(f"{solver} (s)" for solver in seconds)), cells)
    (arguments.out / "scaling.rst").write_text(text, encoding="utf-8")
    if Figure is not None:
        draw(rows, arguments.out / "scaling.png")


def draw(rows, path):
    figure = Figure(figsize=(3 * len(BASE), 3), layout="constrained")
    for ax, key in zip(figure.subplots(1, len(BASE), sharey=True), BASE, strict=True):
        mine = [row for row in rows if row["growing"] == key]
        for solver, color, style in [("linear_hinge", "#0072b2", "o-"), ("LinearSVC", "#d55e00", "s--")]:
            ax.loglog([row[key] for row in mine], [row[solver] for row in mine], style, color=color, label=solver)
        ax.set_xticks([row[key] for row in mine], [str(row[key]) for row in mine])
        ax.set_xticks([], minor=True)
        ax.set(xlabel=f"number of {key}", title=f"growing {key}")
    figure.axes[0].set_ylabel("time to fit (seconds)")
    figure.axes[0].legend()
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
