"""The bracket of the optimum: the least objective and the greatest lower bound that a fit has found."""

from linear_hinge.linalg.batches import csr_of
from linear_hinge.problem.certificate import best_bound
from linear_hinge.solvers.incumbent import Incumbent
from linear_hinge.solvers.progress import Progress, relative_gap


class Bracket:
    """Both sides of the duality gap, and the solutions that they belong to.

    Parameters
    ----------
    problem : Problem
        The data and the constants of P.
    tol : float
        The relative duality gap that ends the fit.

    Attributes
    ----------
    incumbent : Incumbent
        The best coefficients.
    dual : sparse array of shape (n_samples, n_scores), dtype=float64
        The feasible, balanced G of the best bound, most of whose entries are zero; None before there is a bound.
    dual_objective : float
        The best bound.
    converged : bool
        Whether the gap was closed at the last `progress`.
    """

    def __init__(self, problem, tol):
        self.problem = problem
        self.tol = tol
        self.incumbent = Incumbent(problem)
        self.dual = None
        self.dual_objective = 0.0
        self.converged = False

    @property
    def objective(self):
        """The least known objective."""
        return self.incumbent.least

    @property
    def gap(self):
        """The proven gap of the least known objective."""
        return self.objective - self.dual_objective

    @property
    def proven_objective(self):
        """The best bound, lowered to the objective of the coefficients where rounding leaves it above."""
        return min(self.dual_objective, self.incumbent.objective)

    @property
    def relative_gap(self):
        """(P − D)/P of the best coefficients, 0 where P is zero."""
        return float(relative_gap(self.incumbent.objective, self.proven_objective))

    def prove(self, dual):
        """Prove a bound with subgradients, which are kept if it is the best.

        Parameters
        ----------
        dual : ndarray of shape (n_samples, n_scores)
            Feasible subgradients G.
        """
        bound, feasible = best_bound(self.problem, dual, self.objective)
        if bound > self.dual_objective:
            self.dual_objective, self.dual = bound, csr_of(feasible)

    def progress(self, work, *, is_last):
        """Return the `Progress` of the fit.

        Parameters
        ----------
        work : float
            The cost of the last pass, in passes over the data.
        is_last : bool
            Whether the fit ends here, even if the gap is open.
        """
        incumbent = self.incumbent
        if self._is_closed(self.objective) or is_last:
            incumbent.settle()
        self.converged = self._is_closed(self.objective)
        if self.converged and not self._is_closed(incumbent.objective):
            incumbent.become_zero()
        return Progress(incumbent.coef, incumbent.intercept, incumbent.objective, self.proven_objective, work)

    def _is_closed(self, objective):
        return objective - self.dual_objective <= self.tol * objective
