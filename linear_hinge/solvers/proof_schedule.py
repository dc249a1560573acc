"""The times when a fit evaluates its objective, and when it proves a bound."""

import numpy as np

# The gap that a pass estimates is mostly too large. A look evaluates the objective at the coefficients where the pass
# ended, which costs half a pass, and finds the gap up to rounding and the imbalance of the intercept. A look is made
# if the estimate promises the end: multiplied by the share of the estimate that the last look found (`FIRST_SHARE`
# before the first) it would end the fit. Some passes after a look, `OLD_LOOK` times as many and `MORE_PASSES` in all,
# the share is `LEAST_SHARE`: where many passes are made, few rows matter, the estimate is up to 20 times too large,
# and a look costs little in comparison. A look is made in any case after `VERY_OLD_LOOK` times as many passes. A
# proof computes the coefficients anew and costs half a pass more. It follows a look that sees the end. It also
# follows a look that sees at most `WORTH_A_PROOF` of the last proven gap, provided proofs take at most
# `SHARE_OF_PROOFS` of the work.
FIRST_SHARE, LEAST_SHARE = 0.4, 0.05
OLD_LOOK, MORE_PASSES, VERY_OLD_LOOK = 1.1, 4, 4
COST_OF_PROOF = 0.5  # in passes
WORTH_A_PROOF = 0.5
SHARE_OF_PROOFS = 0.05

TINY = np.finfo(float).tiny


class ProofSchedule:
    """The pass of the last look, the share of the estimate that it found, and the cost of all proofs.

    Parameters
    ----------
    bracket : Bracket
        The best coefficients and the best bound so far.

    Attributes
    ----------
    n_seen : int
        Passes until the last look; 0 before the first.
    share : float
        The share of its estimate that the last look found.
    work_of_proofs : float
        The cost of all proofs, in passes.
    """

    def __init__(self, bracket):
        self.bracket = bracket
        self.n_seen, self.share, self.work_of_proofs = 0, 1.0, 0.0

    def is_look_due(self, n_passes):
        """Return whether the last look is so old that the next one does not wait for an estimate."""
        return n_passes >= VERY_OLD_LOOK * max(1, self.n_seen)

    def looked(self, n_passes, gap, estimate):
        """Remember a look after this number of passes: the gap that it found and the gap that the pass estimated."""
        self.n_seen, self.share = n_passes, gap / max(estimate, TINY)

    def share_at(self, n_passes):
        """Predict the share of the estimate of this pass that a look would find."""
        if self.n_seen == 0:
            return FIRST_SHARE
        is_old = n_passes >= OLD_LOOK * self.n_seen + MORE_PASSES
        return min(self.share, LEAST_SHARE) if is_old else self.share

    def is_within(self, factor, gap, estimated_bound):
        """Return whether a gap is at most a multiple of the gap that ends the fit.

        Parameters
        ----------
        factor : float
            The multiple.
        gap : float
            The gap.
        estimated_bound : callable
            A function that estimates the bound where the last pass ended.

        Returns
        -------
        bool
            Whether it is.
        """
        end = factor * self.bracket.tol
        if gap > end * self.bracket.objective:
            return False
        if self.n_seen > 0:
            return True
        # Before the first look the known objective is that of zero, which may be far too large.
        return gap <= end * (estimated_bound() + gap)

    def is_worth_a_proof(self, gap, proven_gap, work):
        """Return whether to prove a gap before the end of the fit, after this work in passes."""
        is_cheap = self.work_of_proofs + COST_OF_PROOF <= SHARE_OF_PROOFS * work
        return is_cheap and gap <= WORTH_A_PROOF * proven_gap
