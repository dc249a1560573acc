"""Newton systems over the free entries of the rows: those of NumPy specify ``newton_system.pxi``.

A system consists of rows with free entries, their stiffness ω_i/ρ and the Jacobian J_i of a projection onto D_y:

    alpha dW + Σ_i (ω_i/ρ) J_i (dW x_i + db) x_iᵀ = R_W,      Σ_i (ω_i/ρ) J_i (dW x_i + db) + damping db = R_b

for centred x_i. J_i is the identity on the free entries of a row, less their mean where subgradients sum to zero.

References
----------
Hestenes and Stiefel, Methods of conjugate gradients for solving linear systems, J. Res. NBS 1952.
"""

import numpy as np

from linear_hinge.kernels import door
from linear_hinge.kernels.block_preconditioner import block_factors, solve_blocks
from linear_hinge.kernels.products import product, squared_transposed_product, transposed_product
from linear_hinge.linalg.sums import combination, inner

# Rows are gathered for the conjugate gradients if they are at most this share of all rows: more would be a copy of X.
LARGEST_GATHERED = 0.25


def newton_system(X, rows, free, stiffness, mean, *, alpha, damping, sums_to_zero, fit_intercept):
    """Make the system of some rows of X.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        All rows.
    rows : ndarray of shape (n_rows,)
        Numbers of the rows that have free entries.
    free : ndarray of shape (n_samples, n_scores), dtype=bool
        The free entries, as `HingeLoss.free` finds them.
    stiffness : ndarray of shape (n_samples,)
        The stiffness ω_i/ρ of every row.
    mean : ndarray of shape (n_features,)
        The mean μ, which is subtracted from the rows.
    alpha, damping : float
        What is added to the diagonal: for the features, and for the intercepts.
    sums_to_zero, fit_intercept : bool
        Whether subgradients sum to zero, and whether there is an intercept.

    Returns
    -------
    CompiledSystem or NumpySystem
        The system, compiled where that is possible.
    """
    constants = {"alpha": alpha, "damping": damping, "sums_to_zero": sums_to_zero, "fit_intercept": fit_intercept}
    pairs = door.entries(X, rows, free[rows], LARGEST_GATHERED)
    if pairs is not None:
        return CompiledSystem(pairs, stiffness[rows], mean, **constants)
    if len(rows) > LARGEST_GATHERED * len(free):
        rows = slice(None)
    return NumpySystem(X[rows], free[rows], stiffness[rows], mean, **constants)


class System:
    """The common part of both kinds of systems.

    Parameters
    ----------
    stiffness : ndarray of shape (n_rows,)
        The stiffness ω_i/ρ of the rows.
    mean : ndarray of shape (n_features,)
        The mean μ, which is subtracted from the rows.
    alpha, damping : float
        What is added to the diagonal: for the features, and for the intercepts.
    sums_to_zero, fit_intercept : bool
        Whether subgradients sum to zero, and whether there is an intercept.

    Attributes
    ----------
    own : ndarray
        The numbers (ω_i/ρ) (J_i)_kk of the free entries.
    diagonal : ndarray of shape (n_features + 1, n_scores)
        Σ_i (ω_i/ρ) (J_i)_kk (x_ij − μ_j)² + alpha and, in the last row, Σ_i (ω_i/ρ) (J_i)_kk + damping.
    """

    def __init__(self, stiffness, mean, *, alpha, damping, sums_to_zero, fit_intercept):
        self.stiffness, self.mean, self.alpha, self.damping = stiffness, mean, alpha, damping
        self.sums_to_zero, self.fit_intercept = sums_to_zero, fit_intercept
        self.own = self._own()
        self.diagonal = self._diagonal(*self._sums(self.own))

    def class_blocks(self):
        """Compute the Cholesky factors of the class blocks, for `solve`: see `block_factors`."""
        raise NotImplementedError

    def apply(self, direction):
        """Multiply the matrix of the system by a direction.

        Parameters
        ----------
        direction : ndarray of shape (n_features + 1, n_scores)
            (dW, db), transposed.

        Returns
        -------
        ndarray of shape (n_features + 1, n_scores)
            The left-hand sides of the system.
        """
        raise NotImplementedError

    def solve(self, rhs, start, factors, accuracy, most_steps):
        """Solve the system by preconditioned conjugate gradients.

        Parameters
        ----------
        rhs, start : ndarray of shape (n_features + 1, n_scores)
            The right-hand sides R, and where the iteration starts.
        factors : ndarray of shape (n_scores, n_features + 1, n_features + 1) or None
            The factors of the class blocks, which precondition the system; None for its diagonal.
        accuracy : float
            The energy norm of the residual that ends the iteration, relative to that of ``rhs``.
        most_steps : int
            The number of steps that ends it in any case.

        Returns
        -------
        solution : ndarray of shape (n_features + 1, n_scores)
            (dW, db), transposed.
        n_steps : int
            Number of steps.
        """
        raise NotImplementedError

    def preconditioned(self, residual, factors):
        """Divide a residual by the diagonal, or solve it with the class blocks.

        Parameters
        ----------
        residual : ndarray of shape (n_features + 1, n_scores)
            What is left of the right-hand sides.
        factors : ndarray of shape (n_scores, n_features + 1, n_features + 1) or None
            The factors of the class blocks; None for the diagonal.

        Returns
        -------
        ndarray of shape (n_features + 1, n_scores)
            The preconditioned residual.
        """
        solved = residual / self.diagonal if factors is None else solve_blocks(factors, residual)
        return self._without_common(solved)

    def _own(self):
        raise NotImplementedError

    def _sums(self, own):
        """Compute Σ_i own_ik, Σ_i own_ik x_i² and, if the mean is not zero, Σ_i own_ik x_i."""
        raise NotImplementedError

    def _diagonal(self, total, squares, cross):
        if cross is not None:
            squares = squares + self.mean[:, None] * (self.mean[:, None] * total - 2 * cross)
        diagonal = np.vstack([np.maximum(squares, 0) + self.alpha, total]).astype(self.stiffness.dtype)
        # Without an intercept, its gradient and its step are zero; any positive number will do.
        diagonal[-1] += self.damping if self.fit_intercept else 1
        return diagonal

    def _without_common(self, direction):
        """Remove the mean of the intercepts, where it changes nothing: rounding must not move them along it."""
        if self.sums_to_zero:
            direction[-1] -= direction[-1].mean()
        return direction


class CompiledSystem(System):
    """A system that is solved by compiled code.

    Parameters
    ----------
    pairs : compiled.Entries
        The free entries, row by row.
    stiffness : ndarray of shape (n_rows,)
        The stiffness ω_i/ρ of the rows.
    mean : ndarray of shape (n_features,)
        The mean μ, which is subtracted from the rows.
    **constants : dict
        The other parameters of `System`.
    """

    def __init__(self, pairs, stiffness, mean, **constants):
        self.pairs = pairs
        super().__init__(stiffness, mean, **constants)
        self.compiled = door.newton_system(pairs, stiffness, mean, **constants)

    def class_blocks(self):
        added = {"alpha": self.alpha, "damping": self.damping, "fit_intercept": self.fit_intercept}
        return door.class_blocks(self.pairs, self.own, self.mean, **added)

    def apply(self, direction):
        return self.compiled.apply(direction).astype(direction.dtype, copy=False)

    def solve(self, rhs, start, factors, accuracy, most_steps):
        solution, n_steps = self.compiled.solve(rhs, start, self.diagonal, factors, accuracy, most_steps)
        return solution.astype(rhs.dtype, copy=False), n_steps

    def _own(self):
        counts = self.pairs.counts
        return np.repeat(self.stiffness * (1 - self.sums_to_zero / np.maximum(counts, 1)), counts)

    def _sums(self, own):
        cross = self.pairs.sums(own).T if self.mean.any() else None
        return self.pairs.totals(own), self.pairs.sums(own, is_squared=True).T, cross


class NumpySystem(System):
    """A system in NumPy, over all entries of its rows.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_rows, n_features)
        The rows.
    free : ndarray of shape (n_rows, n_scores), dtype=bool
        Which of their entries are free.
    stiffness : ndarray of shape (n_rows,)
        The stiffness ω_i/ρ of the rows.
    mean : ndarray of shape (n_features,)
        The mean μ, which is subtracted from the rows.
    **constants : dict
        The other parameters of `System`.
    """

    def __init__(self, X, free, stiffness, mean, **constants):
        self.X, self.free = X, free.astype(stiffness.dtype)
        self.n_free = np.maximum(self.free.sum(axis=1), 1)
        super().__init__(stiffness, mean, **constants)

    def class_blocks(self):
        return block_factors(self)

    def apply(self, direction):
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

    def solve(self, rhs, start, factors, accuracy, most_steps):
        solution = start
        residual = self._without_common(np.array(rhs))
        preconditioned = self.preconditioned(residual, factors)
        energy = first_energy = inner(residual, preconditioned)
        if start.any():
            residual = residual - self._without_common(self.apply(start))
            preconditioned = self.preconditioned(residual, factors)
            energy = inner(residual, preconditioned)
        conjugate = preconditioned
        n_steps = 0
        while n_steps < most_steps and energy > accuracy**2 * first_energy:
            along = self._without_common(self.apply(conjugate))
            quadratic = inner(conjugate, along)
            if not quadratic > 0:
                break
            length = energy / quadratic
            solution = solution + length * conjugate
            residual = residual - length * along
            preconditioned = self.preconditioned(residual, factors)
            last_energy, energy = energy, inner(residual, preconditioned)
            conjugate = preconditioned + (energy / last_energy) * conjugate
            n_steps += 1
        return solution, n_steps

    def _own(self):
        return self.free * (1 - self.sums_to_zero / self.n_free)[:, None] * self.stiffness[:, None]

    def _sums(self, own):
        cross = transposed_product(self.X, own) if self.mean.any() else None
        return own.sum(axis=0), squared_transposed_product(self.X, own), cross
