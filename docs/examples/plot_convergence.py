"""
Objective, dual and gap
=======================

Training makes the objective smaller. With ``learning_rate="auto"`` it also makes a lower bound of the objective larger:
the dual objective. The optimum is between the two, and the fit stops when they are close.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.preprocessing import StandardScaler

from linear_hinge import ConvergenceDisplay, MulticlassHingeClassifier

X, y = load_digits(return_X_y=True)
X = StandardScaler().fit_transform(X)
models = {
    f"alpha = {alpha:g}": MulticlassHingeClassifier(
        alpha=alpha, tol=1e-4, random_state=0
    ).fit(X, y)
    for alpha in (1e-1, 1e-2)
}

# %%
# ``history_`` holds what :class:`~linear_hinge.ConvergenceDisplay` draws: after every pass the objective, the dual
# objective and the gap, as far as they are known by then. The objective is computed after 4, 16, 64, … passes and near
# the end, the bound where the gap has shrunk to a tenth and near the end, because they cost about as much as a pass; in
# between the last ones hold.

figure, (above, below) = plt.subplots(2, 1, figsize=(6, 7.5), sharex=True)
for name, model in models.items():
    ConvergenceDisplay.from_estimator(
        model, name=name, ax=above, kind="objective"
    )
    ConvergenceDisplay.from_estimator(model, name=name, ax=below)
above.set(
    title="Two fits: objectives, and their lower bounds (dashed)",
    xlabel="",
    xscale="log",
    yscale="log",
)
below.set(title="The gap of each, relative to its objective")
below.axhline(1e-4, color="C6", linestyle=":", linewidth=1.5, label="tol")
below.legend()
plt.show()

# %%
# Weaker regularisation takes more work to the same gap. The final numbers:

for name, model in models.items():
    print(
        f"{name}: objective {model.objective_:.5f},"
        f" no model below {model.dual_objective_:.5f},"
        f" gap {model.duality_gap_:.1e}"
        f" after the work of {model.history_['pass'][-1]:.0f} passes"
    )
