"""
Decision regions of the three losses
====================================

Three classes, the second of which lies between the others. The same points and the same regularisation give three
different maps, because the losses look at different margins.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from sklearn.datasets import make_blobs

from linear_hinge import MulticlassHingeClassifier

X, y = make_blobs(180, centers=[[-3, 0], [0, 1], [3, 0]], cluster_std=0.9, random_state=0)
models = {
    name: MulticlassHingeClassifier(loss, alpha=1e-2, random_state=0).fit(X, y)
    for name, loss in [
        ("Crammer-Singer", "crammer_singer"),
        ("Weston-Watkins", "weston_watkins"),
        ("one-vs-rest", "one_vs_rest"),
    ]
}

# %%
# A class wins where its score is the highest. Crammer-Singer and Weston-Watkins compare the scores of a point with each
# other, and the class in the middle gets a strip of its own. One-vs-rest asks for one line between the middle class and
# all other points. There is none, so the middle class scores low, and loses its strip where the other two meet.

edge = np.linspace(-6.5, 6.5, 301), np.linspace(-4, 5, 301)
grid = np.stack(np.meshgrid(*edge), axis=-1)
shades = ListedColormap(["#9ECAE9", "#FFFFFF", "#FBE3C6"])
points = [("o", "#0072B2"), ("s", "#000000"), ("^", "#B34700")]

figure, axes = plt.subplots(2, 2, figsize=(6, 6), sharey=True)
for ax, (name, model) in zip(axes.flat, models.items(), strict=False):
    regions = model.predict(grid.reshape(-1, 2)).reshape(grid.shape[:2])
    ax.pcolormesh(*edge, regions, cmap=shades, vmin=0, vmax=2, rasterized=True)
    ax.contour(*edge, regions, levels=[0.5, 1.5], colors="black", linewidths=1)
    for label, (marker, color) in enumerate(points):
        ax.plot(*X[y == label].T, marker, color=color, markersize=4, alpha=0.7, label=f"class {label}")
    ax.set(title=f"{name}: {model.score(X, y):.0%} right", xlabel="feature 1", ylabel="feature 2")
handles, labels = axes[0, 0].get_legend_handles_labels()
axes[1, 1].axis("off")
axes[1, 1].legend(handles, labels, loc="center", title="The same points")
figure.suptitle("Decision regions")
plt.show()
