"""One pass over a stream with `partial_fit`: "auto", which has nothing to tune, against "optimal".

    python benchmarks/stream.py [FILE ...]

On scikit-learn's bundled datasets, and on svmlight or CSV files if they are named. Chunks of 1,024 rows, shuffled once;
standardised when dense; C = .01, 1 and 100; every loss; the last iterate and the average. Prints the training objective
that each reaches on the whole stream, their ratio and the rows per second, as Markdown.
"""

import sys
import time

import numpy as np
import scipy.sparse as sp
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.preprocessing import StandardScaler

from linear_hinge import MulticlassHingeClassifier
from linear_hinge._comparison import Dataset, training_objective
from linear_hinge._datasets import read_table
from linear_hinge._losses import LOSSES

CHUNK = 1024


def problems(paths):
    """Names, X and y."""
    for load in (load_iris, load_wine, load_breast_cancer, load_digits):
        yield load.__name__.removeprefix("load_"), *load(return_X_y=True)
    for path in paths:
        table = read_table(path)
        yield path, table.X, table.y


def stream(dataset, **params):
    """The training objective after one pass, and rows per second."""
    X, y = dataset.X_train, dataset.y_train
    model = MulticlassHingeClassifier(shuffle=False, **params)
    classes = np.unique(y)
    started = time.perf_counter()
    for start in range(0, len(y), CHUNK):
        model.partial_fit(X[start : start + CHUNK], y[start : start + CHUNK], classes=classes)
    rows_per_second = len(y) / (time.perf_counter() - started)
    return training_objective(model, dataset, loss=model.loss, alpha=model.alpha), rows_per_second


def main(paths):
    print("| data | loss | C | average | optimal | auto | auto / optimal | rows/s optimal | rows/s auto |")
    print("|---|---|---|---|---|---|---|---|---|")
    ratios = []
    for name, X, y in problems(paths):
        order = np.random.RandomState(0).permutation(len(y))
        X, y = (X if sp.issparse(X) else StandardScaler().fit_transform(X))[order], y[order]
        dataset = Dataset(name, X, y, X, y)
        for loss in list(LOSSES)[: None if len(np.unique(y)) > 2 else 1]:
            for C in (0.01, 1, 100):
                for average in (False, True):
                    params = {"loss": loss, "alpha": 1 / (C * len(y)), "average": average}
                    optimal, optimal_speed = stream(dataset, learning_rate="optimal", **params)
                    auto, auto_speed = stream(dataset, learning_rate="auto", **params)
                    ratios.append(auto / optimal)
                    print(
                        f"| {name} | {loss} | {C:g} | {average} | {optimal:.4g} | {auto:.4g} | {ratios[-1]:.2f} |"
                        f" {optimal_speed:,.0f} | {auto_speed:,.0f} |"
                    )
    ratios = np.array(ratios)
    print(f"\ngeometric mean of auto / optimal: {np.exp(np.log(ratios).mean()):.2f}")
    print(f"auto at least as good (within 1 %): {np.count_nonzero(ratios <= 1.01)} of {len(ratios)}")


if __name__ == "__main__":
    main(sys.argv[1:])
