"""`CertifiedFit` where the rows lie in partitions that answer questions: see `partition`.

Rounds of minibatches (`partitioned_ascent`) begin. Where they take long and coefficients are many, partitions make
their passes in turn. Otherwise, and where that takes very long, the Newton steps of `proximal_newton` follow. What they
compute of the rows are sums over partitions; the rows that a Newton system sees are gathered where they are few.
"""

import numpy as np

from linear_hinge.solvers.certified_fit import CertifiedFit
from linear_hinge.solvers.minibatches import Minibatches
from linear_hinge.solvers.partition import LostError
from linear_hinge.solvers.partitioned_ascent import PartitionedAscent
from linear_hinge.solvers.partitioned_bracket import PartitionedBracket
from linear_hinge.solvers.partitioned_newton import PartitionedNewton
from linear_hinge.solvers.takeover import MOST_PASSES_LEFT, first_passes, takes_longer

# Newton takes over where the rounds, at their present rate, need more than `MOST_ROUNDS_LEFT` to the end: the rate is
# known after `FIRST_ROUNDS`. Its steps ask six questions or so, a round of minibatches and its proof four.
FIRST_ROUNDS = 6
MOST_ROUNDS_LEFT = 20

# With at least `FEW_COEFFICIENTS` of them Newton systems take long, and so does sending them to and fro. Partitions
# then make their passes in turn, each from where the one before has ended: nothing is lost to what they have in common,
# but they wait for each other. Newton takes over from them as it does in a fit of all rows, if ever.
FEW_COEFFICIENTS = 2**12

TINY = np.finfo(float).tiny


class Rounds(Minibatches):
    """Passes of a `PartitionedAscent`, whose subgradients lie elsewhere and are not extrapolated."""

    def _extrapolate(self):
        return 0.0

    def are_slow(self, objective, tol):
        """Return False, because estimates of rows that others have moved on from say little."""
        return False

    def begin_slowly(self):
        """Return False, because no mean of iterates is known."""
        return False


class PartitionedFit(CertifiedFit):
    """Rounds over partitions until the duality gap is closed.

    Parameters
    ----------
    problem : Problem
        Its constants; it has no rows.
    partitions : ThreadedPartitions or what answers like it
    n_rows : int
        Rows that have a weight, in all partitions.
    tol : float
    """

    def __init__(self, problem, partitions, *, n_rows, tol):
        self.partitions = partitions
        ascent = PartitionedAscent(problem, partitions)
        self._begin(problem, Rounds(ascent, n_rows), PartitionedBracket(problem, tol, partitions))
        self.gaps = []

    def run_pass(self, is_last):
        """Make a round or a Newton step; once more if a partition had to be made anew."""
        n_passes = self.n_passes
        while True:
            try:
                return super().run_pass(is_last)
            except LostError:
                self._resume()
                self.n_passes = n_passes

    def certify(self, work=0.0):
        try:
            return super().certify(work)
        except LostError:
            self._resume()
            self.unproven = None
            return self.certify(work)

    def _resume(self):
        """Go on with minibatches from the subgradients that are left."""
        coefficients = self.ascent.coefficients() if self.newton is None else self.newton.coefficients()
        self.newton, self.unseen, self.gaps = None, None, []
        while True:
            try:
                return self.ascent.resume(*coefficients)
            except LostError:
                continue

    def attributes(self):
        """Return what the fitted estimator shows besides the coefficients."""
        attributes = super().attributes()
        return {name: attributes[name] for name in ("dual_objective_", "duality_gap_")}

    def _gets_nowhere(self):
        """False: what advice says about the rows would be another pass over the data."""
        return False

    def steps_to_save(self):
        """None: the duals stay where the rows are."""

    def _looks(self, estimate):
        """Before Newton after every round: gaps of rows that others have moved on from say little."""
        return self.newton is None or super()._looks(estimate)

    def _look(self, stopped=False):
        gap, work = super()._look(stopped or self.newton is None)
        if self.newton is None and not stopped:
            gap = self.bracket.gap
            self.gaps.append(gap)
            if self._is_slow_at(self.gaps):
                self._change_over()
        return gap, work

    def _change_over(self):
        """To what takes longer for a round and needs fewer."""
        if self.ascent.is_in_turn or self.ascent.raw.size < FEW_COEFFICIENTS:
            self._begin_newton()
        else:
            self.ascent.is_in_turn, self.gaps = True, []

    def _is_slow_at(self, gaps):
        """Return whether the rounds need too many more at the rate of the last half of them."""
        first, most_left = FIRST_ROUNDS, MOST_ROUNDS_LEFT
        if self.ascent.is_in_turn:
            first, most_left = first_passes(self.ascent.raw.size), MOST_PASSES_LEFT
        if len(gaps) < first:
            return False
        half, gap = len(gaps) // 2, max(gaps[-1], TINY)
        return takes_longer(gaps[half - 1], gap, len(gaps) - half, self.tol * self.bracket.objective, most_left)

    def _begin_newton(self):
        self.newton = PartitionedNewton(self.problem, self.partitions, self.ascent)
