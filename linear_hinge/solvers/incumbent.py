"""The best coefficients that a fit has evaluated."""

import numpy as np

from linear_hinge.problem.objective import SCALES, primal_objective, rounding_matters, scaled_objective

ROUNDED = 1e-5  # share of the objective that rounding of the coefficients may add without notice


class Incumbent:
    """The offered W and b with the least objective, and the objective of W = 0.

    The objective of zero does not depend on the rows. Zero predicts nothing, so that it is kept only until coefficients
    are offered, or where it is the proven solution.

    Parameters
    ----------
    problem : Problem
        The data and the constants of P.

    Attributes
    ----------
    coef : ndarray of shape (n_features, n_scores), dtype as ``problem.dtype``
        Wᵀ.
    intercept : ndarray of shape (n_scores,), dtype as ``problem.dtype``
        The intercept b of the given rows.
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
        """The least known objective."""
        return min(self.objective, self.objective_of_zero)

    def offer(self, coef, intercept, scales=SCALES):
        """Keep the best multiple of some coefficients, if it is better than the present ones.

        Parameters
        ----------
        coef : ndarray of shape (n_features, n_scores)
            Wᵀ.
        intercept : ndarray of shape (n_scores,)
            The intercept of the shifted rows.
        scales : ndarray of shape (n_scales,), optional
            The factors to try.
        """
        objective, scale = self._scaled_objective(coef, intercept, scales)
        is_first = self.is_zero or not np.isfinite(objective)  # an overflow ends the fit
        if not (is_first or objective < self.objective):
            return
        if is_first or not self.is_rounded:
            np.multiply(coef, scale, out=self.coef, casting="same_kind")  # without another array of this size
            self._keep(self.coef, self.problem.given_intercept(self.coef, scale * intercept), objective)
            return
        for scale in scales:
            multiple = self._multiple(coef, intercept, scale)
            if (objective := self._objective(*multiple)) < self.objective:
                self._keep(*multiple, objective)

    def _multiple(self, coef, intercept, scale):
        """Return t W and the intercept of the given rows, rounded as the fitted model has them."""
        coef = (scale * coef).astype(self.coef.dtype, copy=False)
        return coef, self.problem.given_intercept(coef, scale * intercept).astype(self.coef.dtype)

    def _keep(self, coef, intercept, objective):
        if coef is not self.coef:
            self.coef[:] = coef
        self.intercept[:], self.objective = intercept, objective
        self.is_zero, self.is_settled = False, False

    def settle(self):
        """Compute the objective of the rounded coefficients of the fitted model, if rounding can matter.

        If it does matter, all later offers are compared by their rounded coefficients.
        """
        if not self.is_settled and self._rounding_matters():
            before, self.objective = self.objective, self._objective(self.coef, self.intercept)
            self.is_rounded |= self.objective > (1 + ROUNDED) * before
        self.is_settled = True

    def _scaled_objective(self, coef, intercept, scales):
        return scaled_objective(self.problem, coef, intercept, scales)

    def _objective(self, coef, intercept):
        return primal_objective(self.problem, coef, intercept)

    def _rounding_matters(self):
        return rounding_matters(self.problem, self.coef, self.intercept, self.objective)

    def become_zero(self):
        """Return to W = 0, which is the proven solution."""
        self.coef[:], self.intercept[:] = 0, 0
        self.objective, self.is_zero, self.is_settled = self.objective_of_zero, True, True
