"""`learning_rate="auto"`: minibatch steps in closed form, Newton steps where these would take long, and the proof.

The fit stops when the relative duality gap (P − D)/P is at most ``tol``, P and D being the best values seen.
"""

import numpy as np
import scipy.sparse as sp

from linear_hinge.problem.dual_sums import coef_from_dual
from linear_hinge.problem.objective import ALL_SCALES, FAR_SCALES, SCALES
from linear_hinge.problem.scaling_advice import advice_on_scales
from linear_hinge.solvers.bracket import Bracket
from linear_hinge.solvers.dual_ascent import DualAscent
from linear_hinge.solvers.minibatches import Minibatches
from linear_hinge.solvers.proof_schedule import COST_OF_PROOF, ProofSchedule
from linear_hinge.solvers.proximal_newton import ProximalNewton
from linear_hinge.solvers.takeover import EARLY_PASSES, NEAR, mean_may_be_close
from linear_hinge.solvers.warm_start import resumed_dual, save_steps

# A fit is near its end where the gap is at most this multiple of the gap that ends it.
CLOSE_TO_END = 3.0

COST_OF_LOOK = 0.5  # in passes

# A fit that may make at most `FEW_PASSES` looks at every pass as if it were the last, so that its objective never rises
# with that number. In the first `FIRST_PASSES` it looks at the last iterate, too; later the mean is as good.
FEW_PASSES, FIRST_PASSES = 100, 8

# Where the gap is more than this share of the objective, coefficients may be far too long or too short.
FAR = 0.3

# `SOME_PASSES` passes of at least `LARGE` multiplications take seconds. If the gap is still more than `NOWHERE` of the
# objective after them, the user should know. If it still is when Newton steps, each of which may cost as much as
# hundreds of passes, have brought the work to that of all passes that are allowed, the fit ends.
LARGE, SOME_PASSES, NOWHERE = 2**24, 32, 0.9

# If `MOST_VAIN_LOOKS` Newton steps in a row leave at least `NO_BETTER` of the gap, the rest of it is rounding.
MOST_VAIN_LOOKS, NO_BETTER = 40, 1 - 1e-5


class CertifiedFit:
    """Passes over one problem until the duality gap is closed.

    Parameters
    ----------
    problem : Problem
        The data and the constants of P.
    dual : ndarray of shape (n_samples, n_scores)
        Feasible subgradients G to start from. The array is taken over and changed in place.
    intercept : ndarray of shape (n_scores,)
        The intercept b to start from.
    coef : ndarray of shape (n_features, n_scores), optional
        Wᵀ of an earlier fit, which is kept if nothing better is found.
    of_dual : ndarray of shape (n_features, n_scores), optional
        W(G)ᵀ, where it is known.
    saved : SavedSteps, optional
        The state in which the steps of an earlier fit ended. If that was a fit of the same problem, they go on.
    tol : float
        The relative duality gap that ends the fit.
    batch_size : int
        Rows of a minibatch.
    rng : RandomState or None
        Generator that shuffles the rows; None leaves them in their order.

    Attributes
    ----------
    finished, converged : bool
        Whether the fit is to stop, and whether the gap is closed.
    has_given_up : bool
        Whether it stops because Newton steps take long and get nowhere.
    may_be_stopped : bool
        Whether a callback may stop the fit after any pass; the caller sets it.
    most_passes : int
        The passes after which the fit ends in any case; the caller sets it.
    bracket : Bracket
        The best coefficients and the best bound so far.
    """

    def __init__(self, problem, dual, intercept, coef=None, *, of_dual=None, saved=None, tol, batch_size, rng):
        proven, resumed = dual, resumed_dual(problem, saved)
        dual = dual if resumed is None else resumed
        centred = intercept if coef is None else problem.centred_intercept(coef, intercept)
        ascent = self._ascent(problem, dual, centred, of_dual, batch_size=batch_size, rng=rng)
        estimates = () if resumed is None else saved.estimates
        self._begin(problem, Minibatches(ascent, len(problem.rows), estimates), Bracket(problem, tol))
        if coef is not None:
            self.bracket.incumbent.offer(coef, centred)
            self._prove(proven)
        if resumed is not None:
            ascent.state.centre, ascent.state.beta = np.array(saved.centre), saved.beta
            if saved.curvature is not None:
                self._begin_newton(saved.coef, saved.intercept, saved.curvature)

    def change_alpha(self, problem):
        """Begin a fit of the same rows with another alpha where this fit has ended, without a look at the rows.

        Only after Newton steps, which do not use W(G), is W(G) computed anew.

        Parameters
        ----------
        problem : Problem
            The problem with the other alpha.
        """
        ascent, n_rows = self.ascent, self.minibatches.n_rows
        if self.newton is None:
            ascent.change_alpha(problem)
        else:
            point = self.newton.point
            options = {"batch_size": ascent.state.batch_size, "rng": ascent.rng}
            ascent = self._ascent(problem, point.dual.astype(problem.X.dtype), point.stacked[-1], **options)
        self._begin(problem, Minibatches(ascent, n_rows), Bracket(problem, self.tol))

    @staticmethod
    def _ascent(problem, dual, intercept, of_dual=None, **options):
        # The coefficients have no name, which would keep them.
        return DualAscent(
            problem,
            dual,
            (coef_from_dual(problem, dual) if of_dual is None else of_dual).astype(problem.X.dtype, copy=False),
            intercept,
            **options,
        )

    def _begin(self, problem, minibatches, bracket):
        self.problem, self.minibatches, self.bracket = problem, minibatches, bracket
        self.tol = bracket.tol
        self.newton = None
        self.n_passes, self.work = 0, 0.0
        self.schedule = ProofSchedule(bracket)
        self.unseen = self.unproven = None
        self.most_passes = np.inf
        self.n_vain_looks = 0
        self.finished = self.converged = self.has_given_up = self.may_be_stopped = False

    @property
    def ascent(self):
        """The `DualAscent` of the minibatches."""
        return self.minibatches.ascent

    @property
    def ends_early(self):
        """Whether so few passes are allowed that every one of them is looked at as if it were the last."""
        return self.most_passes <= FEW_PASSES

    @property
    def is_stuck(self):
        """Whether further passes cannot help."""
        is_stalled = self.newton is not None and self.newton.stalled
        return is_stalled or self.n_vain_looks >= MOST_VAIN_LOOKS

    def run_pass(self, is_last):
        """Make a pass of minibatches or a Newton step, and return its `Progress`. The last one is always certified."""
        self.n_passes += 1
        run = self._run_minibatches if self.newton is None else self._run_newton
        estimate, work, self.unseen = run(is_last)
        self.work += work
        self.has_given_up = self.newton is not None and self.work >= self.most_passes and self._gets_nowhere()
        if is_last or self.has_given_up or (self.newton is not None and self.newton.stalled):
            return self.certify(work)
        # Newton steps prove nothing at first: a fit that may make few passes goes on with minibatches.
        begins_slowly = not (self.ends_early or self.newton) and self.minibatches.begin_slowly()
        is_hard = self.minibatches.is_averaged and (self.n_passes == 1 or begins_slowly)
        if self.ends_early or is_hard or self._looks(estimate):
            gap, effort = self._look()
            self.schedule.looked(self.n_passes, gap, estimate)
            work += effort
            if begins_slowly and is_hard and self.n_passes == EARLY_PASSES:
                self._begin_newton_at_the_mean()
        return self._progress(work)

    def _looks(self, estimate):
        """Return whether to look at the objective after this pass."""
        if self.schedule.is_look_due(self.n_passes):
            return True
        return self._is_near(estimate) if self.newton is not None else self._promises_the_end(estimate)

    def _promises_the_end(self, estimate):
        """Return whether the share of an estimate that is to be expected would end the fit."""
        share = self.schedule.share_at(self.n_passes)
        return self.schedule.is_within(1, share * estimate, self.minibatches.estimated_bound)

    def _is_near(self, estimate):
        """Return whether an estimate of the gap is near the gap that ends the fit."""
        return self.schedule.is_within(CLOSE_TO_END, estimate, self.minibatches.estimated_bound)

    @property
    def n_rounds(self):
        """The number of visits to the rows: those of the minibatches, and one for every Newton step."""
        return self.ascent.n_rounds + self.n_passes - self.minibatches.n_passes

    def certify(self, work=0.0):
        """Compute both sides of the gap where the last pass ended.

        Parameters
        ----------
        work : float
            The work that was done before, in passes over the data.

        Returns
        -------
        Progress
            The progress, whose work includes both.
        """
        if self.unseen is not None:
            work += self._look(stopped=True)[1]
        elif self.unproven is not None:
            work += self._prove(self.unproven)
        self.bracket.incumbent.settle()
        return self._progress(work)

    def _progress(self, work):
        progress = self.bracket.progress(work, is_last=self.is_stuck)
        self.converged = self.bracket.converged
        self.finished = self.converged or self.is_stuck or self.has_given_up
        return progress

    def _gets_nowhere(self):
        """Return whether passes take long and next to nothing is proven, by the best estimate."""
        bracket, newton = self.bracket, self.newton
        X, objective = self.problem.X, bracket.objective
        if (X.nnz if sp.issparse(X) else X.size) * self.problem.n_scores < LARGE:
            return False
        gap = objective - self.minibatches.estimated_bound() if newton is None else newton.least_gap
        return min(gap, bracket.gap) >= NOWHERE * objective

    def early_advice(self):
        """Return the advice about a long fit that gets nowhere, once; None otherwise."""
        if self.n_passes != SOME_PASSES or self.newton is not None or not self._gets_nowhere():
            return None
        return f"next to nothing is proven yet, and the fit goes on: {advice_on_scales(self.problem)}"

    def advice(self):
        """Return the advice about a fit that ended with an open gap."""
        gap = f"the relative duality gap is {self.bracket.relative_gap:.2g}, but tol={self.tol:g}"
        if self.has_given_up or (self.n_passes >= SOME_PASSES and self._gets_nowhere()):
            effort = f"Newton steps brought the work to that of {self.work:.0f}, and " if self.has_given_up else ""
            return f"{effort}next to nothing is proven: {gap}, and {advice_on_scales(self.problem)}"
        cure = "Scale the features with StandardScaler, or increase max_iter, alpha or tol."
        if self.is_stuck or self.bracket.incumbent.is_rounded:
            cure = f"The precision of {self.problem.dtype} ends here: scale the features with StandardScaler"
            cure += ", or increase tol." if self.problem.dtype == np.float64 else ", increase tol, or use float64 data."
        return f"{gap}. {cure}"

    def attributes(self):
        """Return the attributes of the fitted estimator besides the coefficients."""
        dual = self.bracket.dual
        if dual is None:
            dual = sp.csr_array(self.ascent.state.dual.shape)
        dual_coef = dual.astype(self.problem.dtype)
        dual_coef.eliminate_zeros()  # what is too small for float32
        return {
            "t_": self.ascent.state.t,
            "dual_objective_": self.bracket.proven_objective,
            "duality_gap_": self.bracket.relative_gap,
            "dual_coef_": dual_coef,
            "support_": np.flatnonzero(np.diff(dual_coef.indptr)),
        }

    def _run_minibatches(self, is_last):
        """Make a pass of `DualAscent`.

        Returns
        -------
        gap : float
            The estimated gap.
        work : float
            The work, in passes over the data.
        found : callable
            A function that returns candidates for the coefficients, G and a bound at the end of the pass.
        """
        minibatches, ascent = self.minibatches, self.minibatches.ascent
        worth = self._loss_worth_averaging(is_last)
        # Before the first look there is nothing else to return.
        work = minibatches.run_pass(worth, -np.inf if self.may_be_stopped and self.schedule.n_seen == 0 else worth)

        def found(stopped):
            is_averaged = minibatches.is_averaged or (stopped and ascent.average)
            candidates = [ascent.taken_average] if is_averaged else []
            is_wanted = self.n_passes <= FIRST_PASSES if self.ends_early else is_last
            if is_wanted or not candidates:
                candidates.append(ascent.coefficients)
            return candidates, ascent.state.dual, minibatches.estimated_bound()

        if minibatches.are_slow(self.bracket.objective, self.tol):
            self._begin_newton(*ascent.coefficients(), ascent.mean_curvature())
        return ascent.gap, work, found

    def _loss_worth_averaging(self, is_last):
        """Return the mean loss above which the mean of the iterates is worth its cost.

        The mean is a better primal point than the last iterate. It is worth its cost in any case near the end, where
        it ends the fit earlier, and in looks that are due. After a first pass in which the rows lose more than with
        W = 0 it is better by far.
        """
        estimates = self.minibatches.estimates
        is_near = bool(estimates) and self._is_near(estimates[-1].gap)
        is_early = self.n_passes == EARLY_PASSES and self.minibatches.begin_slowly()
        if is_near or is_last or is_early or self.ends_early or self.schedule.is_look_due(self.n_passes):
            return -np.inf
        return self.problem.objective_of_zero if self.n_passes == 1 else np.inf

    def _run_newton(self, is_last):
        """Make a step of `ProximalNewton`, and return what `_run_minibatches` returns."""
        self.newton.step()

        def found(stopped):
            coef, intercept = self.newton.coefficients()
            if self.problem.loss.sums_to_zero:  # a common part of all scores adds to ‖W‖² and changes no loss
                coef = coef - coef.mean(axis=1, keepdims=True)
            # The bound is inf, because a Newton step is near enough to the end to be worth a proof.
            return [lambda: (coef, intercept)], self.newton.point.dual, np.inf

        return self.newton.gap, self.newton.work, found

    def _begin_newton_at_the_mean(self):
        """Begin Newton steps at the best coefficients, if they may be close to the optimum."""
        problem, best = self.problem, self.bracket.incumbent
        if mean_may_be_close(problem.squared_norms, problem.weights, self.ascent.gap, self.bracket.objective):
            intercept = problem.centred_intercept(best.coef, best.intercept)
            self._begin_newton(best.coef, intercept, NEAR * problem.margin)

    def _begin_newton(self, coef, intercept, curvature):
        """Begin Newton steps with the subgradients of the minibatches."""
        self.minibatches.extrapolation = None  # which needs as much memory as the dual and the coefficients
        options = {"exact": self.minibatches.is_one_batch}
        self.newton = ProximalNewton(self.problem, self.ascent.state.dual, coef, intercept, curvature, **options)

    def steps_to_save(self):
        """Return the `SavedSteps` for a warm start of the same problem."""
        state, estimates = self.ascent.state, self.minibatches.estimates
        centre, beta = state.centre, state.beta
        if self.newton is None:
            return save_steps(self.problem, state.dual, centre, beta, estimates)
        newton = (*self.newton.coefficients(), self.newton.curvature)
        return save_steps(self.problem, self.newton.point.dual, centre, beta, estimates, *newton)

    def _look(self, stopped=False):
        """Compute the gap where the last pass ended, and prove it if that is worth its cost or the fit ends.

        Parameters
        ----------
        stopped : bool
            Whether the fit ends here.

        Returns
        -------
        gap : float
            The gap.
        work : float
            The work, in passes over the data.
        """
        candidates, dual, bound = self.unseen(stopped)
        self.unseen, self.unproven = None, dual
        bracket, gap_before = self.bracket, self.bracket.gap
        is_far = bracket.objective - bound > FAR * bracket.objective
        scales = ALL_SCALES if stopped or self.ends_early else FAR_SCALES if is_far else SCALES
        work = COST_OF_LOOK * len(candidates)
        for made in candidates:  # each is freed before the next is made, and all before a proof: they may be large
            bracket.incumbent.offer(*made(), scales)
        self.ascent.average = None
        gap, end = bracket.objective - bound, self.tol * bracket.objective
        if not (stopped or gap <= end or self.schedule.is_worth_a_proof(gap, bracket.gap, self.work)):
            return gap, work
        work += self._prove(dual)
        self.n_vain_looks = self.n_vain_looks + 1 if self.newton and bracket.gap > NO_BETTER * gap_before else 0
        return bracket.gap, work

    def _prove(self, dual):
        """Prove a bound with these subgradients, and return the work, in passes."""
        self.unproven = None
        self.schedule.work_of_proofs += COST_OF_PROOF
        self.bracket.prove(dual)
        return COST_OF_PROOF
