"""
Beside LinearSVC: objective, accuracy, seconds
==============================================

:class:`sklearn.svm.LinearSVC` minimises the same function when neither fits an intercept and
:math:`C = 1 / (\\alpha\\, n)`, n being the number of samples. So the two can be compared on what they are for, which is
a small objective soon, and on what that is worth.
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
X_train, X_test, y_train, y_test = train_test_split(
    X, y, stratify=y, random_state=0
)
scaler = StandardScaler().fit(X_train)
X_train, X_test = scaler.transform(X_train), scaler.transform(X_test)

# %%
# Here are the two losses that both have, over a range of ``alpha``, everything else as it is by default.


def pair(loss, alpha):
    """The two estimators of the same problem."""
    common = {"fit_intercept": False, "random_state": 0}
    multi_class = "ovr" if loss == "one_vs_rest" else loss
    svc = LinearSVC(
        loss="hinge",
        multi_class=multi_class,
        C=1 / (alpha * len(y_train)),
        **common,
    )
    return MulticlassHingeClassifier(loss, alpha=alpha, **common), svc


def objective(model, loss, alpha):
    """alpha/2 ‖W‖² + the mean loss of the training rows."""
    scores = X_train @ model.coef_.T
    of_true_class = np.eye(10, dtype=bool)[y_train]
    if loss == "one_vs_rest":
        losses = np.maximum(
            1 - np.where(of_true_class, scores, -scores), 0
        ).sum(axis=1)
    else:
        violations = np.maximum(
            1 + scores - scores[of_true_class][:, None], 0
        )
        losses = np.where(of_true_class, 0, violations).max(axis=1)
    return alpha / 2 * np.sum(model.coef_**2) + losses.mean()


def seconds(model):
    """The median of three fits."""
    times = []
    for _ in range(3):
        started = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", ConvergenceWarning
            )  # LinearSVC has a limit of its own
            model.fit(X_train, y_train)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


# %%
# The duality gap gives a lower bound of the objective, and the distances to it can be compared. The default ``tol``
# promises that of ``MulticlassHingeClassifier`` to stay below 1e-3. LinearSVC stops by another rule.

alphas = [0.1, 0.03, 0.01, 0.003]
results = {}
for loss in ("crammer_singer", "one_vs_rest"):
    for alpha in alphas:
        models = pair(loss, alpha)
        for model in models:
            took = seconds(model)
            above = (
                objective(model, loss, alpha) / models[0].dual_objective_
                - 1
            )
            row = (above, 100 * model.score(X_test, y_test), took)
            results.setdefault((type(model).__name__, loss), []).append(
                row
            )

figure, axes = plt.subplots(3, 1, figsize=(6, 8), sharex=True)
styles = ["o-", "s--", "^-", "v--"]
for style, key in zip(
    styles, sorted(results, key=lambda key: key[1]), strict=True
):
    for ax, values in zip(
        axes, zip(*results[key], strict=True), strict=True
    ):
        ax.plot(alphas, values, style, label=", ".join(key))
axes[0].set(
    title="Training objective above its lower bound",
    ylabel="relative distance",
)
axes[0].set(xscale="log", yscale="log")
axes[1].set(
    title="Accuracy on the test rows", ylabel="right predictions (%)"
)
axes[2].set(
    title="Time to fit, median of three",
    ylabel="time (s)",
    xlabel="alpha",
    ylim=(0, None),
)
figure.legend(
    *axes[0].get_legend_handles_labels(),
    loc="outside lower center",
    fontsize=10,
)
plt.show()

# %%
# The seconds are those of the machine that built this page. With weaker regularisation both need longer, and
# ``MulticlassHingeClassifier`` more so: the proof of a small gap takes Newton steps there. To measure on your own data,
# with several tolerances, there is the folder ``benchmarks``: see :doc:`/contributing`.
