"""When a fit looks at its objective, and when it proves what it sees."""

import numpy as np

# The gap that a pass estimates is mostly too large. A look at the objective where the pass ended costs half a pass;
# with the coefficients that the minibatches keep up to date it finds the gap to rounding, but for the imbalance of the
# intercept. A look is made where the estimate promises the end, by the share of it that the last look found, or by
# `USUAL_SHARE` if that look is `OLD_LOOK` times as old; and in any case once it is `VERY_OLD_LOOK` times as old. A
# proof computes the coefficients anew and costs as much again. It follows a look that sees the end, and on the way one
# that sees less than `WORTH_A_PROOF` of the gap proven last, if proofs took at most `SHARE_OF_PROOFS` of the work. Many
# passes are made where few rows matter: the estimate is then up to 20 times too large, and a look costs little beside
# them.
USUAL_SHARE, EARLY_SHARE = 0.7, 0.4
OLD_LOOK, VERY_OLD_LOOK = 1.2, 4
LEAST_SHARE, OLD_LOOK_OF_MANY, MANY_PASSES = 0.05, 1.1, 4
COST_OF_PROOF = 0.5  # in passes
WORTH_A_PROOF = 0.5
SHARE_OF_PROOFS = 0.05

TINY = np.finfo(float).tiny


class ProofSchedule:
    """Remembers when the last look was, what it found of the estimate, and what proofs have cost.

    Attributes
    ----------
    n_seen : int
        Passes until the last look; 0 before the first.
    work_of_proofs : float
        In passes.
    """

    def __init__(self):
        self.n_seen, self.share, self.work_of_proofs = 0, 1.0, 0.0

    def is_look_due(self, n_passes):
        """Whether the last look is so old that the next one does not wait for an estimate."""
        return n_passes >= VERY_OLD_LOOK * max(1, self.n_seen)

    def looked(self, n_passes, gap, estimate):
        """Remember a look that found this gap where the pass had estimated another."""
        self.n_seen, self.share = n_passes, gap / max(estimate, TINY)

    def share_at(self, n_passes):
        """The part of the estimate of this pass that a look would find."""
        if self.n_seen == 0:
            return EARLY_SHARE
        share = self.share
        if n_passes >= OLD_LOOK * self.n_seen:
            share = min(share, USUAL_SHARE)
        if n_passes >= OLD_LOOK_OF_MANY * self.n_seen + MANY_PASSES:
            share = min(share, LEAST_SHARE)
        return share

    def is_worth_a_proof(self, gap, proven_gap, work):
        """Whether to prove a gap on the way, after so much work of the fit."""
        is_cheap = self.work_of_proofs + COST_OF_PROOF <= SHARE_OF_PROOFS * work
        return is_cheap and gap <= WORTH_A_PROOF * proven_gap
