"""10 alphas and 5 folds: `MulticlassHingeClassifierCV` beside `GridSearchCV` over single fits and over `LinearSVC`.

    python benchmarks/search.py DATA --out RESULTS [--problems 20news usps digits] [--loss crammer_singer] [--n-jobs 2]

A search is given up after --longest seconds. All with their default tol. Writes search.rst: seconds with the refit, the
best alpha, its accuracy in cross-validation and on the test rows, and the largest gap of the folds where it is known.
"""

import argparse
import multiprocessing
import os
import signal
import time
import warnings
from importlib import import_module
from pathlib import Path

import numpy as np
from datasets import PROBLEMS, load_problem
from joblib import Parallel, delayed
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from tables import list_table

from linear_hinge import MulticlassHingeClassifier, MulticlassHingeClassifierCV
from linear_hinge.losses import LOSSES

CS = np.logspace(-2, 1, 10)
N_FOLDS = 5
HEADER = ("data", "search", "seconds", "best alpha", "accuracy in cross-validation", "on the test rows", "largest gap")

NAMES = {
    "cv": "MulticlassHingeClassifierCV",
    "grid": "GridSearchCV over MulticlassHingeClassifier",
    "LinearSVC": "GridSearchCV over LinearSVC",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--out", default="results", type=Path)
    parser.add_argument("--problems", nargs="+", default=["20news", "usps", "digits"], choices=["digits", *PROBLEMS])
    parser.add_argument("--loss", default="crammer_singer", choices=LOSSES)
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--longest", type=float, default=600)
    parser.add_argument("--only", nargs="+", choices=NAMES, default=list(NAMES))
    arguments = parser.parse_args()
    rows = []
    for problem in arguments.problems:
        X, X_test, y, y_test = _digits() if problem == "digits" else load_problem(arguments.data, problem)
        n_train = len(y) * (N_FOLDS - 1) / N_FOLDS
        for name, search in searches(arguments.loss, n_train, arguments.n_jobs).items():
            if name in arguments.only:
                cells = measure_in_time(arguments.longest, search, n_train, (X, y), (X_test, y_test))
                rows.append([problem, NAMES[name], *cells])
                print(*rows[-1], flush=True)
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "search.rst").write_text(list_table(HEADER, rows), encoding="utf-8")


def searches(loss, n_train, n_jobs):
    """What is compared: the same alphas, as C of `LinearSVC` where the folds have ``n_train`` rows."""
    alphas = 1 / (CS * n_train)
    options = {"cv": N_FOLDS, "n_jobs": n_jobs}
    is_joint = LOSSES[loss].nearest_in_linear_svc == "crammer_singer"
    multi_class = "crammer_singer" if is_joint else "ovr"
    return {
        "cv": MulticlassHingeClassifierCV(loss, alphas=alphas, random_state=0, **options),
        "grid": GridSearchCV(MulticlassHingeClassifier(loss, random_state=0), {"alpha": alphas}, **options),
        "LinearSVC": GridSearchCV(
            LinearSVC(loss="hinge", multi_class=multi_class, random_state=0), {"C": CS}, **options
        ),
    }


def measure_in_time(longest, *arguments):
    """The cells of a row, from processes of its own that are ended after ``longest`` seconds."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_measure_apart, args=(there, *arguments))
    process.start()
    there.close()
    here.recv()  # the processes have started
    cells = here.recv() if here.poll(longest) else [f"> {longest:.0f}", *["–"] * 4]
    os.killpg(process.pid, signal.SIGKILL)
    process.join()
    return cells


def _measure_apart(pipe, search, n_train, train, test):
    os.setsid()  # a group, with the processes that it starts
    Parallel(search.n_jobs)(delayed(import_module)("linear_hinge") for _ in range(4 * search.n_jobs))
    pipe.send("ready")
    seconds, alpha, score, gap = measure(search, n_train, *train)
    known = "–" if np.isnan(gap) else f"{gap:.1e}"
    pipe.send([f"{seconds:.1f}", f"{alpha:.2g}", f"{score:.4f}", f"{search.score(*test):.4f}", known])


def measure(search, n_train, X, y):
    """Seconds, the best alpha and its mean score, and the largest gap, nan where it is not known."""
    started = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(X, y)
    seconds = time.perf_counter() - started
    if isinstance(search, MulticlassHingeClassifierCV):
        return seconds, search.alpha_, search.best_score_, search.duality_gaps_.max()
    best = search.best_params_
    return seconds, best.get("alpha", 1 / (best.get("C", 1) * n_train)), search.best_score_, np.nan


def _digits():
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=0)
    scaler = StandardScaler().fit(X)
    return scaler.transform(X), scaler.transform(X_test), y, y_test


if __name__ == "__main__":
    main()
