"""Prox steps on all rows at once, solved by Newton's method: they finish fits for which minibatches are too slow.

One outer step of the proximal point method on the dual replaces every g_i by Prox(g_i, W x_i + b, ρ), where (W, b)
minimises the smooth and convex

    φ(W, b) = alpha/2 ‖W‖² + Σ_i ω_i M_i(W x_i + b),
    M_i(s)  = max_{g ∈ D_y} ⟨g, s⟩ + Δ c(g) − ρ/2 ‖g − g_i‖²        with ∇M_i(s) = Prox(g_i, s, ρ) = g_i⁺.

At the minimum W = W(G⁺) and Σ_i ω_i g_i⁺ = 0: the intercept needs no treatment of its own. φ is piecewise quadratic,
and `newton_system` solves its systems. The smaller ρ is, the longer is the outer step and the harder is the inner
problem. ρ follows the number of Newton steps that the inner problems take.

References
----------
Rockafellar, Augmented Lagrangians and applications of the proximal point algorithm in convex programming, 1976.
Li, Sun and Toh, A highly efficient semismooth Newton augmented Lagrangian method for solving Lasso problems, 2018.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from linear_hinge.kernels.products import product, transposed_product
from linear_hinge.kernels.row_losses import prox_steps
from linear_hinge.linalg.row_space import row_space
from linear_hinge.linalg.sums import combination, inner, weighted_mean
from linear_hinge.solvers.newton_system import Hessian

# An inner problem is solved when its error costs the outer step less than this share of its gain.
INNER_ACCURACY = 0.1

# After this number of Newton steps an inner problem is given up and made easier.
MAX_NEWTON_STEPS = 40

# ρ is multiplied by the factor of the first pair whose number of Newton steps the last inner problem did not exceed, or
# else by the relief.
CURVATURE_FACTORS = ((3, 0.1), (15, 0.3), (MAX_NEWTON_STEPS - 1, 0.6))
CURVATURE_RELIEF = 4.0

# A Newton step ends where φ has fallen by the share `ARMIJO` of what its first slope promises, and the slope is at most
# the share `FLAT` of the first slope. After `FEW_TRIALS` trials any lower φ is accepted.
ARMIJO = 1e-4
FLAT = 0.3
FEW_TRIALS, MAX_TRIALS = 6, 30
NEAREST = 0.1  # the least distance of a trial from the ends of its interval, as a share of the interval
ROUNDING = 8  # the rounding error of φ, in units of the precision
MAX_BLIND_STEPS = 12


class Point(NamedTuple):
    """Coefficients, and φ there.

    Attributes
    ----------
    stacked : ndarray of shape (n_features + 1, n_scores)
        Wᵀ and, in the last row, the intercept of the centred rows.
    scores, dual : ndarray of shape (n_samples, n_scores)
        S and G⁺.
    phi : float
        φ(W, b).
    gap : float
        Σ_i ω_i (ℓ_i(s_i) − Δ c(g_i⁺)).
    moved : float
        Σ_i ω_i ‖g_i⁺ − g_i‖².
    """

    stacked: np.ndarray
    scores: np.ndarray
    dual: np.ndarray
    phi: float
    gap: float
    moved: float


class ProximalNewton:
    """The iterate of the proximal point method and the Newton steps that move it.

    Parameters
    ----------
    problem : Problem
        The data and the constants of P.
    dual : ndarray of shape (n_samples, n_scores)
        The subgradients G to start from, which are not changed.
    coef : ndarray of shape (n_features, n_scores)
        Wᵀ to start from, which is not changed.
    intercept : ndarray of shape (n_scores,)
        The intercept b to start from.
    curvature : float
        The first ρ.
    exact : bool
        Whether to solve every Newton system to rounding. Few dense rows then get coordinates of their own.

    Attributes
    ----------
    gap : float
        An estimate of P(W, b) − D(G⁺) after the last step, which takes Σ_i ω_i g_i⁺ for zero.
    least_gap : float
        The least gap so far.
    stalled : bool
        Whether rounding prevents further steps.
    work : float
        The cost of the last step, in passes over the data.
    """

    def __init__(self, problem, dual, coef, intercept, curvature, *, exact=False):
        self.basis = None
        if exact and problem.X.shape[0] < problem.X.shape[1] and not sp.issparse(problem.X):
            coordinates, self.basis = row_space(problem.X)
            problem, coef = replace(problem, X=coordinates), transposed_product(self.basis, coef)
        self.problem = problem
        self.outer_dual = dual.astype(np.float64, copy=False)
        self.curvature = curvature
        self.exact = exact
        self.n_newton = 0
        self.n_blind = 0
        self.gap = self.least_gap = np.inf
        self.gradient = self.factors = None
        self.stalled = False
        self.work = 0.0
        self.mean = self._mean()
        # The coefficients are float64 whatever X is: near the end φ is a small difference of large numbers.
        stacked = np.vstack([coef, intercept + combination(self.mean, coef)]).astype(np.float64)
        self.point = self._point(stacked, self._scores(stacked))

    def _mean(self):
        """μ, zero without an intercept."""
        problem = self.problem
        return problem.mean if problem.fit_intercept else np.zeros(problem.X.shape[1])

    def coefficients(self):
        """Return Wᵀ and b, as `primal_objective` takes them."""
        coef = np.array(self.point.stacked[:-1])
        intercept = self.point.stacked[-1] - combination(self.mean, coef)
        return coef if self.basis is None else product(self.basis, coef), intercept

    def step(self):
        """Make one Newton step, after an outer step if the inner problem is solved."""
        self.work = 0.0
        if self.gradient is None:
            self.gradient = self._gradient()
        if self._is_solved(self.gradient):
            self._outer_step()
            self.gradient = self._gradient()
        imbalance = np.abs(self.gradient[-1]).sum()
        hessian = self._hessian(imbalance)
        direction, n_steps = hessian.solve(-self.gradient, self.exact)
        self.factors = hessian.factors
        self.work += n_steps * hessian.share_of_rows
        moved = self._line_search(direction, inner(self.gradient, direction))
        if moved:
            # The gap is computed now, because after the outer step that may follow it is smaller than before.
            self.gradient = self._gradient()
        self.least_gap = min(self.least_gap, self.gap)
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

    def _hessian(self, imbalance):
        return Hessian(self.problem, self.mean, self.point.dual, self.curvature, imbalance, self.factors)

    def _adopt(self):
        """G⁺ becomes the G of the next outer step."""
        self.outer_dual = self.point.dual

    def _dual_sums(self):
        """Σ_i ω_i g_i⁺ x_iᵀ, transposed, and Σ_i ω_i g_i⁺."""
        weighted = self.problem.weights[:, None] * self.point.dual
        return transposed_product(self.problem.X, weighted), weighted.sum(axis=0)

    def _gradient(self):
        """Compute ∇φ, of shape (n_features + 1, n_scores), and the gap, which takes little more."""
        self.work += 0.5
        problem = self.problem
        dual_part, total = self._dual_sums()
        point = self.point
        dual_part = dual_part - np.multiply.outer(self.mean, total)  # −alpha W(G⁺)ᵀ
        coef = point.stacked[:-1]
        of_coef, of_dual = inner(coef, coef), inner(dual_part, dual_part)
        self.gap = point.gap + 0.5 * problem.alpha * of_coef + 0.5 / problem.alpha * of_dual
        return np.vstack([problem.alpha * coef + dual_part, total * problem.fit_intercept])

    def _is_solved(self, gradient):
        if self.n_newton >= MAX_NEWTON_STEPS:
            return True
        # This would be the error of φ if its Hessian were alpha in W and 1/ρ in b.
        error = inner(gradient[:-1], gradient[:-1]) / (2 * self.problem.alpha)
        error += 0.5 * self.curvature * inner(gradient[-1:], gradient[-1:])
        return error <= INNER_ACCURACY * 0.5 * self.curvature * self.point.moved

    def _outer_step(self):
        factors = [factor for most, factor in CURVATURE_FACTORS if self.n_newton <= most]
        self.curvature *= factors[0] if factors else CURVATURE_RELIEF
        self._adopt()
        self.n_newton = 0
        self.point = self._point(self.point.stacked, self.point.scores)

    def _line_search(self, direction, slope):
        """Follow a direction to where φ is nearly lowest, by regula falsi on its slope; return whether φ fell.

        Near the end φ falls by less than its rounding error, and the full step is still right; a few such steps in a
        row are allowed.
        """
        start, found = self.point, None
        precision = ROUNDING * np.finfo(direction.dtype).eps
        # Where φ is far below Δ, as on separable data, it is a small difference of terms as large as Δ.
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
        """Compute the derivative of φ along the direction."""
        along = self.problem.alpha * inner(point.stacked[:-1], direction[:-1])
        return along + self._dual_along(point, change)

    def _dual_along(self, point, change):
        """Σ_i ω_i ⟨g_i⁺, change_i⟩."""
        return weighted_mean(self.problem.weights, np.einsum("ik,ik->i", point.dual, change))


def _between(left, right):
    """Return where a line through two points (length, slope) vanishes, away from both points."""
    (first, falling), (last, rising) = left, right
    share = falling / (falling - rising) if falling < rising else 0.5
    return first + min(max(share, NEAREST), 1 - NEAREST) * (last - first)
