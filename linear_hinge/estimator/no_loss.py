"""The fit of a problem without a loss, which takes no passes."""

import numpy as np
import scipy.sparse as sp

from linear_hinge.solvers.progress import Progress


class NoLoss:
    """A solver for the case that there is no loss, and zero is the optimum.

    A single class has a weight, or no distance is asked between those that have one.
    """

    n_rounds = 1
    finished = converged = True

    @staticmethod
    def suits(problem, classes):
        """Return whether there is nothing to fit."""
        return len(classes.weighted) == 1 or problem.objective_of_zero == 0

    def __init__(self, problem, has_proof):
        self.problem = problem
        self.has_proof = has_proof

    def change_alpha(self, problem):
        """Begin with another alpha, which changes nothing."""
        self.problem = problem

    def run_pass(self, is_last):
        """Return the optimum."""
        coef = np.zeros((self.problem.X.shape[1], self.problem.n_scores), self.problem.X.dtype)
        return Progress(coef, coef.sum(axis=0), 0.0, 0.0 if self.has_proof else np.nan, 0.0)

    def certify(self):
        """Return the optimum again."""
        return self.run_pass(is_last=True)

    def early_advice(self):
        """Return None, because the fit is finished."""
        return None

    def steps_to_save(self):
        """Return None, because there are no steps."""
        return None

    def attributes(self):
        """Return the attributes of the fitted estimator besides the coefficients."""
        if not self.has_proof:
            return {"t_": 0}
        dual = sp.csr_array((len(self.problem.y), self.problem.n_scores), dtype=self.problem.X.dtype)
        certificate = {"dual_objective_": 0.0, "duality_gap_": 0.0, "dual_coef_": dual}
        return {"t_": 0, "support_": np.zeros(0, np.intp)} | certificate
