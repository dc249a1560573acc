"""Rounds of minibatches over rows that lie in partitions: see `partition`.

A round lets every partition make a pass from the same V, v and c. Its steps take alpha/(s Ω_k) for alpha, s between 1
and 1/Ω_k, and what they change is added up and followed as far as the dual rises:

    ΔV = Σ_k ΔV_k,     Δv = Σ_k Δv_k,     η = clip(rise / curvature of D along the change, 0, 1).

With s = 1/Ω_k for all of them η = 1 is safe (averaging); with s = 1 partitions must not know of the same things
(adding). s follows what they turn out to have in common, as β does for the rows of a batch:

    r = curvature of D along Σ_k δ_k / Σ_k (curvature of D along δ_k).

Partitions may also make their passes in turn, each from where the one before has ended.

References
----------
Ma et al., Adding vs. averaging in distributed primal-dual optimization, ICML 2015 (s is their σ').
Lee and Roth, Distributed box-constrained quadratic optimization for dual linear SVM, ICML 2015 (η).
"""

import numpy as np

from linear_hinge.linalg.sums import combination
from linear_hinge.problem.certificate import scaled_bound
from linear_hinge.solvers.dual_ascent import DualAscent
from linear_hinge.solvers.partition import Change, Round
from linear_hinge.solvers.partitions import tell, total


class PartitionedAscent(DualAscent):
    """V, v and c of a `DualAscent` whose rows are in partitions."""

    def __init__(self, problem, partitions):
        self.partitions = partitions
        mean, sigma2 = np.zeros(problem.X.shape[1], problem.X.dtype), 0.0
        if problem.fit_intercept:
            mean = total(partitions.ask("mean"))
            variances = partitions.ask("variance", mean)
            sigma2 = sum(share * variance for share, variance in zip(partitions.shares, variances, strict=True))
            mean = mean.astype(problem.X.dtype)
        tell(partitions, "begin", mean, sigma2)
        nothing = np.zeros((0, problem.n_scores), problem.X.dtype)
        coef = np.zeros((problem.X.shape[1], problem.n_scores), problem.X.dtype)
        super().__init__(problem, nothing, coef, coef[0], batch_size=1, rng=None, centre=(mean, sigma2))
        self.linear, self.spread, self.is_in_turn = 0.0, float(len(partitions.shares)), False

    def run_pass(self, average_above=np.inf):
        """Make a round, and return the number of visits to a row."""
        places = range(len(self.partitions.shares))
        rounds = [self._run([place]) for place in places] if self.is_in_turn else [self._run(places)]
        self.n_rounds += 1
        self.state.centre = self.state.centred_intercept()
        self.gap = sum(change.gap for change in rounds)
        return sum(change.n_visits for change in rounds)

    def _run(self, places):
        """Make a pass of these partitions at the same time; return the `Change` that was followed."""
        spread = 1.0 if self.is_in_turn else self.spread
        imbalance = self.state.imbalance.copy()
        start = Round(self.n_rounds, np.array(self.raw), imbalance, self.state.centre, spread, self.is_in_turn)
        change = added(self.partitions.ask("run_pass", start, places=places))
        rise, curvature = self.rise_and_quadratic(change.linear, change.raw, change.imbalance)
        length = min(max(rise / curvature, 0.0), 1.0) if curvature > 0 else 1.0
        if len(places) > 1:
            resemblance = curvature / change.curvature if change.curvature > 0 else 1.0
            self.spread = min(max(1.0, resemblance), float(len(places)))
        if length < 1:
            tell(self.partitions, "follow", length, places=places)
        self.raw += change.raw.dtype.type(length) * change.raw
        self.linear += length * change.linear
        if self.problem.fit_intercept:
            self.state.imbalance += length * change.imbalance
            self.state.raw_on_mean[:] = combination(self.mean, self.raw)
        return change

    def resume(self, coef, intercept):
        """Begin with the duals that partitions have; those that have none take subgradients at these coefficients."""
        state, problem = self.state, self.problem
        left = list(self.partitions.ask("resume", self.mean, state.sigma2, coef, intercept))
        raw, imbalance, self.linear = (total(part[place] for part in left) for place in range(3))
        self.raw[:] = raw
        if problem.fit_intercept:
            state.imbalance[:] = imbalance
            state.raw_on_mean[:] = combination(self.mean, self.raw)
            state.centre = intercept + combination(self.mean, coef) + state.sigma2 / state.alpha * imbalance

    def estimated_bound(self):
        """Return a lower bound of min P that is not proven, without a question to the partitions."""
        return scaled_bound(self.linear, self.problem.alpha * self.squared_norm(), 1.0)[0]

    def mean_curvature(self):
        """Return the mean of ρ_i, which is positive."""
        mean = sum(self.partitions.ask("mean_curvature"))
        return max(mean, np.finfo(float).tiny)


def added(changes):
    """Add up some `Change`."""
    return Change(*(total(parts) for parts in zip(*changes, strict=True)))
