"""`learning_rate="auto"`: minibatch steps in closed form, Newton steps where these would take long, and the proof.

The fit stops when the relative duality gap (P − D)/P is at most ``tol``, P and D being the best values seen.
"""

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from linear_hinge._certificate import best_bound, coef_from_dual, estimated_bound
from linear_hinge._dual_steps import DualAscent
from linear_hinge._extrapolation import Extrapolation
from linear_hinge._newton import ProximalNewton
from linear_hinge._objective import scaled_objective
from linear_hinge._products import product, transposed_product, weighted_mean
from linear_hinge._progress import Progress
from linear_hinge._rows import csr_of, row_space

# What a pass tells about the gap is an estimate, mostly too large. A look at the objective where it ended costs half a
# pass, and with the coefficients that the minibatches keep up to date tells the gap to rounding, but for the imbalance
# of the intercept. There is one when the estimate promises the end by what the last look found of it, or by what is
# usual if that is some passes old, and otherwise when it is very old. The proof computes these coefficients anew, which
# costs as much again: it follows where a look sees the end, and on the way where it sees half of the gap proven last,
# if proofs took a small share of the work until then. Many passes are made where few rows matter: the estimate is then
# larger by up to 20 times, and a look costs little beside them.
CLOSE_TO_END = 3.0
USUAL_SHARE, EARLY_SHARE = 0.7, 0.4
OLD_LOOK, VERY_OLD_LOOK = 1.2, 4
LEAST_SHARE, OLD_LOOK_OF_MANY, MANY_PASSES = 0.05, 1.1, 4
COST_OF_LOOK = COST_OF_PROOF = 0.5  # in passes
WORTH_A_PROOF = 0.5
SHARE_OF_PROOFS = 0.05

# So many passes have a way in common that is worth going on. More often, the mean of the iterates has not settled.
PASSES_TOGETHER = 8
COST_OF_EXTRAPOLATION = 0.5  # in passes

# Where the minibatches are so far from the end at their present rate, Newton takes over; fewer than the first number of
# passes do not tell a rate. Its systems cost more the more coefficients they have: the minibatches are given more
# passes for every so many of them. Where a minibatch holds all rows a pass is one step, and Newton is better soon.
FIRST_PASSES = 8
MORE_PASSES, COEFFICIENTS = 32, 512
MOST_PASSES_LEFT = 30
MOST_STEPS_LEFT = 25

TINY = np.finfo(float).tiny


class CertifiedFit:
    """Passes over one problem until the duality gap is closed.

    Parameters
    ----------
    problem : Problem
    dual : ndarray of shape (n_samples, n_scores)
        Feasible subgradients G to start from; taken over and changed in place.
    intercept : ndarray of shape (n_scores,)
        b to start from.
    coef : ndarray of shape (n_features, n_scores), optional
        Wᵀ of an earlier fit, which is kept if nothing better is found.
    tol : float
    batch_size : int
    rng : RandomState or None

    Attributes
    ----------
    finished, converged : bool
        Whether to stop, and whether that is because the gap is closed.
    dual : ndarray of shape (n_samples, n_scores)
        The feasible, balanced G of the best bound.
    """

    def __init__(self, problem, dual, intercept, coef=None, *, tol, batch_size, rng):
        self.problem = problem
        self.tol = tol
        start = coef_from_dual(problem, dual).astype(problem.X.dtype, copy=False)
        self.ascent = DualAscent(problem, dual, start, intercept, batch_size=batch_size, rng=rng)
        self.is_one_batch = len(problem.rows) <= batch_size
        self.newton = self.basis = self.extrapolation = None
        self.n_passes = self.n_seen = 0
        self.work, self.work_of_proofs = 0.0, 0.0
        self.share = 1.0
        self.estimates = []
        # What is known of zero without a look at the data: no loss is negative, and of equal scores all are the same.
        self.dual = np.zeros(dual.shape)
        self.dual_objective = 0.0
        self.coef, self.intercept = np.zeros(start.shape, start.dtype), np.zeros_like(intercept)
        self.objective = float(problem.loss.values(self.dual[:1], problem.y[:1], problem.margin)[0])
        self.unseen = self.unproven = self.bound = None
        self.finished = self.converged = False
        if coef is not None:
            self._keep_better(coef, intercept)
            self._prove(dual)

    def run_pass(self, is_last):
        """One pass of minibatches or one Newton step; its `Progress`. The last one is certified in any case."""
        self.n_passes += 1
        run = self._run_minibatches if self.newton is None else self._run_newton
        estimate, work, self.unseen = run()
        self.work += work
        if is_last or (self.newton is not None and self.newton.stalled):
            return self.certify(work)
        if self.n_passes >= VERY_OLD_LOOK * max(1, self.n_seen) or self._promises_the_end(estimate):
            gap, effort = self._look()
            self.n_seen, self.share = self.n_passes, gap / max(estimate, TINY)
            work += effort
        return self._progress(work)

    def _promises_the_end(self, estimate):
        """Whether a look is worth its cost, by the estimate of the gap and what the last look found of it."""
        if self.newton is not None:
            return self._is_within(CLOSE_TO_END, estimate)
        if self.n_seen == 0:
            return self._is_within(1 / EARLY_SHARE, estimate)
        share = self.share
        if self.n_passes >= OLD_LOOK * self.n_seen:
            share = min(share, USUAL_SHARE)
        if self.n_passes >= OLD_LOOK_OF_MANY * self.n_seen + MANY_PASSES:
            share = min(share, LEAST_SHARE)
        return self._is_within(1, share * estimate)

    def _is_within(self, factor, gap):
        """Whether a gap is no more than so many times the one that ends the fit."""
        if gap > factor * self.tol * self.objective:
            return False
        if self.n_seen > 0:
            return True
        # Before the first look the objective is that of zero, which may be far above what it is now.
        return gap <= factor * self.tol * (self._estimated_bound() + gap)

    @property
    def n_rounds(self):
        """How often the rows were visited: by the minibatches, and once by every Newton step."""
        return self.ascent.n_rounds + self.n_passes - len(self.estimates)

    def _estimated_bound(self):
        """`estimated_bound` where the last pass of minibatches ended."""
        if self.bound is None:
            self.bound = estimated_bound(self.problem, self.ascent.dual, self.ascent.coefficients()[0])
        return self.bound

    def certify(self, work=0.0):
        """Compute both sides of the gap where the last pass ended; its `Progress`, with ``work`` done before."""
        if self.unseen is not None:
            work += self._look(proving=True)[1]
        elif self.unproven is not None:
            work += self._prove(self.unproven)
        return self._progress(work)

    def _progress(self, work):
        self.converged = self.objective - self.dual_objective <= self.tol * self.objective
        self.finished = self.converged or (self.newton is not None and self.newton.stalled)
        return Progress(self.coef, self.intercept, self.objective, self.dual_objective, work)

    def advice(self):
        """What to say when the fit ended with an open gap."""
        gap = 1 - self.dual_objective / self.objective
        cure = "Scale the features with StandardScaler, increase max_iter, alpha or tol."
        if self.newton is not None and self.newton.stalled:
            cure = f"The precision of {self.problem.X.dtype} ends here: use float64 data, scale them, or increase tol."
        return f"the relative duality gap is {gap:.2g}, but tol={self.tol:g}. {cure}"

    def attributes(self):
        """What the fitted estimator shows besides the coefficients."""
        dual_coef = csr_of(self.dual.astype(self.problem.X.dtype, copy=False))
        return {
            "t_": self.ascent.t,
            "dual_objective_": self.dual_objective,
            "duality_gap_": (self.objective - self.dual_objective) / self.objective,
            "dual_coef_": dual_coef,
            "support_": np.flatnonzero(np.diff(dual_coef.indptr)),
        }

    def _run_minibatches(self):
        """A pass of `DualAscent`: the gap it met, its work, and what finds coefficients, dual and bound at its end."""
        ascent = self.ascent
        # The mean of the iterates is a better primal point than the last of them, and worth its cost near the end.
        is_near = bool(self.estimates) and self._is_within(CLOSE_TO_END, self.estimates[-1])
        extrapolating = self._extrapolate() if self.n_passes % PASSES_TOGETHER == 0 else 0.0
        work = extrapolating + ascent.run_pass(averaging=is_near) / len(self.problem.rows)
        self.estimates.append(ascent.gap)
        self.bound = None

        def found():
            return ascent.average or ascent.coefficients(), ascent.dual, self._estimated_bound()

        if self._is_slow():
            self._begin_newton()
        return ascent.gap, work, found

    def _extrapolate(self):
        """A step of `Extrapolation`, the first time its beginning; the work, in passes."""
        if self.extrapolation is None:
            self.extrapolation = Extrapolation(self.ascent)
            return 0.0
        self.extrapolation.step()
        return COST_OF_EXTRAPOLATION

    def _run_newton(self):
        """A step of `ProximalNewton`, told like a pass."""
        self.newton.step()

        def found():
            coef, intercept = self.newton.coefficients()
            coef = coef if self.basis is None else product(self.basis, coef)
            if self.problem.loss.sums_to_zero:  # a common part of all scores costs ‖W‖² and gains nothing
                coef = coef - coef.mean(axis=1, keepdims=True)
            return (coef, intercept), self.newton.point.dual, np.inf  # so near to the end that the proof is worth it

        return self.newton.gap, self.newton.work, found

    def _begin_newton(self):
        """Newton from where the minibatches are, in the space of the rows if these are few."""
        problem, ascent = self.problem, self.ascent
        self.extrapolation = None  # it is as large as the dual and the coefficients
        coef, intercept = ascent.coefficients()
        curvature = ascent.beta * weighted_mean(problem.weights, ascent.norms) / problem.alpha
        n_samples, n_features = problem.X.shape
        if self.is_one_batch and n_samples < n_features and not sp.issparse(problem.X):
            coordinates, self.basis = row_space(problem.X)
            problem = replace(problem, X=coordinates)
            coef = transposed_product(self.basis, coef)
        self.newton = ProximalNewton(problem, ascent.dual, coef, intercept, curvature, exact=self.is_one_batch)

    def _is_slow(self):
        """Whether the minibatches need too many more passes at the rate of the last half of them."""
        first = FIRST_PASSES + MORE_PASSES * (self.ascent.raw.size // COEFFICIENTS)
        most_left = MOST_PASSES_LEFT
        if self.is_one_batch:
            first, most_left = FIRST_PASSES, MOST_STEPS_LEFT
        if len(self.estimates) < first:
            return False
        if self.estimates[-1] <= np.finfo(self.problem.X.dtype).eps * self.objective:
            return True  # nothing left to climb, and yet the fit goes on: for the intercept the dual is flat
        half = len(self.estimates) // 2
        rate = np.log(self.estimates[half - 1] / self.estimates[-1]) / (len(self.estimates) - half)
        left = np.log(self.estimates[-1] / (self.tol * self.objective)) if self.tol > 0 else np.inf
        return left > most_left * rate

    def _look(self, proving=False):
        """The gap where the last pass ended, proven if that is worth it or asked for, and the work, in passes."""
        (coef, intercept), dual, bound = self.unseen()
        self.unseen, self.unproven = None, dual
        self._keep_better(coef, intercept)
        gap, end = self.objective - bound, self.tol * self.objective
        if proving or gap <= end or self._is_worth_a_proof(gap):
            work = COST_OF_LOOK + self._prove(dual)
            return self.objective - self.dual_objective, work
        return gap, COST_OF_LOOK

    def _is_worth_a_proof(self, gap):
        """Whether to prove a gap on the way."""
        is_cheap = self.work_of_proofs + COST_OF_PROOF <= SHARE_OF_PROOFS * self.work
        return is_cheap and gap <= WORTH_A_PROOF * (self.objective - self.dual_objective)

    def _prove(self, dual):
        """Keep the bound of these subgradients if it is the best; the work, in passes."""
        self.unproven = None
        self.work_of_proofs += COST_OF_PROOF
        bound, feasible = best_bound(self.problem, dual)
        if bound > self.dual_objective:
            self.dual_objective, self.dual = bound, feasible
        return COST_OF_PROOF

    def _keep_better(self, coef, intercept):
        objective, scale = scaled_objective(self.problem, coef, intercept)
        if objective < self.objective or not np.isfinite(objective):  # what overflows ends the fit
            self.objective = objective
            np.multiply(coef, scale, out=self.coef, casting="same_kind")
            np.multiply(intercept, scale, out=self.intercept, casting="same_kind")


def starting_dual(problem, coef=None, intercept=None, dual=None):
    """Feasible subgradients G to start from: zero, or the best of what an earlier fit left.

    A dual of the same rows, perhaps with another alpha, is nearly right. For other rows the subgradients at the
    earlier coefficients are; which of them fits better is what the bounds tell.

    Parameters
    ----------
    problem : Problem
    coef : ndarray of shape (n_features, n_scores), optional
    intercept : ndarray of shape (n_scores,), optional
    dual : sparse array of shape (n_earlier_samples, n_scores), optional
    """
    shape = (len(problem.y), problem.n_scores)
    best_dual, best = np.zeros(shape, problem.X.dtype), 0.0
    candidates = []
    if coef is not None:
        scores = product(problem.X, coef) + intercept
        candidates.append(problem.loss.subgradients(scores, problem.y, problem.margin))
    if dual is not None and dual.shape == shape:
        dual = problem.loss.with_signs(dual.toarray(), problem.y)
        candidates.append(dual / max(1, problem.loss.violations(dual, problem.y).max()))
    for candidate in candidates:
        bound, feasible = best_bound(problem, candidate)
        if bound > best:
            best_dual, best = feasible, bound
    return best_dual.astype(problem.X.dtype, copy=False)
