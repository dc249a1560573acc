"""
The kink, and its fan of slopes
===============================

A hinge has no derivative where its margin is exactly met. It has subgradients instead: the slopes of all straight lines
that touch the loss at this point and stay below it everywhere. :ref:`gradient_kink` explains what to do with them.
"""

import matplotlib.pyplot as plt
import numpy as np

from linear_hinge.losses import CrammerSinger

LOSS, MARGIN = CrammerSinger(), 1.0
t = np.linspace(-1.5, 1.5, 301)


def losses(scores):
    """Crammer-Singer of samples of class 0 with these scores."""
    return LOSS.values(
        np.column_stack(np.broadcast_arrays(*scores)),
        np.zeros(len(t), dtype=int),
        MARGIN,
    )


# %%
# On the left, the true class has the score 1 and one other class the score t. At t = 0 the margin is exactly met. The
# slope is 0 before and 1 after, and at the kink every slope θ from 0 to 1 is a subgradient.
#
# On the right, two other classes have the scores t and -t. At t = 0 they tie for the worst violation. There, θ of the
# one and 1 − θ of the other is a subgradient, and along t this has the slope θ − (1 − θ), from −1 to 1.

figure, axes = plt.subplots(1, 2, figsize=(8, 3.6), sharey=True)
panels = [
    (
        axes[0],
        losses([1.0, t]),
        (0, 1),
        "A margin is exactly met",
        "score t of the other class",
    ),
    (
        axes[1],
        losses([0.0, t, -t]),
        (-1, 1),
        "Two classes tie for the worst",
        "scores t and −t of the other classes",
    ),
]
for ax, values, (lowest, highest), title, label in panels:
    kink = values[len(t) // 2]
    for theta in np.linspace(0, 1, 7):
        slope = lowest + theta * (highest - lowest)
        ax.plot(
            t,
            kink + slope * t,
            color="C1",
            linewidth=1,
            label="slopes of the fan" if theta == 0 else None,
        )
    ax.fill_between(
        t,
        kink + np.minimum(lowest * t, highest * t),
        kink + np.maximum(lowest * t, highest * t),
        color="C1",
        alpha=0.15,
        linewidth=0,
    )
    ax.plot(
        t, values, color="C0", linewidth=3, label="Crammer-Singer loss"
    )
    ax.plot(0, kink, "o", color="C0", markersize=8)
    ax.set(title=title, xlabel=label, ylim=(-1.2, 2.6))
axes[0].set_ylabel("loss")
axes[0].legend(loc="upper left")
plt.show()

# %%
# Every line of the fan stays below the loss: that is what makes its slope a subgradient. The package takes slope 0 on
# the left, and on the right all of the class that comes first.
