"""
Learning-rate schedules against "auto"
======================================

A subgradient step needs a length. The schedules of :class:`sklearn.linear_model.SGDClassifier` are here too, and this
page shows what choosing one costs. "auto", the default, has no length to choose.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

from linear_hinge import MulticlassHingeClassifier

X, y = load_digits(return_X_y=True)
X = StandardScaler().fit_transform(X)

# %%
# The schedules get 150 passes, about the work that "auto" takes to its proof. They are told never to stop earlier, and
# warn that they have not converged.

settings = {
    '"auto"': (
        {"learning_rate": "auto", "tol": 1e-4, "max_iter": 1000},
        "-",
    ),
    '"optimal"': ({"learning_rate": "optimal"}, "--"),
    '"optimal", averaged': (
        {"learning_rate": "optimal", "average": True},
        "-.",
    ),
    '"invscaling", eta0 = 0.1': (
        {"learning_rate": "invscaling", "eta0": 0.1},
        ":",
    ),
    '"adaptive", eta0 = 0.1': (
        {"learning_rate": "adaptive", "eta0": 0.1},
        (0, (6, 2)),
    ),
    '"constant", eta0 = 0.1': (
        {"learning_rate": "constant", "eta0": 0.1},
        (0, (5, 1, 1, 1, 1, 1)),
    ),
    '"constant", eta0 = 0.001': (
        {"learning_rate": "constant", "eta0": 0.001},
        (0, (1, 3)),
    ),
}
common = {"alpha": 0.03, "max_iter": 150, "tol": 0, "random_state": 0}
models = {}
for name, (parameters, _) in settings.items():
    model = MulticlassHingeClassifier(**(common | parameters))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        models[name] = model.fit(X, y)

# %%
# How far above the optimum is everybody? The lower bound that "auto" has proven stands in for it. The distance of
# "auto" to its own bound is therefore the gap that it reports. Its curve has steps, because it looks at its objective
# only now and then. Of the others, a handful of passes is drawn: their objectives jump up and down.

bound = models['"auto"'].dual_objective_
figure, ax = plt.subplots(figsize=(6, 5))
for (name, model), (_, style) in zip(
    models.items(), settings.values(), strict=True
):
    history, shown = model.history_, slice(None)
    if name != '"auto"':
        shown = np.unique(np.geomspace(1, 150, 16).astype(int)) - 1
    above = history["objective"][shown] / bound - 1
    ax.plot(history["pass"][shown], above, linestyle=style, label=name)
ax.set(
    title="Distance to the optimum, by learning rate",
    xlabel="passes over the data",
    ylabel="objective above the optimum, relative",
    xscale="log",
    yscale="log",
)
ax.legend(
    loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=2, fontsize=9
)
plt.show()

# %%
# A constant length that is too long never settles, one that is too short never arrives, and which is which depends on
# the data, on ``alpha`` and on the number of passes.
