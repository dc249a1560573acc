"""
Learning-rate schedules against "auto"
======================================

A subgradient step needs a length. The schedules of :class:`sklearn.linear_model.SGDClassifier` are here too, and this
page shows what choosing one costs. "auto", the default, has no length to choose.
"""

import warnings

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

from linear_hinge import MulticlassHingeClassifier

X, y = load_digits(return_X_y=True)
X = StandardScaler().fit_transform(X)

# %%
# Everybody gets 100 passes. Those with a schedule are told never to stop earlier, and say that they have not converged:
# without a bound they cannot know.

settings = {
    '"auto"': ({"learning_rate": "auto", "tol": 1e-4}, "-"),
    '"optimal"': ({"learning_rate": "optimal"}, "--"),
    '"optimal", averaged': ({"learning_rate": "optimal", "average": True}, "-."),
    '"invscaling", eta0 = 0.1': ({"learning_rate": "invscaling", "eta0": 0.1}, ":"),
    '"constant", eta0 = 0.1': ({"learning_rate": "constant", "eta0": 0.1}, (0, (5, 1, 1, 1, 1, 1))),
    '"constant", eta0 = 0.001': ({"learning_rate": "constant", "eta0": 0.001}, (0, (1, 3))),
}
models = {}
for name, (parameters, _) in settings.items():
    model = MulticlassHingeClassifier(**({"alpha": 1e-2, "max_iter": 100, "tol": 0, "random_state": 0} | parameters))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        models[name] = model.fit(X, y)

# %%
# How far above the optimum is everybody? The lower bound that "auto" has proven stands in for it. The distance of
# "auto" to its own bound is therefore the gap that it reports.

bound = models['"auto"'].dual_objective_
figure, ax = plt.subplots(figsize=(6, 5))
for (name, model), (_, style) in zip(models.items(), settings.values(), strict=True):
    history = model.history_
    ax.plot(history["pass"], history["objective"] / bound - 1, linestyle=style, label=name)
ax.set(
    title="Distance to the optimum, by learning rate",
    xlabel="passes over the data",
    ylabel="objective above the optimum, relative",
    xscale="log",
    yscale="log",
)
ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=2, fontsize=9)
plt.show()

# %%
# A constant length that is too long never settles, one that is too short never arrives, and which is which depends on
# the data, on ``alpha`` and on the number of passes.
