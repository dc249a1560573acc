"""`CertifiedFit` where the rows lie in partitions that answer questions: see `partition`.

A round of minibatches lets every partition make a pass from the same V, v and c. Its steps take alpha/(s Ω_k) for
alpha, s between 1 and 1/Ω_k, and what they change is added up and followed as far as the dual rises:

    ΔV = Σ_k ΔV_k,     Δv = Σ_k Δv_k,     η = clip(rise / curvature of D along the change, 0, 1).

With s = 1/Ω_k for all of them η = 1 is safe (averaging); with s = 1 partitions must not know of the same things
(adding). s follows what they turn out to have in common, as β does for the rows of a batch:

    r = curvature of D along Σ_k δ_k / Σ_k (curvature of D along δ_k).

Where that takes long and coefficients are many, partitions make their passes in turn. Otherwise, and where that takes
very long, the Newton steps of `proximal_newton` follow. What they compute of the rows are sums over partitions; the
rows that a Newton system sees are gathered where they are few.

References
----------
Ma et al., Adding vs. averaging in distributed primal-dual optimization, ICML 2015 (s is their σ').
Lee and Roth, Distributed box-constrained quadratic optimization for dual linear SVM, ICML 2015 (η).
"""

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from linear_hinge.kernels.newton_system import NumpySystem
from linear_hinge.linalg.sums import combination
from linear_hinge.problem.certificate import bound_of, scaled_bound
from linear_hinge.problem.dual_sums import added_up
from linear_hinge.solvers.bracket import Bracket
from linear_hinge.solvers.certified_fit import CertifiedFit
from linear_hinge.solvers.dual_ascent import DualAscent
from linear_hinge.solvers.incumbent import Incumbent
from linear_hinge.solvers.newton_system import Hessian, intercept_damping
from linear_hinge.solvers.partition import Change, LostError, Round
from linear_hinge.solvers.partitions import tell, total
from linear_hinge.solvers.proximal_newton import Point, ProximalNewton
from linear_hinge.solvers.takeover import MOST_PASSES_LEFT, first_passes, takes_longer

# Newton takes over where the rounds, at their present rate, need more than `MOST_ROUNDS_LEFT` to the end: the rate is
# known after `FIRST_ROUNDS`. Its steps ask six questions or so, a round of minibatches and its proof four.
FIRST_ROUNDS = 6
MOST_ROUNDS_LEFT = 20

# With at least `FEW_COEFFICIENTS` of them Newton systems take long, and so does sending them to and fro. Partitions
# then make their passes in turn, each from where the one before has ended: nothing is lost to what they have in common,
# but they wait for each other. Newton takes over from them as it does in a fit of all rows, if ever.
FEW_COEFFICIENTS = 2**12

# The rows with a free entry are gathered for a Newton system if they have at most this number of bytes. Otherwise every
# product with it is a sum over partitions.
MOST_GATHERED = 2**28

TINY = np.finfo(float).tiny


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
        self._begin(problem, ascent, PartitionedBracket(problem, tol, partitions), n_rows)
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

    def early_advice(self):
        """None: it would be another pass over the data."""

    def steps_to_save(self):
        """None: the duals stay where the rows are."""

    def _estimated_bound(self):
        squared_norm = self.problem.alpha * self.ascent.squared_norm()
        return scaled_bound(self.ascent.linear, squared_norm, 1.0)[0]

    def _extrapolate(self):
        return 0.0

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

    def _is_slow(self):
        return False  # the pass alone does not know

    def _is_slow_at(self, gaps):
        """Return whether the rounds need too many more at the rate of the last half of them."""
        first, most_left = FIRST_ROUNDS, MOST_ROUNDS_LEFT
        if self.ascent.is_in_turn:
            first, most_left = first_passes(self.ascent.raw.size), MOST_PASSES_LEFT
        if len(gaps) < first:
            return False
        half, gap = len(gaps) // 2, max(gaps[-1], TINY)
        return takes_longer(gaps[half - 1], gap, len(gaps) - half, self.tol * self.bracket.objective, most_left)

    def _begin_newton(self, saved=None):
        self.newton = PartitionedNewton(self.problem, self.partitions, self.ascent)


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
        """One round; how many visits it were."""
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

    def mean_curvature(self):
        """Return the mean of ρ_i, which is positive."""
        mean = sum(self.partitions.ask("mean_curvature"))
        return max(mean, np.finfo(float).tiny)


def added(changes):
    """Add up some `Change`."""
    return Change(*(total(parts) for parts in zip(*changes, strict=True)))


class PartitionedBracket(Bracket):
    """Both sides of the gap, from sums over partitions."""

    def __init__(self, problem, tol, partitions):
        super().__init__(problem, tol)
        self.partitions, self.incumbent = partitions, PartitionedIncumbent(problem, partitions)

    def prove(self, dual):
        """Prove a bound with the subgradients that the partitions have."""
        factors = None
        flows = total(self.partitions.ask("flows"))
        if self.problem.fit_intercept:
            factors = self.problem.loss.balancing_factors(flows)
        sums = added_up(self.partitions.ask("proof", factors))
        bound, _ = bound_of(self.problem, sums, self.objective, len(self.partitions.shares))
        self.dual_objective = max(self.dual_objective, bound)


class PartitionedIncumbent(Incumbent):
    """The best coefficients, by objectives that are summed up over partitions."""

    def __init__(self, problem, partitions):
        super().__init__(problem)
        self.partitions = partitions

    def _scaled_objective(self, coef, intercept, scales):
        objectives = total(self.partitions.ask("objectives", coef, intercept, scales))
        best = objectives.argmin()
        return float(objectives[best]), float(scales[best])

    def _objective(self, coef, intercept):
        return float(total(self.partitions.ask("objective", coef, intercept)))

    def _rounding_matters(self):
        return True


class PartitionedNewton(ProximalNewton):
    """`ProximalNewton` whose scores are in partitions: here a scalar stands for them, how far along a direction."""

    def __init__(self, problem, partitions, ascent):
        self.partitions = partitions
        tell(partitions, "begin_newton")
        self._centre = ascent.mean.astype(np.float64)
        nothing = np.zeros((0, problem.n_scores))
        super().__init__(problem, nothing, *ascent.coefficients(), ascent.mean_curvature())

    def _mean(self):
        return self._centre

    def _scores(self, stacked):
        self.work += 0.5
        offset = stacked[-1] - combination(self.mean, stacked[:-1])
        tell(self.partitions, "along", np.vstack([stacked[:-1], offset]))
        return 1.0

    def _point(self, stacked, scores):
        height, gap, moved, slope = total(self.partitions.ask("envelope", scores, self.curvature))
        coef = stacked[:-1]
        phi = 0.5 * self.problem.alpha * float(np.vdot(coef, coef)) + height
        return Point(stacked, scores, slope, phi, gap, moved)

    def _dual_sums(self):
        pull = total(self.partitions.ask("pull", self.point.scores, self.curvature))
        self.point = self.point._replace(scores=0.0)
        return pull[:-1], pull[-1]

    def _dual_along(self, point, change):
        return point.dual

    def _adopt(self):
        tell(self.partitions, "adopt")

    def _hessian(self, imbalance):
        gathered = list(self.partitions.ask("free_rows", MOST_GATHERED))
        if any(part is None for part in gathered) or not any(len(part[1]) for part in gathered):
            return PartitionedHessian(self, imbalance)
        X, y, weights, dual = zip(*gathered, strict=True)
        rows = sp.vstack(X, format="csr") if sp.issparse(X[0]) else np.concatenate(X)
        problem = replace(self.problem, X=rows, y=np.concatenate(y), weights=np.concatenate(weights))
        hessian = Hessian(problem, self.mean, np.concatenate(dual), self.curvature, imbalance, self.factors)
        hessian.share_of_rows = 0.0  # of the partitions' rows: they are not looked at
        return hessian


class PartitionedHessian(Hessian):
    """The Hessian of φ, whose products are sums over partitions."""

    factors = None
    cost_of_blocks = np.inf
    share_of_rows = 1.0

    def __init__(self, newton, imbalance):
        self.system = PartitionedSystem(newton, imbalance)


class PartitionedSystem(NumpySystem):
    """A Newton system whose rows are in partitions."""

    def __init__(self, newton, imbalance):
        problem, curvature = newton.problem, newton.curvature
        self.partitions = newton.partitions
        self.alpha, self.fit_intercept = problem.alpha, problem.fit_intercept
        self.sums_to_zero = problem.loss.sums_to_zero
        self.damping = intercept_damping(problem, curvature, imbalance)
        self.diagonal = total(self.partitions.ask("system", newton.mean, curvature))
        self.diagonal[:-1] += self.alpha
        self.diagonal[-1] += self.damping if problem.fit_intercept else 1

    def apply(self, direction):
        image = total(self.partitions.ask("apply", direction))
        image[:-1] += self.alpha * direction[:-1]
        image[-1] += self.damping * direction[-1]
        return image
