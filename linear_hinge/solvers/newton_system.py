"""The Newton systems of the smoothed problem φ of `proximal_newton`.

A Newton step solves, by conjugate gradients preconditioned with the diagonal or with `block_preconditioner`,

    alpha dW + Σ_i (ω_i/ρ) J_i (dW x_i + db) x_iᵀ = −∇_W φ,      Σ_i (ω_i/ρ) J_i (dW x_i + db) = −∇_b φ,

J_i the Jacobian of the projection onto D_y. It vanishes for all rows but those with a free subgradient, the support
vectors on the margin, and there for all classes but the free ones: the conjugate gradients see only these.
"""

import numpy as np

from linear_hinge.kernels.door import entries, newton_system
from linear_hinge.linalg.batches import squared_transposed_product
from linear_hinge.linalg.products import combination, inner, product, transposed_product
from linear_hinge.solvers.block_preconditioner import ClassBlocks, cost_of_blocks

# What conjugate gradients that end early leave depends on rounding. Few rows are worth an exact solution: the same one
# whatever their order or repetition.
CG_ACCURACY = 0.1
EXACT_CG_POWER = 2 / 3  # of the precision
MAX_CG_STEPS = 500

# Class blocks are made once a system has taken `MANY_CG_STEPS` steps without them, or as many as they cost, and serve
# the later systems as well. For an exact solution, those that cost at most `CHEAP_BLOCKS` steps are made at once. Not
# for others: the more exact Newton steps were, the more of them it took.
MANY_CG_STEPS = 50
CHEAP_BLOCKS = 25

# Rows are gathered for the conjugate gradients only if they are few: more would be a copy of X.
LARGEST_GATHERED = 0.25

# The Hessian vanishes in the intercept of a class without a free row. A damping of this part of |Σ_i ω_i g_i| / ρ lets
# it move about as far as makes a row free, and vanishes at the end.
INTERCEPT_DAMPING = 1e-3
SMALLEST_IMBALANCE = 1e-12


class Hessian:
    """The Hessian of φ, from the rows that have free entries.

    Attributes
    ----------
    share : float
        The part of the rows that a product with it looks at.
    blocks : ClassBlocks or None
        Those of this system or of an earlier one, given with ``blocks``.
    """

    def __init__(self, problem, mean, dual, curvature, imbalance, blocks=None):
        self.alpha = problem.alpha
        self.mean = mean
        self.sums_to_zero = problem.loss.sums_to_zero
        free = problem.loss.free(dual, problem.y) & (problem.weights > 0)[:, None]
        rows = np.flatnonzero(np.count_nonzero(free, axis=1) > self.sums_to_zero)
        self.share = len(rows) / len(free)
        self.entries = entries(problem.X, rows, free[rows], LARGEST_GATHERED)
        if self.entries is None:
            rows = slice(None) if self.share > LARGEST_GATHERED else rows
            self.X, self.free = problem.X[rows], free[rows].astype(dual.dtype)
            self.n_free = np.maximum(self.free.sum(axis=1), 1)
        self.stiffness = (problem.weights[rows] / curvature).astype(dual.dtype)
        self.diagonal = self._diagonal()
        self.damping = self.diagonal.dtype.type(0)
        if problem.fit_intercept:
            self.damping = INTERCEPT_DAMPING / curvature * max(imbalance, SMALLEST_IMBALANCE)
        # Without an intercept its gradient is zero, and so is its step; any positive number serves.
        self.diagonal[-1] += self.damping if problem.fit_intercept else 1
        self.fit_intercept = problem.fit_intercept
        self.system = newton_system(
            self.entries,
            self.stiffness,
            mean,
            alpha=self.alpha,
            damping=self.damping,
            sums_to_zero=self.sums_to_zero,
            fit_intercept=self.fit_intercept,
        )
        self.blocks = blocks
        self.cost_of_blocks = cost_of_blocks(problem.X, np.count_nonzero(self.own), problem.n_scores)

    def solve(self, rhs, exact=False):
        """The solution and the number of steps, with what new blocks cost."""
        accuracy = float(np.finfo(rhs.dtype).eps) ** EXACT_CG_POWER if exact else CG_ACCURACY
        cost = self.cost_of_blocks
        solution, n_steps = np.zeros_like(rhs), 0
        if not exact or cost > CHEAP_BLOCKS:
            most_steps = int(min(max(cost, MANY_CG_STEPS), MAX_CG_STEPS))
            solution, n_steps = self._conjugate_gradients(rhs, solution, accuracy, most_steps)
            if n_steps < most_steps or most_steps == MAX_CG_STEPS:
                return solution, n_steps
        self.blocks = ClassBlocks(self)
        solution, more_steps = self._conjugate_gradients(rhs, solution, accuracy, MAX_CG_STEPS)
        return solution, n_steps + cost + more_steps

    def _conjugate_gradients(self, rhs, start, accuracy, most_steps):
        """Preconditioned conjugate gradients; the solution and the number of steps."""
        if self.system is not None:
            factors = None if self.blocks is None else self.blocks.factors
            solution, n_steps = self.system.solve(rhs, start, self.diagonal, factors, accuracy, most_steps)
            return solution.astype(rhs.dtype, copy=False), n_steps
        solution = start
        residual = self._without_common(np.array(rhs))
        preconditioned = self._preconditioned(residual)
        energy = first_energy = inner(residual, preconditioned)
        if start.any():
            residual = residual - self._without_common(self.apply(start))
            preconditioned = self._preconditioned(residual)
            energy = inner(residual, preconditioned)
        conjugate = preconditioned
        n_steps = 0
        while n_steps < most_steps and energy > accuracy**2 * first_energy:
            along = self._without_common(self.apply(conjugate))
            curvature = inner(conjugate, along)
            if not curvature > 0:
                break
            length = energy / curvature
            solution = solution + length * conjugate
            residual = residual - length * along
            preconditioned = self._preconditioned(residual)
            last_energy, energy = energy, inner(residual, preconditioned)
            conjugate = preconditioned + (energy / last_energy) * conjugate
            n_steps += 1
        return solution, n_steps

    def apply(self, direction):
        """The product with a direction of shape (n_features + 1, n_scores)."""
        if self.system is not None:
            return self.system.apply(direction).astype(direction.dtype, copy=False)
        coef = direction[:-1]
        change = (product(self.X, coef) + (direction[-1] - combination(self.mean, coef))) * self.free
        if self.sums_to_zero:
            change -= self.free * (change.sum(axis=1) / self.n_free)[:, None]
        change *= self.stiffness[:, None]
        total = change.sum(axis=0)
        image = np.empty_like(direction)
        image[:-1] = self.alpha * coef + transposed_product(self.X, change) - np.multiply.outer(self.mean, total)
        image[-1] = (total + self.damping * direction[-1]) * self.fit_intercept
        return image

    def _preconditioned(self, residual):
        return self._without_common(residual / self.diagonal if self.blocks is None else self.blocks.solve(residual))

    def _without_common(self, direction):
        """Where a common level of the scores changes nothing, rounding must not move the intercepts along it."""
        if self.sums_to_zero:
            direction[-1] -= direction[-1].mean()
        return direction

    def _diagonal(self):
        """Its diagonal, Σ_i (ω_i/ρ) (J_i)_kk (x_ij − μ_j)² + alpha, shape (n_features + 1, n_scores).

        ``own`` are (ω_i/ρ) (J_i)_kk, of the entries or as a matrix.
        """
        if self.entries is not None:
            counts = self.entries.counts
            own = np.repeat(self.stiffness * (1 - self.sums_to_zero / np.maximum(counts, 1)), counts)
            total, squares = self.entries.totals(own), self.entries.sums(own, is_squared=True).T
        else:
            own = self.free * (1 - self.sums_to_zero / self.n_free)[:, None] * self.stiffness[:, None]
            total, squares = own.sum(axis=0), squared_transposed_product(self.X, own)
        if self.mean.any():  # without an intercept the rows are not centred
            cross = transposed_product(self.X, own) if self.entries is None else self.entries.sums(own).T
            squares = squares + self.mean[:, None] * (self.mean[:, None] * total - 2 * cross)
        self.own = own
        return np.vstack([np.maximum(squares, 0) + self.alpha, total]).astype(self.stiffness.dtype)
