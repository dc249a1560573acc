"""The best coefficients that a fit has looked at."""

import numpy as np

from linear_hinge.problem.problem import FAR_SCALES, SCALES, primal_objective, rounding_matters, scaled_objective

ROUNDED = 1e-5  # part of the objective that rounding of the coefficients may add unnoticed


class Incumbent:
    """W and b with the least objective of those that were offered, and what W = 0 would give.

    Zero is known without a look at the data: no loss is negative, and of equal scores all are the same. It predicts
    nothing, so it is kept only until something is offered, or where it is the proven solution.

    Parameters
    ----------
    problem : Problem

    Attributes
    ----------
    coef : ndarray of shape (n_features, n_scores), dtype as ``problem.dtype``
        Wᵀ.
    intercept : ndarray of shape (n_scores,), likewise
    objective : float
        P(W, b).
    """

    def __init__(self, problem):
        self.problem = problem
        self.coef = np.zeros((problem.X.shape[1], problem.n_scores), problem.dtype)
        self.intercept = np.zeros(problem.n_scores, problem.dtype)
        self.objective = self.objective_of_zero = problem.objective_of_zero
        self.is_zero, self.is_settled, self.is_rounded = True, True, False

    @property
    def least(self):
        """The least objective that is known."""
        return min(self.objective, self.objective_of_zero)

    def offer(self, coef, intercept, *, is_far=False):
        """Keep the best multiple of these coefficients, for centred rows, if it is better than what is kept.

        Far from the end they may be much too long or too short.
        """
        scales = FAR_SCALES if is_far else SCALES
        objective, scale = scaled_objective(self.problem, coef, intercept, scales)
        is_first = self.is_zero or not np.isfinite(objective)  # what overflows ends the fit
        if not (is_first or objective < self.objective):
            return
        if is_first or not self.is_rounded:
            np.multiply(coef, scale, out=self.coef, casting="same_kind")  # without another array of this size
            self._keep(self.coef, self.problem.given_intercept(self.coef, scale * intercept), objective)
            return
        for scale in scales:
            multiple = self._multiple(coef, intercept, scale)
            if (objective := primal_objective(self.problem, *multiple)) < self.objective:
                self._keep(*multiple, objective)

    def _multiple(self, coef, intercept, scale):
        """t W and the intercept of the rows that were given, as they are returned."""
        coef = (scale * coef).astype(self.coef.dtype, copy=False)
        return coef, self.problem.given_intercept(coef, scale * intercept).astype(self.coef.dtype)

    def _keep(self, coef, intercept, objective):
        if coef is not self.coef:
            self.coef[:] = coef
        self.intercept[:], self.objective = intercept, objective
        self.is_zero, self.is_settled = False, False

    def settle(self):
        """Compute the objective of the coefficients as they are returned, if rounding can matter.

        Where it does matter, it is computed of all that are offered from then on.
        """
        if not self.is_settled and rounding_matters(self.problem, self.coef, self.intercept, self.objective):
            before, self.objective = self.objective, primal_objective(self.problem, self.coef, self.intercept)
            self.is_rounded |= self.objective > (1 + ROUNDED) * before
        self.is_settled = True

    def become_zero(self):
        """Return to W = 0, which is proven to be as good."""
        self.coef[:], self.intercept[:] = 0, 0
        self.objective, self.is_zero, self.is_settled = self.objective_of_zero, True, True
