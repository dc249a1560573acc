"""
Decision regions of the three losses
====================================

Five classes in a row, so that three of them lie between others. The same points and the same regularisation give
different maps, because the losses look at different margins.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from sklearn.datasets import make_blobs

from linear_hinge import MulticlassHingeClassifier

centers = [[-8, 0], [-4, 0], [0, 0], [4, 0], [8, 0]]
X, y = make_blobs(500, centers=centers, random_state=0)
models = {
    loss: MulticlassHingeClassifier(loss, alpha=1e-3, random_state=0)
    for loss in ["weston_watkins", "crammer_singer", "one_vs_rest"]
}
for model in models.values():
    model.fit(X, y)

# %%
# A class wins where its score is the highest. Weston-Watkins and Crammer-Singer compare the scores of a point with each
# other, and each class in the middle gets a strip of its own. One-vs-rest asks for one line between a class and all
# other points. For a class in the middle there is none, so its scores are low everywhere, and it loses its strip.

edges = np.linspace(-11.5, 11.5, 461), np.linspace(-3.5, 3.5, 141)
grid = np.stack(np.meshgrid(*edges), axis=-1)
shades = ["#9ECAE9", "#FBE3C6", "#BFE3D5", "#E7C6DB", "#F6E3A8"]
points = ["#0072B2", "#B34700", "#00664B", "#8F3A6B", "#7A5200"]

figure, axes = plt.subplots(3, 1, figsize=(7, 6.6), sharex=True)
for ax, (loss, model) in zip(axes, models.items(), strict=True):
    regions = model.predict(grid.reshape(-1, 2)).reshape(grid.shape[:2])
    ax.pcolormesh(
        *edges, regions, cmap=ListedColormap(shades), vmin=0, vmax=4
    )
    for label, (marker, color) in enumerate(
        zip("os^Dv", points, strict=True)
    ):
        ax.plot(*X[y == label].T, marker, color=color, markersize=4)
    ax.set(
        title=f"{loss}: {model.score(X, y):.0%} right",
        ylabel="feature 2",
        aspect="equal",
    )
axes[-1].set_xlabel("feature 1")
plt.show()
