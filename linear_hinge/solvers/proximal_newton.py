"""Prox steps on all rows at once, solved by Newton's method: what finishes a fit that minibatches alone would not.

One outer step of the proximal point method on the dual replaces every g_i by Prox(g_i, W x_i + b, ρ), where (W, b)
minimises the smooth and convex

    φ(W, b) = alpha/2 ‖W‖² + Σ_i ω_i M_i(W x_i + b),
    M_i(s)  = max_{g ∈ D_y} ⟨g, s⟩ + Δ c(g) − ρ/2 ‖g − g_i‖²        with ∇M_i(s) = Prox(g_i, s, ρ) = g_i⁺.

At the minimum W = W(G⁺) and Σ_i ω_i g_i⁺ = 0: the intercept needs no treatment of its own. φ is piecewise quadratic,
and `newton_system` solves its systems. The smaller ρ, the longer the outer step and the harder the inner problem. ρ
follows the number of Newton steps that it took.

References
----------
Rockafellar, Augmented Lagrangians and applications of the proximal point algorithm in convex programming, 1976.
Li, Sun and Toh, A highly efficient semismooth Newton augmented Lagrangian method for solving Lasso problems, 2018.
"""

from typing import NamedTuple

import numpy as np

from linear_hinge.kernels.products import product, transposed_product, weighted_sum
from linear_hinge.kernels.row_losses import prox_steps
from linear_hinge.linalg.sums import combination, inner, weighted_mean
from linear_hinge.solvers.newton_system import Hessian

# An inner problem is solved when its error costs the outer step less than this part of what it gains.
INNER_ACCURACY = 0.1

# Newton steps after which an inner problem is given up and made easier.
MAX_NEWTON_STEPS = 40

# How ρ follows the number of Newton steps of the last inner problem: the first line that it does not exceed.
CURVATURE_FACTORS = ((3, 0.1), (15, 0.3), (MAX_NEWTON_STEPS - 1, 0.6))
CURVATURE_RELIEF = 4.0

# A Newton step ends where φ has fallen by this part of what its slope promises, and where the slope is this part of the
# first, unless few trials have not found such a point.
ARMIJO = 1e-4
FLAT = 0.3
FEW_TRIALS, MAX_TRIALS = 6, 30
NEAREST = 0.1  # that a trial comes to the ends of its interval, in parts of it
ROUNDING = 8  # of φ, in units of the precision
MAX_BLIND_STEPS = 12


class Point(NamedTuple):
    """Coefficients and what φ is there."""

    stacked: np.ndarray  # (n_features + 1, n_scores): Wᵀ and, in the last row, the intercept of the centred rows
    scores: np.ndarray  # (n_samples, n_scores)
    dual: np.ndarray  # (n_samples, n_scores): G⁺
    phi: float
    gap: float  # Σ_i ω_i (ℓ_i(s_i) − Δ c(g_i⁺))
    moved: float  # Σ_i ω_i ‖g_i⁺ − g_i‖²


class ProximalNewton:
    """The iterate of the proximal point method and the Newton steps that move it.

    Parameters
    ----------
    problem : Problem
    dual : ndarray of shape (n_samples, n_scores)
        G to start from; not changed.
    coef : ndarray of shape (n_features, n_scores)
        Wᵀ to start from; not changed.
    intercept : ndarray of shape (n_scores,)
    curvature : float
        The first ρ.
    exact : bool
        Whether to solve every Newton system to rounding.

    Attributes
    ----------
    gap : float
        P(W, b) − D(G⁺) after the last step, as if Σ_i ω_i g_i⁺ = 0: an estimate.
    stalled : bool
        Whether rounding leaves no way down.
    work : float
        What the last step cost, in passes over the data.
    """

    def __init__(self, problem, dual, coef, intercept, curvature, *, exact=False):
        self.problem = problem
        self.outer_dual = dual.astype(np.float64, copy=False)
        self.curvature = curvature
        self.exact = exact
        self.n_newton = 0
        self.n_blind = 0
        self.gap = np.inf
        self.gradient = self.factors = None
        self.stalled = False
        self.work = 0.0
        self.mean = np.zeros(problem.X.shape[1])
        if problem.fit_intercept:
            self.mean = weighted_sum(problem.X, problem.weights)
        # In float64 whatever X is: near the end φ is a small difference of large numbers.
        stacked = np.vstack([coef, intercept + combination(self.mean, coef)]).astype(np.float64)
        self.point = self._point(stacked, self._scores(stacked))

    def coefficients(self):
        """Wᵀ and b, as `primal_objective` takes them."""
        coef = np.array(self.point.stacked[:-1])
        return coef, self.point.stacked[-1] - combination(self.mean, coef)

    def step(self):
        """One Newton step, after an outer step if the inner problem is solved."""
        self.work = 0.0
        if self.gradient is None:
            self.gradient = self._gradient()
        if self._is_solved(self.gradient):
            self._outer_step()
            self.gradient = self._gradient()
        imbalance = np.abs(self.gradient[-1]).sum()
        hessian = Hessian(self.problem, self.mean, self.point.dual, self.curvature, imbalance, self.factors)
        direction, n_steps = hessian.solve(-self.gradient, self.exact)
        self.factors = hessian.factors
        self.work += n_steps * hessian.share_of_rows
        moved = self._line_search(direction, inner(self.gradient, direction))
        if moved:
            # Now, because the outer step that may follow leaves a smaller gap behind than it begins with.
            self.gradient = self._gradient()
        # Where nothing moves even after an outer step, there is nothing left to try.
        self.stalled = (not moved and self.n_newton == 0) or self.n_blind >= MAX_BLIND_STEPS
        self.n_newton = self.n_newton + 1 if moved else MAX_NEWTON_STEPS

    def _point(self, stacked, scores):
        problem, rho = self.problem, self.curvature
        dual, *of_rows = prox_steps(problem.loss, self.outer_dual, scores, problem.y, rho, problem.margin)
        envelope, gap, moved = (weighted_mean(problem.weights, values) for values in of_rows)
        coef = stacked[:-1]
        return Point(stacked, scores, dual, 0.5 * problem.alpha * inner(coef, coef) + envelope, gap, moved)

    def _scores(self, stacked):
        self.work += 0.5
        return product(self.problem.X, stacked[:-1]) + (stacked[-1] - combination(self.mean, stacked[:-1]))

    def _gradient(self):
        """∇φ, shape (n_features + 1, n_scores), and the gap, which it gives away."""
        self.work += 0.5
        problem, point = self.problem, self.point
        weighted = problem.weights[:, None] * point.dual
        total = weighted.sum(axis=0)
        dual_part = transposed_product(problem.X, weighted) - np.multiply.outer(self.mean, total)  # −alpha W(G⁺)ᵀ
        coef = point.stacked[:-1]
        of_coef, of_dual = inner(coef, coef), inner(dual_part, dual_part)
        self.gap = point.gap + 0.5 * problem.alpha * of_coef + 0.5 / problem.alpha * of_dual
        return np.vstack([problem.alpha * coef + dual_part, total * problem.fit_intercept])

    def _is_solved(self, gradient):
        if self.n_newton >= MAX_NEWTON_STEPS:
            return True
        # The error of φ, were its Hessian alpha in W and 1/ρ in b.
        error = inner(gradient[:-1], gradient[:-1]) / (2 * self.problem.alpha)
        error += 0.5 * self.curvature * inner(gradient[-1:], gradient[-1:])
        return error <= INNER_ACCURACY * 0.5 * self.curvature * self.point.moved

    def _outer_step(self):
        factors = [factor for most, factor in CURVATURE_FACTORS if self.n_newton <= most]
        self.curvature *= factors[0] if factors else CURVATURE_RELIEF
        self.outer_dual = self.point.dual
        self.n_newton = 0
        self.point = self._point(self.point.stacked, self.point.scores)

    def _line_search(self, direction, slope):
        """Follow the direction to where φ is nearly lowest, by regula falsi on its slope; whether φ fell.

        Near the end φ falls by less than its rounding, and the full step is right all the same; a few such steps in a
        row are allowed.
        """
        start, found = self.point, None
        precision = ROUNDING * np.finfo(direction.dtype).eps
        # Where φ is far below Δ, as on separable data, it is the small difference of terms as large as Δ.
        noise = precision * max(abs(start.phi), self.problem.margin)
        change = self._scores(direction)
        left, right = (0.0, slope), None
        length = 1.0
        for n_trials in range(1, MAX_TRIALS + 1):
            number = direction.dtype.type(length)
            trial = self._point(start.stacked + number * direction, start.scores + number * change)
            slope_there = self._slope(trial, direction, change)
            is_lower = trial.phi <= start.phi + ARMIJO * length * slope + (noise if length == 1 else 0.0)
            if is_lower and (found is None or trial.phi < found.phi):
                found = trial
            is_good = abs(slope_there) <= -FLAT * slope or abs(trial.phi - start.phi) <= noise
            if found is not None and (is_good or n_trials >= FEW_TRIALS or (length == 1 and slope_there < 0)):
                break
            if is_lower and slope_there < 0:
                left = length, slope_there
            else:
                right = length, max(slope_there, -slope if found is None else 0.0)
            length = _between(left, right)
        if found is None:
            return False
        self.n_blind = self.n_blind + 1 if found.phi > start.phi - precision * abs(start.phi) else 0
        self.point = found
        return True

    def _slope(self, point, direction, change):
        """The derivative of φ along the direction."""
        along = self.problem.alpha * inner(point.stacked[:-1], direction[:-1])
        return along + weighted_mean(self.problem.weights, np.einsum("ik,ik->i", point.dual, change))


def _between(left, right):
    """Where a line through two points (length, slope) vanishes, but not next to one of them."""
    (first, falling), (last, rising) = left, right
    share = falling / (falling - rising) if falling < rising else 0.5
    return first + min(max(share, NEAREST), 1 - NEAREST) * (last - first)
