"""Extrapolation: a step along the change that many passes have made.

In some passes G' has become G, and W' has become W. D is a parabola along d = G − G'. It is highest at G + m d with

    m = (Δ Σ_i ω_i c(d_i) − alpha ⟨W, W(d)⟩ + ⟨b, v(d)⟩) / (alpha ‖W(d)‖² + (σ²/alpha) ‖v(d)‖²),   v(d) = Σ_i ω_i d_i

in the terms of `dual_ascent`. This point may lie outside of the polytopes. From G towards its projection D is another
parabola, and the step leads to its highest point. Like a step of the minibatches, it never lowers the dual.

References
----------
Bertrand and Massias, Anderson acceleration of coordinate descent, AISTATS 2021 (with more than one difference).
"""

import numpy as np

from linear_hinge.kernels.row_losses import projection
from linear_hinge.problem.dual_sums import coef_from_dual


class Extrapolation:
    """Steps along the change of a `DualAscent` since the last such step.

    Parameters
    ----------
    ascent : DualAscent
        The ascent, which the steps change.
    """

    def __init__(self, ascent):
        self.ascent = ascent
        self.dual, self.raw = ascent.state.dual.copy(), ascent.raw.copy()

    def step(self):
        """Move the ascent, and remember where the next change begins."""
        ascent, problem = self.ascent, self.ascent.problem
        # The arrays may be large, and memory that was never touched is slow: they are reused.
        change = np.subtract(ascent.state.dual, self.dual, out=self.dual)
        length = ascent.best_length(change, np.subtract(ascent.raw, self.raw, out=self.raw))
        if 0 < length < np.inf:
            change *= change.dtype.type(length)
            change += ascent.state.dual
            change = projection(problem.loss, change, problem.y)
            change -= ascent.state.dual
            raw = coef_from_dual(problem, change).astype(ascent.raw.dtype, copy=False)
            length = min(ascent.best_length(change, raw), 1.0)
            if length > 0:
                ascent.move(change, raw, length)
        self.dual[:], self.raw[:] = ascent.state.dual, ascent.raw
