"""Passes of minibatches, the extrapolation of what they change, and the time when they become slow."""

import numpy as np

from linear_hinge.solvers.extrapolation import Extrapolation
from linear_hinge.solvers.takeover import Estimate, begins_slowly, is_slow

# Every `PASSES_TOGETHER` passes the change of G and W is extrapolated. After fewer passes it depends too much on the
# order of the rows. It needs two more arrays like G and W, which may have at most `LARGEST_EXTRAPOLATED` numbers each.
PASSES_TOGETHER = 8
COST_OF_EXTRAPOLATION = 0.5  # in passes
LARGEST_EXTRAPOLATED = 2**23


class Minibatches:
    """Passes of a `DualAscent`.

    Parameters
    ----------
    ascent : DualAscent
        The ascent that makes the passes.
    n_rows : int
        The number of rows that have a weight.
    estimates : list of Estimate, optional
        Those of an earlier fit of the same problem, whose passes go on.

    Attributes
    ----------
    n_passes : int
        The number of passes.
    is_averaged : bool
        Whether the mean of the iterates is worth an evaluation after the last pass.
    """

    def __init__(self, ascent, n_rows, estimates=()):
        self.ascent, self.n_rows, self.estimates = ascent, n_rows, list(estimates)
        self.is_one_batch = n_rows <= ascent.state.batch_size
        self.extrapolation = self._bound = None
        self.n_passes, self.is_averaged = 0, False

    def run_pass(self, worth, average_above):
        """Make a pass.

        Parameters
        ----------
        worth : float
            The mean loss of the first half of the pass above which the mean of the iterates is worth its evaluation.
        average_above : float
            The one above which it is computed.

        Returns
        -------
        float
            The work, in passes over the data.
        """
        ascent = self.ascent
        self.n_passes += 1
        extrapolating = self._extrapolate() if self.n_passes % PASSES_TOGETHER == 0 else 0.0
        visited = ascent.run_pass(average_above) / self.n_rows
        self.is_averaged = ascent.average is not None and ascent.gap_of_half > worth
        before = self.estimates[-1].passes if self.estimates else 0.0
        # Where one minibatch holds all rows, repeated rows must not count: a pass is a step.
        self.estimates.append(Estimate(before + (1.0 if self.is_one_batch else visited), ascent.gap))
        self._bound = None
        return extrapolating + visited

    def _extrapolate(self):
        """Make a step of `Extrapolation`, or begin it; return the work, in passes."""
        if max(self.ascent.raw.size, self.ascent.state.dual.size) > LARGEST_EXTRAPOLATED:
            return 0.0
        if self.extrapolation is None:
            self.extrapolation = Extrapolation(self.ascent)
            return 0.0
        self.extrapolation.step()
        return COST_OF_EXTRAPOLATION

    def estimated_bound(self):
        """Return `DualAscent.estimated_bound` at the end of the last pass."""
        if self._bound is None:
            self._bound = self.ascent.estimated_bound()
        return self._bound

    def are_slow(self, objective, tol):
        """Return whether Newton steps should take over, given the least known objective and the gap that ends the fit.

        Parameters
        ----------
        objective : float
            The least known objective.
        tol : float
            The relative gap that ends the fit.

        Returns
        -------
        bool
            Whether they should.
        """
        return is_slow(
            self.estimates,
            tol * objective,
            n_coefficients=self.ascent.raw.size,
            is_one_batch=self.is_one_batch,
            rounding=np.finfo(self.ascent.raw.dtype).eps * objective,
        )

    def begin_slowly(self):
        """Return whether the first passes have proven next to nothing."""
        return begins_slowly(
            self.estimates,
            self.estimated_bound,
            n_coefficients=self.ascent.raw.size,
            is_one_batch=self.is_one_batch,
        )
