"""Log loss of calibrated probabilities on test rows: temperature scaling, sigmoid and isotonic regression.

    python benchmarks/probabilities.py DATA --out RESULTS [--problems NAME ...]

`CalibratedClassifierCV` with 5 folds and ensemble=False, C = 1, every loss. Writes probabilities.rst. How busy the
machine is does not matter.
"""

import argparse
import warnings
from pathlib import Path

import joblib
import numpy as np
from datasets import BINARY, PROBLEMS
from measuring import stored_problem
from sklearn.calibration import CalibratedClassifierCV
from sklearn.metrics import log_loss
from tables import list_table

from linear_hinge import MulticlassHingeClassifier
from linear_hinge.losses import LOSSES

METHODS = ("temperature", "sigmoid", "isotonic")
MEASURED = ("vowel", "sms_spam", "usps", "letter", "banking77", "20news")


def log_losses(loss, X, X_test, y, y_test):
    """The log loss on the test rows, by method."""
    known = y_test >= 0
    found = {}
    for method in METHODS:
        model = MulticlassHingeClassifier(loss, alpha=1 / len(y), random_state=0)
        calibrated = CalibratedClassifierCV(model, method=method, cv=5, ensemble=False).fit(X, y)
        found[method] = log_loss(y_test[known], calibrated.predict_proba(X_test[known]), labels=np.unique(y))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--out", default="results", type=Path)
    parser.add_argument("--problems", nargs="+", default=MEASURED, choices=PROBLEMS, metavar="NAME")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = []
    for problem in arguments.problems:
        data = joblib.load(stored_problem(arguments.data, problem, arguments.out))
        for loss in ["one_vs_rest"] if problem in BINARY else list(LOSSES):
            found = log_losses(loss, *data)
            rows.append([problem, f"``{loss}``", *(f"{found[method]:.3f}" for method in METHODS)])
            print(*rows[-1], flush=True)
    (arguments.out / "probabilities.rst").write_text(list_table(("data", "loss", *METHODS), rows), encoding="utf-8")


if __name__ == "__main__":
    main()
