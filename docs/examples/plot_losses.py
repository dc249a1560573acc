"""
The losses as curves
====================

Every loss of this package is made of hinges: nothing to pay beyond the margin, and a straight line below it. They differ
in which margins they look at.

Take three classes of which the first is the true one. Its score is :math:`s_1 = m`, and the scores of the others are 0 and
-0.75, so that one class competes closely and one does not. We follow the losses as the true class gains on the others.
"""

import matplotlib.pyplot as plt
import numpy as np

score = np.linspace(-2.5, 2.5, 501)  # of the true class
others = np.array([0.0, -0.75])
margin = 1.0

# %%
# With the margin :math:`\Delta = 1`, each other class j that comes within a margin of the true one violates it by
# :math:`\Delta + s_j - s_y`. Crammer-Singer takes the worst of these, Weston-Watkins the sum. One-vs-rest does not
# compare scores: it wants that of the true class above :math:`\Delta` and those of the others below
# :math:`-\Delta`.

violations = np.maximum(margin + others - score[:, None], 0)
losses = {
    "Crammer-Singer": (violations.max(axis=1), "-"),
    "Weston-Watkins": (violations.sum(axis=1), "--"),
    "one-vs-rest": (np.maximum(margin - score, 0) + np.maximum(margin + others, 0).sum(), "-."),
}

figure, ax = plt.subplots()
for name, (values, style) in losses.items():
    ax.plot(score, values, style, label=name)
ax.plot(score, score < others.max(), ":", color="black", label="error (0 or 1)")
ax.set(
    title="What the losses ask of three scores (m, 0, −0.75)",
    xlabel="score m of the true class",
    ylabel="loss",
    ylim=(-0.1, 6.2),
)
ax.legend()
plt.show()

# %%
# Read it from right to left. Beyond m = 1 both margins hold, and Crammer-Singer and Weston-Watkins are zero. Between
# 0.25 and 1 only the closer competitor is inside its margin, and the two agree. Below 0.25 Weston-Watkins pays for
# both classes and falls twice as steeply. One-vs-rest is never zero here: scores of 0 and -0.75 are not below -1,
# however large m is.
#
# All three are upper bounds of the error, which is why making them small makes errors rare.
#
# The package has the same functions, for many rows at once:

from linear_hinge._losses import LOSSES

scores = np.column_stack([score, np.tile(others, (len(score), 1))])
true_class = np.zeros(len(score), dtype=int)
for name, (values, _) in zip(LOSSES, losses.values(), strict=True):
    assert np.allclose(LOSSES[name].values(scores, true_class, margin), values)
