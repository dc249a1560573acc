"""One pass over a stream with `partial_fit`: "auto", which has nothing to tune, "optimal" and `SGDClassifier`.

    python benchmarks/stream.py [FILE ...]

On scikit-learn's bundled datasets, and on svmlight or CSV files if they are named. Chunks of 1,024 rows, shuffled once;
standardised when dense; C = .01, 1 and 100; every loss; the last iterate and the average. Prints the training objective
that each reaches on the whole stream, the ratio of ours and the rows per second, as Markdown. `SGDClassifier` has
one-vs-rest only.
"""

import sys
import time

import numpy as np
import scipy.sparse as sp
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.linear_model import SGDClassifier
from sklearn.preprocessing import StandardScaler

from linear_hinge import MulticlassHingeClassifier
from linear_hinge.losses import LOSSES
from linear_hinge.report.comparison import Dataset, training_objective
from linear_hinge.report.table_files import read_table

CHUNK = 1024


def problems(paths):
    """Names, X and y."""
    for load in (load_iris, load_wine, load_breast_cancer, load_digits):
        yield load.__name__.removeprefix("load_"), *load(return_X_y=True)
    for path in paths:
        table = read_table(path)
        yield path, table.X, table.y


def stream(dataset, model, loss):
    """The training objective after one pass, and rows per second."""
    X, y = dataset.X_train, dataset.y_train
    classes = np.unique(y)
    started = time.perf_counter()
    for start in range(0, len(y), CHUNK):
        model.partial_fit(X[start : start + CHUNK], y[start : start + CHUNK], classes=classes)
    rows_per_second = len(y) / (time.perf_counter() - started)
    return training_objective(model, dataset, loss=loss, alpha=model.alpha), rows_per_second


def estimators(loss, alpha, average):
    """Name and estimator, not fitted."""
    for name in ("optimal", "auto"):
        options = {"alpha": alpha, "average": average, "shuffle": False}
        yield name, MulticlassHingeClassifier(loss, learning_rate=name, **options)
    if loss == "one_vs_rest":
        yield "SGDClassifier", SGDClassifier(alpha=alpha, average=average, shuffle=False)


def main(paths):
    names = ("optimal", "auto", "SGDClassifier")
    print("| data | loss | C | average |", *(f"{name} | rows/s |" for name in names), "auto / optimal |")
    print("|" + "---|" * 11)
    ratios = []
    for name, X, y in problems(paths):
        order = np.random.RandomState(0).permutation(len(y))
        X, y = (X if sp.issparse(X) else StandardScaler().fit_transform(X))[order], y[order]
        dataset = Dataset(name, X, y, X, y)
        for loss in LOSSES if len(np.unique(y)) > 2 else ["one_vs_rest"]:
            for C in (0.01, 1, 100):
                for average in (False, True):
                    alpha = 1 / (C * len(y))
                    results = {key: stream(dataset, model, loss) for key, model in estimators(loss, alpha, average)}
                    ratios.append(results["auto"][0] / results["optimal"][0])
                    cells = [f"{results[n][0]:.4g} | {results[n][1]:,.0f}" if n in results else "– | –" for n in names]
                    print(f"| {name} | {loss} | {C:g} | {average} |", " | ".join(cells), f"| {ratios[-1]:.2f} |")
    ratios = np.array(ratios)
    print(f"\ngeometric mean of auto / optimal: {np.exp(np.log(ratios).mean()):.2f}")
    print(f"auto at least as good (within 1 %): {np.count_nonzero(ratios <= 1.01)} of {len(ratios)}")


if __name__ == "__main__":
    main(sys.argv[1:])
