"""
Beside LinearSVC: objective, accuracy, seconds
==============================================

:class:`sklearn.svm.LinearSVC` minimises the same function when neither fits an intercept and
:math:`C = 1 / (\\alpha\\, n)`. So the two can be compared on what they are for, which is a small objective soon, and
on what it is worth.
"""

import statistics
import time
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from linear_hinge import MulticlassHingeClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
scaler = StandardScaler().fit(X_train)
X_train, X_test = scaler.transform(X_train), scaler.transform(X_test)

# %%
# The two losses that both have, with the default settings of both:

alpha = 1e-3
common = {"fit_intercept": False, "random_state": 0}
pairs = {
    "Crammer-Singer": (
        MulticlassHingeClassifier("crammer_singer", alpha=alpha, **common),
        LinearSVC(multi_class="crammer_singer", loss="hinge", C=1 / (alpha * len(y_train)), **common),
    ),
    "one-vs-rest": (
        MulticlassHingeClassifier("one_vs_rest", alpha=alpha, **common),
        LinearSVC(multi_class="ovr", loss="hinge", C=1 / (alpha * len(y_train)), **common),
    ),
}


def objective(model, loss):
    """alpha/2 ‖W‖² + the mean loss of the training rows."""
    scores = X_train @ model.coef_.T
    of_true_class = np.eye(10, dtype=bool)[y_train]
    if loss == "one-vs-rest":
        losses = np.maximum(1 - np.where(of_true_class, scores, -scores), 0).sum(axis=1)
    else:
        violations = np.maximum(1 + scores - scores[of_true_class][:, None], 0)
        losses = np.where(of_true_class, 0, violations).max(axis=1)
    return alpha / 2 * np.sum(model.coef_**2) + losses.mean()


def seconds(model):
    """The median of five fits."""
    times = []
    for _ in range(5):
        started = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # from LinearSVC, which has a limit of its own
            model.fit(X_train, y_train)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


# %%
# One bar a fit. The objective is measured from the lower bound that the duality gap has proven for the loss: no
# coefficients can be to the left of zero.

figure, axes = plt.subplots(3, 1, figsize=(6, 7.5), sharey=True)
for row, (loss, models) in enumerate(pairs.items()):
    for model, offset, color, hatch in zip(models, (-0.2, 0.2), ("C0", "C1"), ("", "//"), strict=True):
        took = seconds(model)
        above = objective(model, loss) / models[0].dual_objective_ - 1
        results = (above, 100 * model.score(X_test, y_test), took)
        for ax, result, text in zip(axes, results, ("{:.1e}", "{:.1f} %", "{:.3f} s"), strict=True):
            label = type(model).__name__ if row == 0 else None
            bars = ax.barh(row + offset, result, 0.36, color=color, hatch=hatch, edgecolor="white", label=label)
            ax.bar_label(bars, [text.format(result)], padding=3, fontsize=10)
axes[0].set(title="Training objective above its lower bound", xlabel="relative distance")
axes[1].set(title="Accuracy on the test rows", xlabel="%", xlim=(80, 100))
axes[2].set(title="Time to fit, median of five", xlabel="seconds")
axes[0].set(yticks=range(len(pairs)), yticklabels=pairs)
axes[0].invert_yaxis()
for ax in axes[[0, 2]]:
    ax.margins(x=0.2)
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
plt.show()

# %%
# These are small data, on whatever machine built this page. The folder ``benchmarks`` of the repository does the same on
# your data, with several tolerances: see :doc:`/contributing`.
