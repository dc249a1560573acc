"""Fits in partitions find and prove what a fit of all rows finds, whatever lies where and whatever is lost."""

import numpy as np
import pytest
import scipy.sparse as sp
from cases import mostly_slow
from numpy.testing import assert_allclose, assert_array_equal
from partitioned import fit_in_partitions, split, without_rows
from problems import SMALL_CASES, draw_problem

from linear_hinge.kernels import door
from linear_hinge.problem.dual_sums import coef_from_dual, linear_part
from linear_hinge.problem.objective import primal_objective
from linear_hinge.solvers import partitioned_fit, partitioned_newton
from linear_hinge.solvers.certified_fit import CertifiedFit
from linear_hinge.solvers.partitioned_ascent import PartitionedAscent
from linear_hinge.solvers.partitions import ThreadedPartitions
from linear_hinge.solvers.warm_start import starting_dual

small_cases = pytest.mark.parametrize("case", SMALL_CASES, ids=str)
with_and_without_intercept = pytest.mark.parametrize("fit_intercept", [True, False])


def optimum(problem):
    """The least objective that the local fit finds, with next to no gap."""
    fit = CertifiedFit(
        problem,
        starting_dual(problem),
        np.zeros(problem.n_scores),
        tol=1e-9,
        batch_size=8,
        rng=np.random.RandomState(0),
    )
    for n_iter in range(1, 2001):
        progress = fit.run_pass(n_iter == 2000)
        if fit.finished:
            break
    return progress.objective


@small_cases
@with_and_without_intercept
@mostly_slow(
    "kind, is_sorted",
    [(np.asarray, True), (sp.csr_array, False), (np.asarray, False), (sp.csr_array, True)],
    n_quick=2,
)
def test_the_gap_is_closed_and_the_bound_is_one(case, fit_intercept, kind, is_sorted, rng):
    problem = draw_problem(case, rng, 200, kind=kind, fit_intercept=fit_intercept, alpha=0.01)
    fit, progress = fit_in_partitions(problem, split(problem, 5, is_sorted=is_sorted))
    assert fit.converged
    assert progress.objective - progress.dual_objective <= 1e-3 * progress.objective
    assert_allclose(progress.objective, primal_objective(problem, progress.coef, progress.intercept), rtol=1e-12)
    assert progress.dual_objective <= optimum(problem)


@small_cases
@pytest.mark.parametrize("most_gathered", [0, 2**28], ids=["sums", "gathered rows"])
def test_weak_regularisation_is_no_obstacle(case, most_gathered, rng, monkeypatch):
    """Minibatches alone stay far from the end: Newton steps, with systems from either way, reach it."""
    monkeypatch.setattr(partitioned_newton, "MOST_GATHERED", most_gathered)
    problem = draw_problem(case, rng, 300, 8, alpha=1e-4)
    fit, progress = fit_in_partitions(problem, split(problem, 8, is_sorted=True), max_iter=300)
    assert fit.newton is not None
    assert fit.converged
    assert progress.dual_objective <= optimum(problem)


@small_cases
@with_and_without_intercept
@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("is_in_turn", [True, False])
def test_after_every_round_v_is_that_of_all_subgradients(case, fit_intercept, compiled, is_in_turn, rng, monkeypatch):
    if not compiled:
        monkeypatch.setattr(door, "_kernels", None)
    problem = draw_problem(case, rng, 120, fit_intercept=fit_intercept)
    partitions = split(problem, 4)
    ascent = PartitionedAscent(without_rows(problem), ThreadedPartitions(partitions))
    ascent.is_in_turn = is_in_turn
    heights = []
    for _ in range(4):
        ascent.run_pass()
        duals = [(part.problem, part.share, part.ascent.state.dual) for part in partitions]
        assert_allclose(ascent.raw, sum(share * coef_from_dual(part, G) for part, share, G in duals), atol=1e-12)
        imbalance = sum(share * part.weights @ G for part, share, G in duals)
        assert_allclose(ascent.state.imbalance, imbalance * fit_intercept, atol=1e-14)
        assert_allclose(ascent.linear, sum(share * linear_part(part, G) for part, share, G in duals), rtol=1e-12)
        heights.append(ascent.linear - problem.alpha / 2 * ascent.squared_norm())
    if not fit_intercept:
        assert (np.diff(heights) >= -1e-12).all()  # the dual never falls


@small_cases
def test_a_single_partition_is_the_whole(case, rng):
    problem = draw_problem(case, rng, 90)
    fit, progress = fit_in_partitions(problem, split(problem, 1))
    assert fit.converged
    assert progress.dual_objective <= optimum(problem)


@small_cases
def test_float32_stays_and_its_objective_is_that_of_the_coefficients(case, rng):
    problem = draw_problem(case, rng, 120, dtype=np.float32, alpha=0.01)
    fit, progress = fit_in_partitions(problem, split(problem, 3))
    assert fit.converged
    assert progress.coef.dtype == progress.intercept.dtype == np.float32
    assert_allclose(progress.objective, primal_objective(problem, progress.coef, progress.intercept), rtol=1e-9)


@small_cases
def test_threads_and_repetition_change_no_bit(case, rng):
    problem = draw_problem(case, rng, 200, alpha=1e-3)
    results = [fit_in_partitions(problem, ThreadedPartitions(split(problem, 4), n_threads))[1] for n_threads in (1, 3)]
    for progress in results[1:]:
        assert_array_equal(progress.coef, results[0].coef)
        assert (progress.objective, progress.dual_objective) == (results[0].objective, results[0].dual_objective)
    other = fit_in_partitions(problem, split(problem, 4, seed=1))[1]
    assert (other.coef != results[0].coef).any()


class Losing(ThreadedPartitions):
    """Partitions of which one is made anew, having forgotten everything, before some of the questions."""

    def __init__(self, problem, n_parts, lost_at):
        super().__init__(split(problem, n_parts))
        self.fresh = split(problem, n_parts)
        self.lost_at, self.n_asked = set(lost_at), 0

    def ask(self, question, *arguments, places=None):
        self.n_asked += 1
        if self.n_asked in self.lost_at:
            place = self.n_asked % len(self.partitions)
            self.partitions[place] = type(self.fresh[place])(
                self.fresh[place].problem, self.shares[place], place, seed=0, batch_size=8
            )
        return super().ask(question, *arguments, places=places)


@small_cases
@mostly_slow("lost_at", [range(5, 120, 9), [4], [6], [11, 12, 13], range(41, 60)], ids=str)
def test_lost_subgradients_cost_progress_and_nothing_else(case, lost_at, rng):
    problem = draw_problem(case, rng, 200, alpha=1e-3)
    held = Losing(problem, 4, lost_at)
    fit, progress = fit_in_partitions(problem, held)
    assert held.n_asked > min(lost_at)
    assert fit.converged
    assert progress.dual_objective <= optimum(problem)


@small_cases
def test_a_fit_that_is_stopped_proves_what_it_has(case, rng):
    problem = draw_problem(case, rng, 200, alpha=1e-3)
    fit, progress = fit_in_partitions(problem, split(problem, 4), max_iter=2)
    assert not fit.converged
    assert "relative duality gap" in fit.advice()
    assert 0 <= progress.dual_objective <= optimum(problem)


class Reattached(ThreadedPartitions):
    """Partitions that hold X only while they answer."""

    def __init__(self, partitions):
        super().__init__(partitions)
        self.X = [partition.problem.X for partition in partitions]

    def ask(self, question, *arguments, places=None):
        for place in range(len(self.X)) if places is None else places:
            partition = self.partitions[place]
            partition.attach(self.X[place])
            answer = getattr(partition, question)(*arguments)
            partition.detach()
            assert partition.problem.X.shape[0] == 0
            yield answer


@small_cases
@mostly_slow("most_gathered", [0, 2**28], ids=["sums", "gathered rows"])
def test_x_may_be_loaded_anew_for_every_question(case, most_gathered, rng, monkeypatch):
    monkeypatch.setattr(partitioned_newton, "MOST_GATHERED", most_gathered)
    problem = draw_problem(case, rng, 200, alpha=1e-3)
    _, held = fit_in_partitions(problem, split(problem, 4))
    _, loaded = fit_in_partitions(problem, Reattached(split(problem, 4)))
    assert_array_equal(loaded.coef, held.coef)
    assert loaded.dual_objective == held.dual_objective


@small_cases
@mostly_slow("lost_at", [range(5, 200, 7), [], [30, 31]], ids=str)
@pytest.mark.parametrize("newton_follows", [False, True])
def test_partitions_in_turn_come_to_the_end(case, lost_at, newton_follows, rng, monkeypatch):
    monkeypatch.setattr(partitioned_fit, "FEW_COEFFICIENTS", 0)
    monkeypatch.setattr(partitioned_fit, "MOST_ROUNDS_LEFT", 0)
    monkeypatch.setattr(partitioned_fit, "MOST_PASSES_LEFT", 0)
    monkeypatch.setattr(partitioned_fit, "first_passes", lambda _: 2 if newton_follows else np.inf)
    problem = draw_problem(case, rng, 200, alpha=0.01)
    fit, progress = fit_in_partitions(problem, Losing(problem, 4, lost_at))
    assert fit.ascent.is_in_turn
    assert (fit.newton is not None) == newton_follows
    assert fit.converged
    assert progress.dual_objective <= optimum(problem)
