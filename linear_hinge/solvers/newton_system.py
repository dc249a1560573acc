"""The Newton systems of the smoothed problem φ of `proximal_newton`.

A Newton step solves, by conjugate gradients preconditioned with the diagonal or with class blocks,

    alpha dW + Σ_i (ω_i/ρ) J_i (dW x_i + db) x_iᵀ = −∇_W φ,      Σ_i (ω_i/ρ) J_i (dW x_i + db) = −∇_b φ,

with the Jacobian J_i of the projection onto D_y. It vanishes for all rows but those with a free subgradient, the
support vectors on the margin, and there for all classes but the free ones: the conjugate gradients work on these only.
"""

import numpy as np
import scipy.sparse as sp

from linear_hinge.kernels.newton_system import newton_system

# The result of conjugate gradients that end early depends on rounding. Few rows are worth an exact solution, which does
# not depend on their order or repetition.
CG_ACCURACY = 0.1
EXACT_CG_POWER = 2 / 3  # the exact solution has this power of the precision
MAX_CG_STEPS = 500

# Class blocks are made once a system has taken `MANY_CG_STEPS` steps without them, or as many as they cost, and are
# kept for later systems. For an exact solution, blocks that cost at most `CHEAP_BLOCKS` steps are made at once. For
# other solutions they are not: more exact Newton steps were more in number.
MANY_CG_STEPS = 50
CHEAP_BLOCKS = 25
LARGEST_BLOCKS = 2**21  # numbers: more would be a large matrix beside X

# The Hessian vanishes in the intercept of a class without a free row. A damping of this share of |Σ_i ω_i g_i| / ρ lets
# the intercept move about as far as makes a row free, and vanishes at the end.
INTERCEPT_DAMPING = 1e-3
SMALLEST_IMBALANCE = 1e-12


class Hessian:
    """The Hessian of φ, from the rows that have free entries.

    Parameters
    ----------
    problem : Problem
        The data and the constants of P.
    mean : ndarray of shape (n_features,)
        The mean μ, which is subtracted from the rows.
    dual : ndarray of shape (n_samples, n_scores)
        G⁺.
    curvature : float
        ρ.
    imbalance : float
        Σ_k |Σ_i ω_i g_ik⁺|.
    factors : ndarray of shape (n_scores, n_features + 1, n_features + 1), optional
        Factors of the class blocks of an earlier system.

    Attributes
    ----------
    share_of_rows : float
        The share of the rows that a product with the Hessian reads.
    system : System
        The matrix.
    factors : ndarray of shape (n_scores, n_features + 1, n_features + 1) or None
        The factors of the class blocks of this system or of an earlier one.
    """

    def __init__(self, problem, mean, dual, curvature, imbalance, factors=None):
        free = problem.loss.free(dual, problem.y) & (problem.weights > 0)[:, None]
        sums_to_zero = problem.loss.sums_to_zero
        rows = np.flatnonzero(np.count_nonzero(free, axis=1) > sums_to_zero)
        self.share_of_rows = len(rows) / len(free)
        self.system = newton_system(
            problem.X,
            rows,
            free,
            (problem.weights / curvature).astype(dual.dtype),
            mean,
            alpha=problem.alpha,
            damping=intercept_damping(problem, curvature, imbalance),
            sums_to_zero=sums_to_zero,
            fit_intercept=problem.fit_intercept,
        )
        self.factors = factors
        self.cost_of_blocks = cost_of_blocks(problem.X, np.count_nonzero(self.system.own), problem.n_scores)

    def solve(self, rhs, exact=False):
        """Solve the system, to rounding if ``exact``; return the solution and its cost in steps, with new blocks."""
        accuracy = float(np.finfo(rhs.dtype).eps) ** EXACT_CG_POWER if exact else CG_ACCURACY
        cost = self.cost_of_blocks
        solution, n_steps = np.zeros_like(rhs), 0
        if not exact or cost > CHEAP_BLOCKS:
            most_steps = int(min(max(cost, MANY_CG_STEPS), MAX_CG_STEPS))
            solution, n_steps = self.system.solve(rhs, solution, self.factors, accuracy, most_steps)
            if n_steps < most_steps or most_steps == MAX_CG_STEPS:
                return solution, n_steps
        self.factors = self.system.class_blocks()
        solution, more_steps = self.system.solve(rhs, solution, self.factors, accuracy, MAX_CG_STEPS)
        return solution, n_steps + cost + more_steps


def intercept_damping(problem, curvature, imbalance):
    """Compute the damping of the intercept for |Σ_i ω_i g_i|, ``imbalance``; zero without an intercept."""
    return INTERCEPT_DAMPING / curvature * max(imbalance, SMALLEST_IMBALANCE) if problem.fit_intercept else 0.0


def cost_of_blocks(X, n_entries, n_scores):
    """Estimate the cost of class blocks, in products with a system of ``n_entries`` entries; inf if too large."""
    n_rows, n_features = X.shape
    if n_scores * n_features**2 > LARGEST_BLOCKS:
        return np.inf
    per_row = X.nnz / n_rows if sp.issparse(X) else n_features
    multiplications = n_entries * per_row**2 / 2 + n_scores * n_features**3 / 6
    return multiplications / (2 * max(1, n_entries * per_row))
