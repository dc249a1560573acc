"""
The losses as curves
====================

Every loss of this package is made of hinges: nothing to pay beyond the margin, and a straight line below it. They
differ in which margins they look at.

Take three classes of which the first is the true one. Its score is m, and the scores of the others are 0 and -0.75, so
that one class competes closely and one does not. We follow the losses as the true class gains on the others.
"""

from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np

# Not public: what the estimator minimises, one value a row.
from linear_hinge.losses import LOSSES

m = np.linspace(-2.5, 2.5, 501)
scores = np.column_stack([m, np.full_like(m, 0), np.full_like(m, -0.75)])
true_class = np.zeros(len(m), dtype=int)

# %%
# With the margin :math:`\Delta = 1`, each other class j that comes within a margin of the true class y violates it by
# :math:`\Delta + s_j - s_y`. Crammer-Singer takes the worst of these, Weston-Watkins the sum. One-vs-rest does not
# compare scores: it wants that of the true class above :math:`\Delta`, and those of the others below :math:`-\Delta`.

figure, ax = plt.subplots()
for (name, loss), style in zip(
    LOSSES.items(), cycle(["-", "--", "-.", ":"]), strict=False
):
    ax.plot(
        m, loss.values(scores, true_class, margin=1.0), style, label=name
    )
ax.plot(m, m < 0, ":", color="C6", label="error (0 or 1)")
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
# both classes and rises twice as steeply. One-vs-rest is never zero here: scores of 0 and -0.75 are not below -1,
# however large m is.
#
# All three are upper bounds of the error, so that making them small makes errors rare.
