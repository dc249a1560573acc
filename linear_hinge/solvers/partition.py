"""What one partition of the rows computes, wherever it lies: sums over its rows, and steps of its own.

Ω_k is the weight of partition k. Its own problem has the same alpha, and weights that sum to one, so that

    P(W, b) = Σ_k Ω_k P_k(W, b),     W(G) = Σ_k Ω_k W_k(G_k),     v = Σ_k Ω_k v_k,

and every other sum over the rows is the mean of those of the partitions as well. Each method of `Partition` answers
one question with such sums; `partitioned_fit` asks.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from linear_hinge.kernels.products import product, transposed_product, weighted_sum
from linear_hinge.kernels.row_losses import prox_steps
from linear_hinge.linalg.batches import bytes_of_row
from linear_hinge.linalg.sums import combination, weighted_mean
from linear_hinge.problem.dual_sums import coef_from_dual, linear_part, proof_sums, with_signs
from linear_hinge.problem.objective import objectives_of, primal_objective
from linear_hinge.problem.predictions import predicted_codes
from linear_hinge.problem.variance import largest_variance
from linear_hinge.solvers.dual_ascent import DualAscent
from linear_hinge.solvers.newton_system import Hessian


class LostError(Exception):
    """A partition has lost what it remembered: it was made anew."""


class Round(NamedTuple):
    """What a round of passes begins with, the same for all partitions."""

    number: int
    raw: np.ndarray  # Vᵀ
    imbalance: np.ndarray  # v
    centre: np.ndarray  # c
    spread: float  # s
    is_alone: bool = False  # whether a single partition makes a pass


class Change(NamedTuple):
    """What a pass over a partition has changed."""

    raw: np.ndarray  # of Vᵀ
    imbalance: np.ndarray  # of v
    linear: float  # of Δ Σ_i ω_i c(g_i)
    curvature: float  # of D along it
    gap: float
    n_visits: int


class Partition:
    """Some of the rows and their remembered subgradients.

    Parameters
    ----------
    problem : Problem
        Of these rows, with weights that sum to one.
    share : float
        Ω_k.
    number : int
        k.
    seed : int
        Shuffles the rows, with the numbers of partition and round.
    batch_size : int
    shuffle : bool
    """

    def __init__(self, problem, share, number, *, seed, batch_size, shuffle=True):
        self.problem, self.share, self.number = problem, share, number
        self.seed, self.batch_size, self.shuffle = seed, batch_size, shuffle
        self.ascent = self.newton = self.feasible = None
        self.squared_norms = None

    def detach(self):
        """Forget X, which somebody else holds or loads; all that is known of it stays."""
        self.squared_norms = vars(self.problem).get("squared_norms", self.squared_norms)
        self._use(replace(self.problem, X=self.problem.X[:0]))

    def attach(self, X):
        """Have the same X again."""
        problem = replace(self.problem, X=X)
        if self.squared_norms is not None:
            vars(problem)["squared_norms"] = self.squared_norms
        self._use(problem)

    def _use(self, problem):
        self.problem = problem
        for held in (self.ascent, self.newton):
            if held is not None:
                held.problem = problem
        if self.newton is not None:
            self.newton.hessian = None

    # Where everything begins

    def mean(self):
        """Σ_i ω_i x_i."""
        return self.share * weighted_sum(self.problem.X, self.problem.weights)

    def variance(self, mean):
        """Compute the largest variance about this mean in any direction."""
        return largest_variance(self.problem.X, self.problem.weights, mean)

    def begin(self, mean, sigma2):
        """Remember G = 0."""
        problem = self.problem
        shape = problem.X.shape[1], problem.n_scores
        self.ascent = DualAscent(
            problem,
            np.zeros((len(problem.y), problem.n_scores), problem.X.dtype),
            np.zeros(shape, problem.X.dtype),
            np.zeros(problem.n_scores),
            batch_size=self.batch_size,
            rng=None,
            centre=(mean, sigma2),
        )
        self.before, self.sigma2 = None, sigma2

    def resume(self, mean, sigma2, coef, intercept):
        """Keep the subgradients, or take those at these coefficients if there are none; V(G)ᵀ, v and Δ Σ_i ω_i c(g_i).

        They are sums over these rows only.
        """
        problem = self.problem
        if self.ascent is None:
            self.begin(mean, sigma2)
            scores = product(problem.X, coef) + intercept
            self.ascent.state.dual[:] = problem.loss.subgradients(scores, problem.y, problem.margin)
        elif self.newton is not None:
            self.ascent.state.dual[:] = self.newton.dual
        self.newton = self.before = None
        dual = self.ascent.state.dual
        imbalance = combination(problem.weights, dual)
        sums = coef_from_dual(problem, dual), imbalance, linear_part(problem, dual)
        return tuple(self.share * part for part in sums)

    # Minibatch steps

    def run_pass(self, start):
        """Make a pass from the common Vᵀ, v and c, and return the `Change` that it makes to them.

        The other rows stay as they are.
        The steps see alpha/(s Ω_k) instead of alpha: as if the other partitions went s − 1 times as far the same way.
        Of the intercepts, s = 1/Ω_k is always assumed: where v is driven too far, the bound suffers most. If the other
        partitions do nothing meanwhile, s = 1 is exact for both.
        """
        ascent, problem, state = self._begun(self.ascent), self.problem, self.ascent.state
        step = start.spread * self.share
        state.alpha = problem.alpha / step
        state.imbalance[:] = start.imbalance / step
        state.raw_on_mean[:] = combination(ascent.mean, start.raw) if problem.fit_intercept else 0
        sigma2 = self.sigma2 if start.is_alone else self.sigma2 / step
        state.norms += sigma2 - state.sigma2
        state.sigma2 = sigma2
        state.centre = start.centre + (
            sigma2 / state.alpha * state.imbalance - self.sigma2 / problem.alpha * start.imbalance
        )
        ascent.raw[:] = start.raw
        ascent.rng = np.random.RandomState([self.seed, self.number, start.number]) if self.shuffle else None
        self.before = state.dual.copy()
        n_visits = ascent.run_pass()
        raw, imbalance = ascent.raw - start.raw, state.imbalance - start.imbalance / step
        state.alpha, state.sigma2 = problem.alpha, self.sigma2
        state.norms += self.sigma2 - sigma2
        raw /= raw.dtype.type(start.spread)
        imbalance *= self.share
        linear = self.share * linear_part(problem, state.dual - self.before)
        _, curvature = ascent.rise_and_quadratic(linear, raw, imbalance)
        return Change(raw, imbalance, linear, curvature, self.share * ascent.gap, n_visits)

    def follow(self, length):
        """Follow the change of the last pass so far only."""
        dual = self._begun(self.ascent).state.dual
        if self.before is not None and length < 1:
            dual[:] = self.before + dual.dtype.type(length) * (dual - self.before)
        self.before = None

    def mean_curvature(self):
        """Ω_k times the mean of ρ_i."""
        return self.share * self._begun(self.ascent).mean_curvature()

    def predicted(self, coef, intercept):
        """Return the codes of the classes that are predicted for these rows."""
        scores = product(self.problem.X, coef) + intercept
        return np.unique(predicted_codes(scores)[self.problem.weights > 0])

    # Objective and proof

    def objectives(self, coef, intercept, scales):
        """P_k(t W, t b) of every t."""
        return self.share * objectives_of(self.problem, coef, intercept, scales)

    def objective(self, coef, intercept):
        """P_k(W, b), to the last digits."""
        return self.share * primal_objective(self.problem, coef, intercept)

    def flows(self):
        """Return what the proof has to balance."""
        problem, dual = self.problem, self._dual()
        self.feasible = with_signs(problem, dual)
        return self.share * problem.loss.flows(self.feasible, problem.y, problem.weights)

    def proof(self, factors):
        """Return the `ProofSums` of the balanced G."""
        problem = self.problem
        feasible, self.feasible = self._begun(self.feasible), None
        if factors is not None:
            feasible = problem.loss.rescaled(feasible, problem.y, factors)
        return proof_sums(problem, feasible).times(self.share)

    def _dual(self):
        return self._begun(self.ascent).state.dual if self.newton is None else self.newton.dual

    def _begun(self, what):
        """It, or an error if it was lost with the worker that had it."""
        if what is None:
            raise LostError(f"partition {self.number} was made anew")
        return what

    # Newton steps

    def begin_newton(self):
        """Proximal steps from the present G."""
        self.newton = NewtonRows(self.problem, self.share, self._begun(self.ascent).state.dual)

    def along(self, direction):
        """See `NewtonRows`."""
        return self._begun(self.newton).along(direction)

    def envelope(self, length, curvature):
        """Answer as `NewtonRows.envelope`."""
        return self._begun(self.newton).envelope(length, curvature)

    def pull(self, length, curvature):
        """Answer as `NewtonRows.pull`."""
        return self._begun(self.newton).pull(length, curvature)

    def adopt(self):
        """Answer as `NewtonRows.adopt`."""
        return self._begun(self.newton).adopt()

    def free_rows(self, most_bytes):
        """Answer as `NewtonRows.free_rows`."""
        return self._begun(self.newton).free_rows(self.share * most_bytes)

    def system(self, mean, curvature):
        """Answer as `NewtonRows.system`."""
        return self._begun(self.newton).system(mean, curvature)

    def apply(self, direction):
        """Answer as `NewtonRows.apply`."""
        return self._begun(self.newton).apply(direction)


class NewtonRows:
    """What `ProximalNewton` computes of some of the rows: their scores, G and G⁺.

    Parameters
    ----------
    problem : Problem
    share : float
        The weight of these rows, by which all sums are multiplied.
    dual : ndarray of shape (n_samples, n_scores)
        G, not changed.
    """

    def __init__(self, problem, share, dual):
        self.problem, self.share = problem, share
        self.outer = self.dual = dual.astype(np.float64)
        self.scores = np.zeros_like(self.outer)
        self.change = self.hessian = self.at = None

    def along(self, direction):
        """Compute the scores of a direction, whose last row is that of the intercept: `envelope` moves along them."""
        self.change = product(self.problem.X, direction[:-1]) + direction[-1]

    def envelope(self, length, curvature):
        """Σ_i ω_i M_i, the gap and Σ_i ω_i ‖g_i⁺ − g_i‖², and the slope, so far along the direction."""
        problem, weights = self.problem, self.problem.weights
        scores = self.scores + length * self.change
        dual, *of_rows = prox_steps(problem.loss, self.outer, scores, problem.y, curvature, problem.margin)
        sums = [weighted_mean(weights, values) for values in of_rows]
        slope = weighted_mean(weights, np.einsum("ik,ik->i", dual, self.change))
        return self.share * np.array([*sums, slope])

    def pull(self, length, curvature):
        """Move so far along the direction; Σ_i ω_i g_i⁺ x_iᵀ and Σ_i ω_i g_i⁺ there."""
        problem, self.hessian = self.problem, None
        self.scores += length * self.change
        self.change = np.zeros_like(self.scores)
        self.dual, *_ = prox_steps(problem.loss, self.outer, self.scores, problem.y, curvature, problem.margin)
        weighted = (self.share * problem.weights)[:, None] * self.dual
        return np.vstack([transposed_product(problem.X, weighted), weighted.sum(axis=0)])

    def adopt(self):
        """G⁺ becomes G."""
        self.outer = self.dual

    def free_rows(self, most_bytes):
        """Return the rows that a Newton system looks at, their classes, weights and G⁺; None if they are too large."""
        problem = self.problem
        is_free = problem.loss.free(self.dual, problem.y) & (problem.weights > 0)[:, None]
        rows = np.flatnonzero(np.count_nonzero(is_free, axis=1) > problem.loss.sums_to_zero)
        if len(rows) * bytes_of_row(problem.X) > most_bytes:
            return None
        return problem.X[rows], problem.y[rows], self.share * problem.weights[rows], self.dual[rows]

    def system(self, mean, curvature):
        """Return the diagonal of these rows' part of the Hessian."""
        self.at = mean, curvature
        return self.share * self._hessian().system.diagonal

    def apply(self, direction):
        """Compute the product of their part of the Hessian with a direction."""
        return self.share * self._hessian().system.apply(direction)

    def _hessian(self):
        if self.hessian is None:
            mean, curvature = self.at
            self.hessian = Hessian(replace(self.problem, alpha=0.0), mean, self.dual, curvature, 0.0)
        return self.hessian
