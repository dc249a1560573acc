"""One pass over a stream with `partial_fit`: "auto", which has nothing to tune, "optimal" and `SGDClassifier`.

    python benchmarks/stream.py [DATA] --out RESULTS [--repeat 5] [--problems NAME ...]

On scikit-learn's digits, and on texts and images of DATA if it is named. Chunks of 1,024 rows, shuffled once;
standardised when dense; every loss; C = .01, 1 and 100; the last iterate and the average. Streams of fewer than 10,000
rows are read several times, so that there is something to measure; the objective is that of the first reading. Writes
stream.rst: rows per second, medians of runs that take turns, and the training objective on the whole stream.
`SGDClassifier` has one-vs-rest only; the other losses are compared with its rows per second all the same.
"""

import argparse
import time
from pathlib import Path
from statistics import median

import joblib
import numpy as np
import scipy.sparse as sp
from datasets import PROBLEMS
from measuring import stored_problem
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.preprocessing import StandardScaler
from tables import ALL_C, geometric_mean, list_table

from linear_hinge import MulticlassHingeClassifier
from linear_hinge.losses import LOSSES
from linear_hinge.report.comparison import Dataset, training_objective

CHUNK = 1024
FEWEST_ROWS = 10_000
HEADER = (
    "data",
    "loss",
    "C",
    "average",
    '"auto" (rows/s)',
    '"optimal" (rows/s)',
    "SGDClassifier (rows/s)",
    '"auto" over SGDClassifier',
    '"auto" (objective)',
    '"optimal" (objective)',
    "SGDClassifier (objective)",
)
STREAMS = ("sms_spam", "banking77", "20news", "mnist")


def problems(data, names, out):
    """Names, X and y."""
    yield "digits", *load_digits(return_X_y=True)
    for name in names if data else ():
        X, _, y, _ = joblib.load(stored_problem(data, name, out))
        yield name, X, y


def stream(dataset, model, loss):
    """The training objective after one pass, and rows per second."""
    X, y = dataset.X_train, dataset.y_train
    classes = np.unique(y)
    objective, n_rows, seconds = None, 0, 0
    while n_rows < FEWEST_ROWS:
        started = time.perf_counter()
        for start in range(0, len(y), CHUNK):
            model.partial_fit(X[start : start + CHUNK], y[start : start + CHUNK], classes=classes)
        seconds += time.perf_counter() - started
        n_rows += len(y)
        if objective is None:
            objective = training_objective(model, dataset, loss=loss, alpha=model.alpha)
    return objective, n_rows / seconds


def estimators(loss, alpha, average):
    """Name and estimator, not fitted: everything by default but the problem and the average."""
    for name in ("auto", "optimal"):
        yield name, MulticlassHingeClassifier(loss, alpha=alpha, average=average, learning_rate=name)
    yield "SGDClassifier", SGDClassifier(alpha=alpha, average=average)


def compare(dataset, loss, C, average, repeat):
    """Objective of the first run and median rows per second, by name."""
    alpha = 1 / (C * len(dataset.y_train))
    found = {}
    for _ in range(repeat):
        for name, model in estimators(loss, alpha, average):
            found.setdefault(name, []).append(stream(dataset, model, loss))
    return {name: (runs[0][0], median(speed for _, speed in runs)) for name, runs in found.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?")
    parser.add_argument("--out", default="results", type=Path)
    parser.add_argument("--problems", nargs="*", default=STREAMS, choices=PROBLEMS, metavar="NAME")
    parser.add_argument("--repeat", type=int, default=5)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    rows, speeds, objectives = [], {}, []
    for problem, X, y in problems(arguments.data, arguments.problems, arguments.out):
        order = np.random.RandomState(0).permutation(len(y))
        X, y = (X if sp.issparse(X) else StandardScaler().fit_transform(X))[order], y[order]
        dataset = Dataset(problem, X, y, X, y)
        for loss in LOSSES if len(np.unique(y)) > 2 else ["one_vs_rest"]:
            for C in ALL_C:
                for average in (False, True):
                    found = compare(dataset, loss, C, average, arguments.repeat)
                    speeds.setdefault(problem, []).append(found["auto"][1] / found["SGDClassifier"][1])
                    objectives.append(found["auto"][0] / found["optimal"][0])
                    cells = [f"{found[name][1]:,.0f}" for name in found] + [f"{speeds[problem][-1]:.2f}"]
                    cells += [f"{found[name][0]:.4g}" for name in ("auto", "optimal")]
                    cells += [f"{found['SGDClassifier'][0]:.4g}" if loss == "one_vs_rest" else "–"]
                    rows.append([problem, f"``{loss}``", f"{C:g}", "yes" if average else "no", *cells])
                    print(*rows[-1], flush=True)
    text = list_table(HEADER, rows)
    means = "; ".join(f"{problem} {geometric_mean(ratios):.2f}" for problem, ratios in speeds.items())
    lowest = min(min(ratios) for ratios in speeds.values())
    text += f'\nRows per second of "auto" over those of SGDClassifier, geometric means: {means}; lowest {lowest:.2f}.\n'
    text += f'Objective of "auto" over that of "optimal", geometric mean: {geometric_mean(objectives):.2f}.\n'
    (arguments.out / "stream.rst").write_text(text, encoding="utf-8")
    print(text.rpartition("\n\n")[2])


if __name__ == "__main__":
    main()
