"""Minibatch subgradient descent with a learning-rate schedule, for `fit` and for streams."""

import numpy as np

from linear_hinge.kernels import subgradient_step
from linear_hinge.kernels.scaled_iterate import Iterate
from linear_hinge.linalg.batches import shuffled
from linear_hinge.problem.objective import primal_objective
from linear_hinge.solvers.progress import Progress

# A fit ends after `PATIENCE_PASSES` passes without progress, as with n_iter_no_change in SGDClassifier, but not before
# `PATIENCE_STEPS` steps: a pass over a small problem is a single step.
PATIENCE_PASSES = 5
PATIENCE_STEPS = 100


class SubgradientDescent(subgradient_step.DescentState):
    """The iterate (W_t, b_t) and the steps that move it.

    Parameters
    ----------
    coef : ndarray of shape (n_features, n_scores)
        W_0ᵀ, which is taken over and changed in place.
    intercept : ndarray of shape (n_scores,)
        The intercept b_0, which is taken over and changed in place.
    row_norm : float
        R, the root mean square of ‖x_i‖, for the schedule.
    """

    def __init__(self, coef, intercept, row_norm=1.0):
        super().__init__(Iterate(coef, intercept))
        self.row_norm = row_norm

    def sweep(self, problem, *, schedule, average, batch_size, rng):
        """Make one pass of steps over the rows of a problem.

        Parameters
        ----------
        problem : Problem
            The rows and the constants; the weights need not sum to one.
        schedule : callable
            The learning rate η of every step, from `schedules`.
        average : bool or int
            Whether iterates are averaged, or the number of rows after which they are.
        batch_size : int
            Rows of a batch.
        rng : RandomState or None
            Generator that shuffles the rows; None leaves them in their order.
        """
        rows = shuffled(problem.rows, batch_size, rng)
        n_steps = -(-len(rows) // batch_size)
        etas = np.array([schedule(t) for t in range(self.t + 1, self.t + n_steps + 1)], dtype=np.float64)
        constants = {"alpha": problem.alpha, "margin": problem.margin, "fit_intercept": problem.fit_intercept}
        arrays = problem.X, rows, problem.y, problem.weights, etas
        subgradient_step.sweep(self, problem.loss, *arrays, average=average, batch_size=batch_size, **constants)

    def coefficients(self):
        """Return Wᵀ, of shape (n_features, n_scores), and b."""
        return self.iterate.coefficients()

    def go_on_from(self, coef, intercept):
        """Replace the coefficients."""
        self.iterate.go_on_from(coef, intercept)


class ScheduledFit:
    """Passes of `SubgradientDescent` over one problem until the objective has settled.

    It has settled when `PATIENCE_PASSES` passes and `PATIENCE_STEPS` steps together lowered the best objective by at
    most ``tol`` times its value, and the last objective is that close to the best: the noise of long steps is no
    convergence. If the schedule can shorten the steps, it does so first.

    Parameters
    ----------
    problem : Problem
        The data and the constants of P.
    descent : SubgradientDescent
        The iterate.
    schedule : callable
        The learning rate η of every step, from `schedules`.
    tol : float
        The relative change of the objective that ends the fit.
    average, batch_size, rng
        The parameters of `SubgradientDescent.sweep`.

    Attributes
    ----------
    finished, converged : bool
        Whether the fit is to stop, and whether the objective has settled; both are the same here.
    """

    def __init__(self, problem, descent, schedule, *, tol, average, batch_size, rng):
        self.problem = problem
        self.descent = descent
        self.schedule = schedule
        self.tol = tol
        self.sweep_options = {"schedule": schedule, "average": average, "batch_size": batch_size, "rng": rng}
        self.best = np.inf
        self.n_rounds = 0
        self.finished = self.converged = False
        self._start_waiting()

    def run_pass(self, is_last):
        """Make one pass over the data, and return its `Progress`; the last pass is like the others."""
        self.descent.sweep(self.problem, **self.sweep_options)
        coef, intercept = self.descent.coefficients()
        objective = primal_objective(self.problem, coef, intercept)
        self.n_passes += 1
        self.n_rounds += 1
        self.best = min(self.best, objective)
        if self.best < self.to_beat * (1 - self.tol):
            self._start_waiting()
        self.finished = self.converged = self._has_settled(objective)
        self.progress = Progress(coef, intercept, objective, np.nan, 1.0)
        return self.progress

    def certify(self):
        """Return the last `Progress` again, because there is nothing to prove."""
        return self.progress._replace(work=0.0)

    def attributes(self):
        """Return the attributes of the fitted estimator besides the coefficients."""
        return {"t_": self.descent.t, "_stream_": self.descent}

    def early_advice(self):
        """Return None, because nothing is known about the distance to the optimum."""
        return None

    def steps_to_save(self):
        """Return None, because the coefficients are the whole state."""
        return None

    def _start_waiting(self):
        self.to_beat = self.best
        self.n_passes = 0
        self.first_step = self.descent.t

    def _has_settled(self, objective):
        if self.n_passes < PATIENCE_PASSES or self.descent.t - self.first_step < PATIENCE_STEPS:
            return False
        if self.schedule.shorten():
            self._start_waiting()
            return False
        return objective <= self.best * (1 + self.tol)

    def advice(self):
        """Return the advice about a fit that did not converge."""
        return (
            f"the objective still changes by more than tol={self.tol:g} between passes (best {self.best:.6g}). Increase"
            " max_iter, scale the features with StandardScaler, or choose another learning_rate."
        )
