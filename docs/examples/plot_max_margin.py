"""
The widest street, and what a slack is
======================================

A linear support vector machine of two classes looks for the widest street between them. Its middle is the boundary
:math:`w \\cdot x + b = 0`, its edges are :math:`w \\cdot x + b = \\pm 1`, and its width is :math:`2 / \\|w\\|`. The
*hard* margin allows no sample in the street. The *soft* margin allows it for a price, the slack.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_blobs

from linear_hinge import MulticlassHingeClassifier

LEFT, RIGHT = np.array([-1.5, 0]), np.array([1.5, 0.5])


def draw_street(ax, model, X, y):
    """Boundary, edges, samples, and rings around the support vectors."""
    edge = np.linspace(-4.2, 4.2, 100)
    grid = np.stack(np.meshgrid(edge, edge), axis=-1)
    scores = model.decision_function(grid.reshape(-1, 2)).reshape(
        grid.shape[:2]
    )
    ax.contour(
        edge,
        edge,
        scores,
        levels=[-1, 0, 1],
        colors="gray",
        linestyles=["--", "-", "--"],
        linewidths=1.5,
    )
    ax.contourf(
        edge, edge, scores, levels=[-1, 1], colors="gray", alpha=0.15
    )
    for label, marker in enumerate("os"):
        ax.plot(
            *X[y == label].T,
            marker,
            color=f"C{label}",
            markersize=5,
            zorder=3,
            label=f"class {label}",
        )
    ax.plot(
        *X[model.support_].T,
        "o",
        color="C2",
        markersize=11,
        fillstyle="none",
        label="support vector",
    )
    ax.set(
        xlim=(-4.2, 4.2),
        ylim=(-4.2, 4.2),
        aspect="equal",
        xticks=[],
        yticks=[],
    )


# %%
# What a slack is
# ---------------
# The classes overlap, so that no street is free of samples. Each sample should stand on its own side, beyond the edge
# of the street. What it lacks is its slack, :math:`\xi_i = \max(0,\ 1 - z_i (w \cdot x_i + b))` with
# :math:`z_i = \pm 1`, drawn as a line to the edge. (The line has the length :math:`\xi_i / \|w\|`.)

X, y = make_blobs(
    40, centers=[LEFT, RIGHT], cluster_std=1.3, random_state=3
)
model = MulticlassHingeClassifier(
    alpha=0.05, tol=1e-6, random_state=0
).fit(X, y)
w, b = model.coef_[0], model.intercept_[0]
z = np.where(y == 1, 1, -1)
slack = np.maximum(0, 1 - z * (X @ w + b))

figure, ax = plt.subplots(figsize=(6, 5))
draw_street(ax, model, X, y)
to_the_edge = X + (slack * z)[:, None] * w / (w @ w)
for start, end in zip(
    X[slack > 1e-6], to_the_edge[slack > 1e-6], strict=True
):
    ax.plot(*np.transpose([start, end]), color="C3", linewidth=2, zorder=2)
worst = slack.argmax()
ax.annotate(
    f"ξ = {slack[worst]:.1f}",
    X[worst],
    (8, 8),
    textcoords="offset points",
    fontsize=12,
    color="C3",
)
ax.set_title("What samples lack to their side of the street")
figure.legend(
    *ax.get_legend_handles_labels(), loc="outside lower center", ncols=3
)
plt.show()

# %%
# Hard against soft
# -----------------
# These classes can be separated. The smaller ``alpha``, the dearer is slack and the narrower the street, until no
# sample stands in it: then it is the street of the hard margin, and a still smaller ``alpha`` changes nothing.

X, y = make_blobs(
    40, centers=[LEFT, RIGHT], cluster_std=0.7, random_state=2
)
alphas = [1, 0.1, 1e-3, 1e-5]
models = [
    MulticlassHingeClassifier(alpha=alpha, tol=1e-6, random_state=0).fit(
        X, y
    )
    for alpha in alphas
]

figure, axes = plt.subplots(2, 2, figsize=(6, 7))
for ax, alpha, model in zip(axes.flat, alphas, models, strict=True):
    draw_street(ax, model, X, y)
    width = 2 / np.linalg.norm(model.coef_)
    ax.set_title(f"alpha = {alpha:g}\n2/‖w‖ = {width:.2f}", fontsize=11)
figure.legend(
    *axes[0, 0].get_legend_handles_labels(),
    loc="outside lower center",
    ncols=3,
)
plt.show()

# %%
# Why only support vectors matter
# -------------------------------
# A sample beyond its edge has no slack, and moving it a little changes nothing: its subgradient is 0. The optimum is
# :math:`w = -\frac{1}{\alpha} \sum_i \omega_i g_i x_i` with :math:`g_i` the subgradient of sample i, so that samples
# with :math:`g_i = 0` do not occur in it. Without them, at the same C, the fit gives the same street:

hard = models[-1]
support = hard.support_
C = 1 / (hard.alpha * len(y))
alone = MulticlassHingeClassifier(
    alpha=1 / (C * len(support)), tol=1e-6, random_state=0
).fit(X[support], y[support])
print(f"{len(support)} support vectors of {len(y)} samples")
for name, fitted in [("all samples", hard), ("these alone", alone)]:
    print(f"2/‖w‖ of {name}: {2 / np.linalg.norm(fitted.coef_):.4f}")
