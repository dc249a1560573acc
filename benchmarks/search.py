"""GridSearchCV over 10 alphas and 5 folds on 20 Newsgroups: this package beside `LinearSVC`, both with default tol.

    python benchmarks/search.py DATA --out RESULTS [--n-jobs 2] [--problem 20news]

Writes search.rst: seconds, the best alpha, its accuracy in cross-validation and on the test rows.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
from datasets import PROBLEMS, load_problem
from sklearn.model_selection import GridSearchCV
from sklearn.svm import LinearSVC
from tables import list_table

from linear_hinge import MulticlassHingeClassifier

CS = np.logspace(-2, 1, 10)
N_FOLDS = 5


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--out", default="results", type=Path)
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--problem", default="20news", choices=PROBLEMS)
    arguments = parser.parse_args()
    X, X_test, y, y_test = load_problem(arguments.data, arguments.problem)
    alphas = 1 / (CS * len(y) * (N_FOLDS - 1) / N_FOLDS)
    searches = {
        "linear_hinge, crammer_singer": (
            MulticlassHingeClassifier("crammer_singer", random_state=0),
            {"alpha": alphas},
        ),
        "linear_hinge, one_vs_rest": (MulticlassHingeClassifier("one_vs_rest", random_state=0), {"alpha": alphas}),
        "LinearSVC, hinge": (LinearSVC(loss="hinge", random_state=0), {"C": CS}),
        "LinearSVC, squared hinge": (LinearSVC(random_state=0), {"C": CS}),
    }
    rows = []
    for name, (estimator, grid) in searches.items():
        search = GridSearchCV(estimator, grid, cv=N_FOLDS, n_jobs=arguments.n_jobs)
        started = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            search.fit(X, y)
        seconds = time.perf_counter() - started
        ((parameter, best),) = search.best_params_.items()
        score = search.score(X_test, y_test)
        rows.append([name, f"{seconds:.1f}", f"{parameter} = {best:.2g}", f"{search.best_score_:.4f}", f"{score:.4f}"])
        print(*rows[-1], flush=True)
    header = ("estimator", "seconds", "best", "accuracy in cross-validation", "on the test rows")
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "search.rst").write_text(list_table(header, rows), encoding="utf-8")


if __name__ == "__main__":
    main()
