"""Minibatch steps whose length is known in closed form, because they climb the dual.

Every row remembers its subgradient g_i. With W = W(G) = −(1/alpha) Σ_i ω_i g_i x_iᵀ at all times, one step replaces the
subgradients of a batch B by better ones:

    S   = X_B Wᵀ + b
    ρ_i = β (‖x_i‖² + σ²) / alpha
    δ_i = Prox(g_i, S_i, ρ_i) − g_i
    U   = Σ_B ω_i δ_i x_iᵀ,   s = Σ_B ω_i δ_i
    η   = clip(Σ_B ω_i (⟨δ_i, S_i⟩ + Δ c(δ_i)) / ((‖U‖² + σ² ‖s‖²) / alpha), 0, 1)
    g_B += η δ,   W −= (η/alpha) U,   v += η s

η maximises the dual along δ, so that it never decreases. β is how much the rows of a batch resemble each other; it
follows what was measured, β ← r or .99 β + .01 r with

    r = ((‖U‖² + σ² ‖s‖²) / alpha) / (Σ_B ω_i (‖x_i‖² + σ²) ‖δ_i‖² / alpha).

A row repeated k times and a row of weight k give the same steps when a batch holds all rows.

The intercept is not regularised: the dual asks for v = Σ_i ω_i g_i = 0. It is treated as the weight of a feature of
length σ, pulled towards a centre c that follows it after every pass: b = c − (σ²/alpha) v. Dense rows are centred,
x_i − μ, which changes nothing but b once v = 0, and makes rows resemble each other less; sparse rows stay as they are.

References
----------
Shalev-Shwartz and Zhang, Stochastic dual coordinate ascent methods, JMLR 2013 (one row at a time).
Takáč, Bijral, Richtárik and Srebro, Mini-batch primal and dual methods for SVMs, ICML 2013 (β).
"""

import numpy as np
import scipy.sparse as sp

from linear_hinge._rows import direction, minibatches, squared_norms, take_rows, weighted_sum

# Rows whose own gap is below this part of the mean gap are left out of the next passes, SKIPPED_PASSES in a row.
SMALL_GAP = 1e-3
SKIPPED_PASSES = 3

# β forgets a batch whose rows resembled each other more than the present ones.
BETA_MEMORY = 0.99

POWER_ITERATIONS = 10


class DualAscent:
    """The remembered subgradients G, the coefficients they stand for, and the steps that improve both.

    Parameters
    ----------
    problem : Problem
    dual : ndarray of shape (n_samples, n_scores)
        G to start from, feasible; changed in place.
    coef : ndarray of shape (n_features, n_scores)
        W(G)ᵀ; changed in place.
    intercept : ndarray of shape (n_scores,)
        The first b, towards which it is pulled.
    batch_size : int
    rng : RandomState or None
        Shuffles the rows.

    Attributes
    ----------
    t : int
        Steps done.
    beta : float
        β, None before the first step.
    gap : float
        Σ_i ω_i (ℓ_i − ⟨g_i, S_i⟩ − Δ c(g_i)), the duality gap with every row at the coefficients that it was last
        visited with: an estimate, too large while W moves.
    average : tuple (coef, intercept)
        The mean of the iterates of the last pass, if it was asked for.
    """

    def __init__(self, problem, dual, coef, intercept, *, batch_size, rng):
        self.problem = problem
        self.dual = dual
        self.coef = coef
        self.batch_size = batch_size
        self.rng = rng
        self.t = 0
        self.beta = None
        self.gap = np.inf
        self.average = None
        self.row_gaps = np.zeros(len(problem.y))
        self.n_until_full = 0
        self.mean = self._mean_to_subtract()
        self.sigma2 = largest_variance(problem.X, problem.weights, self.mean) if problem.fit_intercept else 0.0
        self.norms = squared_norms(problem.X, self.mean) + self.sigma2
        self.imbalance = problem.weights @ dual
        self.pull = intercept + self._shift(coef)

    def run_pass(self, averaging=False):
        """Visit the rows; after a full pass only those with a gap, for `SKIPPED_PASSES` passes. How many they were."""
        rows = self.problem.rows
        if self.n_until_full > 0:
            self.n_until_full -= 1
            rows = rows[self.row_gaps[rows] > SMALL_GAP * self.gap]
        else:
            self.n_until_full = SKIPPED_PASSES
        mean = RunningMean(self.coef) if averaging else None
        for batch in minibatches(rows, self.batch_size, self.rng):
            change, length = self._step(batch)
            self.t += 1
            if averaging:
                mean.add(change, length, self._centred_intercept())
        self.gap = float(self.problem.weights @ self.row_gaps)
        self.average = self._uncentred(*mean.value()) if averaging else None
        self.pull = self._centred_intercept()
        return len(rows)

    def coefficients(self):
        """Wᵀ and b, as `primal_objective` takes them."""
        return self._uncentred(self.coef, self._centred_intercept())

    def _step(self, batch):
        """The step of this module's docstring; the change of W as direction and length."""
        problem, alpha = self.problem, self.problem.alpha
        y, weights, norms, dual = problem.y[batch], problem.weights[batch], self.norms[batch], self.dual[batch]
        X_batch = take_rows(problem.X, batch)
        if self.mean is not None:
            X_batch = X_batch - self.mean
        scores = X_batch @ self.coef + self._centred_intercept().astype(self.coef.dtype)
        beta = weights.sum() if self.beta is None else self.beta
        step = problem.loss.prox(dual, scores, y, (beta / alpha * norms).astype(dual.dtype), problem.margin) - dual
        self.row_gaps[batch] = (
            problem.loss.values(scores, y, problem.margin)
            - np.einsum("ik,ik->i", dual, scores)
            - problem.margin * problem.loss.dual_values(dual, y)
        )

        weighted = weights[:, None] * step
        change = direction(X_batch, weighted.astype(dual.dtype))
        total = weighted.sum(axis=0)
        rise = np.vdot(weighted, scores) + problem.margin * (weights @ problem.loss.dual_values(step, y))
        curvature = (change.squared_norm() + self.sigma2 * (total @ total)) / alpha
        if not curvature > 0:
            return change, 0.0
        eta = float(np.clip(rise / curvature, 0, 1))
        self.dual[batch] += dual.dtype.type(eta) * step
        change.add_to(self.coef, -eta / alpha)
        self.imbalance += eta * total

        resemblance = curvature * alpha / ((weights * norms) @ np.einsum("ik,ik->i", step, step))
        if self.beta is None or resemblance > self.beta:
            self.beta = resemblance
        else:
            self.beta = BETA_MEMORY * self.beta + (1 - BETA_MEMORY) * resemblance
        return change, -eta / alpha

    def _centred_intercept(self):
        """b of the centred rows, c − (σ²/alpha) v, in float64."""
        return self.pull - (self.sigma2 / self.problem.alpha) * self.imbalance

    def _uncentred(self, coef, intercept):
        """The same scores for the rows as they are: W and b − W μ."""
        return coef, (intercept - self._shift(coef)).astype(coef.dtype)

    def _shift(self, coef):
        return 0.0 if self.mean is None else self.mean @ coef

    def _mean_to_subtract(self):
        if sp.issparse(self.problem.X) or not self.problem.fit_intercept:
            return None
        return weighted_sum(self.problem.X, self.problem.weights)


class RunningMean:
    """The mean of W_1 … W_T, updated where W changes: W_T − Σ_r (r − 1) (change of step r) / T."""

    def __init__(self, coef):
        self.coef = coef
        self.lag = np.zeros_like(coef)
        self.intercept = 0.0
        self.n_steps = 0

    def add(self, change, length, intercept):
        change.add_to(self.lag, self.n_steps * length)
        self.n_steps += 1
        self.intercept = self.intercept + (intercept - self.intercept) / self.n_steps

    def value(self):
        """The mean of W and of b."""
        return self.coef - self.lag / self.coef.dtype.type(max(self.n_steps, 1)), self.intercept


def largest_variance(X, weights, mean):
    """The largest eigenvalue of Σ_i ω_i (x_i − μ)(x_i − μ)ᵀ, by power iterations; μ = 0 where ``mean`` is None.

    It is the length σ² of the feature whose weight is the intercept: the mean squared norm, its sum over all
    directions, is far too large and makes the rows of a batch resemble each other.
    """
    # Any vector that is not special will do, the same in every call.
    vector = np.random.RandomState(0).standard_normal(X.shape[1])
    value = np.linalg.norm(vector)
    for _ in range(POWER_ITERATIONS):
        if not value > 0:
            return 0.0
        vector = (vector / value).astype(X.dtype)
        along = X @ vector
        if mean is not None:
            along -= mean @ vector
        vector = weighted_sum(X, weights * along)
        if mean is not None:
            vector -= mean * (weights @ along)
        value = float(np.linalg.norm(vector))
    return value
