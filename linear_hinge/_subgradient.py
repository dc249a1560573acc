"""Minibatch subgradient descent with a learning-rate schedule, for `fit` and for streams."""

import numpy as np

from linear_hinge._objective import primal_objective
from linear_hinge._progress import Progress
from linear_hinge._rows import direction, minibatches, take_rows

# The weights are kept as scale · raw; raw is renewed before float32 could lose them.
LARGEST_SCALE = 1e6

# Progress is given up after so many passes without any, as n_iter_no_change in SGDClassifier, but not before so many
# steps: a pass over a small problem is a single step.
PATIENCE_PASSES = 5
PATIENCE_STEPS = 100


class SubgradientDescent:
    """The iterate (W_t, b_t), its average, and the step that moves them.

    Shrinking W by (1 − η alpha) would touch all n_features · n_scores entries in every step. W is therefore
    kept as a product, W_t = scale · raw, and the average of the iterates as

        Σ_{s≤t} p_s W_s = scale_sum · raw − lag,    lag = Σ_{r≤t} (scale_sum before step r) · (change of raw in step r),

    p_s the weight of the iterate s, so that a step changes only the features that occur in its batch.

    Parameters
    ----------
    coef : ndarray of shape (n_features, n_scores)
        W_0ᵀ; taken over and changed in place.
    intercept : ndarray of shape (n_scores,)
        b_0, likewise.

    Attributes
    ----------
    t : int
        Steps done.
    n_seen : int
        Rows seen, which `average` is counted in.

    References
    ----------
    Xu, Towards optimal one pass large scale learning with averaged stochastic gradient descent, 2011, section 5.
    Lacoste-Julien, Schmidt and Bach, A simpler approach to obtaining an O(1/t) convergence rate for the
    projected stochastic subgradient method, 2012: averages with p_s proportional to s.
    """

    def __init__(self, coef, intercept):
        self.raw = coef
        self.scale = 1.0
        self.intercept = intercept
        self.t = 0
        self.n_seen = 0
        self.lag = None
        self.scale_sum = 0.0
        self.n_averaged = 0
        self.average_intercept = np.zeros_like(intercept)

    def sweep(self, problem, schedule, *, average, batch_size, rng):
        """One pass of steps over the rows of ``problem``."""
        for rows in minibatches(problem.rows, batch_size, rng):
            self.t += 1
            self.n_seen += len(rows)
            self._step(problem, rows, schedule(self.t))
            if average and self.n_seen >= average:
                self._add_to_average()

    def _step(self, problem, rows, eta):
        """W ← W − η (alpha W + Σ_B ω_i g_i x_iᵀ), b ← b − η Σ_B ω_i g_i; ω normalised within the batch."""
        X_batch, y_batch = take_rows(problem.X, rows), problem.y[rows]
        weights = problem.weights[rows]
        weights = (weights / weights.sum()).astype(self.raw.dtype)
        scores = self.raw.dtype.type(self.scale) * (X_batch @ self.raw) + self.intercept
        dual = weights[:, None] * problem.loss.subgradients(scores, y_batch, problem.margin)

        self.scale *= 1 - eta * problem.alpha
        if not 1 / LARGEST_SCALE < abs(self.scale) < LARGEST_SCALE:
            self._renew_raw()
        change = direction(X_batch, dual)
        change.add_to(self.raw, -eta / self.scale)
        if self.lag is not None:
            change.add_to(self.lag, -eta / self.scale * self.scale_sum)
        if problem.fit_intercept:
            self.intercept -= self.intercept.dtype.type(eta) * dual.sum(axis=0)

    def _renew_raw(self):
        """Start again from scale = 1 and scale_sum = 0, with the same W and the same average."""
        if self.lag is not None:
            self.lag -= self.lag.dtype.type(self.scale_sum) * self.raw
        self.raw *= self.raw.dtype.type(self.scale)
        self.scale = 1.0
        self.scale_sum = 0.0

    def _add_to_average(self):
        """Let the current iterate take part, with the weight p = 1, 2, 3, …"""
        if self.lag is None:
            self.lag = np.zeros_like(self.raw)
        self.n_averaged += 1
        self.scale_sum += self.n_averaged * self.scale
        share = self.intercept.dtype.type(2 / (self.n_averaged + 1))  # p_t / Σ_{s≤t} p_s
        self.average_intercept += share * (self.intercept - self.average_intercept)

    def coefficients(self):
        """Wᵀ of shape (n_features, n_scores) and b: the average where there is one, else the last iterate."""
        number = self.raw.dtype.type
        if self.n_averaged == 0:
            return number(self.scale) * self.raw, self.intercept.copy()
        total = self.n_averaged * (self.n_averaged + 1) / 2
        coef = number(self.scale_sum / total) * self.raw - number(1 / total) * self.lag
        return coef, self.average_intercept.copy()


class ScheduledFit:
    """Passes of `SubgradientDescent` over one problem until the objective has settled.

    It has settled when `PATIENCE_PASSES` passes and `PATIENCE_STEPS` steps together lowered the best objective by
    no more than ``tol`` times its value, and the last one is that close to the best: the noise of long steps is no
    convergence. A schedule that can answer with a shorter step is asked first.

    Parameters
    ----------
    problem : Problem
    descent : SubgradientDescent
    schedule : callable
        From `_step_sizes`.
    tol : float
    average, batch_size, rng
        As in `SubgradientDescent.sweep`.
    """

    def __init__(self, problem, descent, schedule, *, tol, average, batch_size, rng):
        self.problem = problem
        self.descent = descent
        self.schedule = schedule
        self.tol = tol
        self.sweep_options = {"average": average, "batch_size": batch_size, "rng": rng}
        self.best = np.inf
        self._start_waiting()

    def run_pass(self):
        """One pass over the data; its `Progress`."""
        self.descent.sweep(self.problem, self.schedule, **self.sweep_options)
        coef, intercept = self.descent.coefficients()
        objective = primal_objective(self.problem, coef, intercept)
        self.n_passes += 1
        self.best = min(self.best, objective)
        if self.best < self.to_beat * (1 - self.tol):
            self._start_waiting()
        return Progress(coef, intercept, objective, self._has_settled(objective))

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
        """What to say when `max_iter` passes were not enough."""
        return (
            f"the objective still changes by more than tol={self.tol:g} between passes (best {self.best:.6g}). Increase"
            " max_iter, scale the features with StandardScaler, or choose another learning_rate."
        )
