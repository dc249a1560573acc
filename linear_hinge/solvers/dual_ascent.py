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

The intercept is not regularised: the dual asks for v = Σ_i ω_i g_i = 0. It is treated as the coefficient of a feature
of length σ, pulled towards a centre c that follows it after every pass: b = c − (σ²/alpha) v.

The x_i above are centred, which changes nothing but b once v = 0, and makes rows resemble each other less. X is not
touched for that. With V = −(1/alpha) Σ_i ω_i g_i x_iᵀ of the rows as they are, W = V + v μᵀ/alpha, and what
centring adds to scores and lengths is known from v, V μ and ⟨x_i, μ⟩. So sparse data stay sparse and give the same
model.

References
----------
Shalev-Shwartz and Zhang, Stochastic dual coordinate ascent methods, JMLR 2013 (one row at a time).
Takáč, Bijral, Richtárik and Srebro, Mini-batch primal and dual methods for SVMs, ICML 2013 (β).
"""

import numpy as np

from linear_hinge.kernels.dual_step import sweep
from linear_hinge.kernels.memory import padded
from linear_hinge.kernels.products import product
from linear_hinge.kernels.state import AscentState
from linear_hinge.linalg.batches import (
    bytes_of_row,
    cached_chunks,
    read_blocks,
    rows_of_block,
    shuffled,
    shuffled_in_blocks,
)
from linear_hinge.linalg.sums import combination, inner, weighted_mean
from linear_hinge.problem.certificate import estimated_bound, scaled_bound
from linear_hinge.problem.dual_sums import linear_part
from linear_hinge.solvers.running_mean import RunningMean

# Rows with less than `SMALL_GAP` of the mean gap are skipped for up to `SKIPPED_PASSES` passes, provided the active
# rows carry at most `MOST_ACTIVE` of the weight: where most rows are visited anyway, the others are worth their cost
# for the gap that is known afterwards. Once the gap is below `WORTH_SKIPPING` of what it was after a full pass, most of
# it is in rows that are skipped, and all rows are visited again. A pass has a cost of its own: few active rows are
# visited up to `MOST_TIMES` times in a pass, with no more visits than there are rows.
SMALL_GAP = 0.03
SKIPPED_PASSES = 15
MOST_ACTIVE = 0.5**0.5  # in weight, so that repeated rows count like heavy ones; no ratio of two counts
WORTH_SKIPPING = 0.2  # of the gap after all rows were visited
MOST_TIMES = 4

# If a row and its subgradient have at most `SHORT_ROW` bytes, finding them in memory costs more than the arithmetic:
# `TOGETHER` batches take their rows from a block of rows that lie side by side. This is not done where neighbours are
# of the same class, because they resemble each other.
TOGETHER = 2
SHORT_ROW = 512  # bytes

# β forgets a batch whose rows resembled each other more than the present ones.
BETA_MEMORY = 0.99


class DualAscent:
    """The subgradients G, the coefficients that belong to them, and the steps that improve both.

    Parameters
    ----------
    problem : Problem
        The data and the constants of P.
    dual : ndarray of shape (n_samples, n_scores)
        Feasible subgradients G to start from, changed in place.
    coef : ndarray of shape (n_features, n_scores)
        Vᵀ, the transposed −(1/alpha) Σ_i ω_i g_i x_iᵀ of this G.
    intercept : ndarray of shape (n_scores,)
        The first intercept b, which is the first centre.
    batch_size : int
        Rows of a minibatch.
    rng : RandomState or None
        Generator that shuffles the rows; None leaves them in their order.
    centre : tuple (mean, sigma2), optional
        μ and σ²; by default those of the rows.

    Attributes
    ----------
    t : int
        Steps done.
    n_rounds : int
        The number of visits to the rows, to all of them or to the active rows.
    beta : float
        β, None before the first step.
    gap : float
        Σ_i ω_i (ℓ_i − ⟨g_i, S_i⟩ − Δ c(g_i)), the duality gap with every row at the coefficients that it was last
        visited with: an estimate, too large while W moves.
    gap_of_half : float
        The mean gap of the rows of the first half of the last pass that could be averaged.
    average : tuple (coef, intercept)
        The mean of the iterates of the second half of the last pass, if it was averaged.
    """

    def __init__(self, problem, dual, coef, intercept, *, batch_size, rng, centre=None):
        X, weights, alpha = problem.X, problem.weights, problem.alpha
        n_samples, n_features = X.shape
        imbalance, raw_on_mean = np.zeros(problem.n_scores), np.zeros(problem.n_scores)
        on_mean, sigma2 = np.zeros(n_samples), 0.0
        self.mean = np.zeros(n_features, X.dtype)
        if problem.fit_intercept:
            imbalance += combination(weights, dual)
            if centre is None:
                self.mean, sigma2, on_mean = problem.mean.astype(X.dtype), problem.variance, problem.on_mean
            else:
                self.mean, sigma2 = centre
                on_mean = product(X, self.mean[:, None])[:, 0].astype(np.float64)
            raw_on_mean += combination(self.mean, coef)
        mean_norm = float((self.mean * self.mean).sum(dtype=np.float64))
        self.problem = problem
        self.state = AscentState(
            y=problem.y.astype(np.int64, copy=False),
            weights=weights,
            norms=np.maximum(problem.squared_norms - 2 * on_mean + mean_norm, 0) + sigma2,
            on_mean=on_mean,
            dual=dual,
            row_gaps=np.zeros(n_samples),
            memory=padded(coef),
            imbalance=imbalance,
            raw_on_mean=raw_on_mean,
            centre=intercept + raw_on_mean + mean_norm / alpha * imbalance,
            alpha=alpha,
            margin=problem.margin,
            mean_norm=mean_norm,
            sigma2=sigma2,
            fit_intercept=problem.fit_intercept,
            batch_size=batch_size,
            beta_memory=BETA_MEMORY,
        )
        self.raw = self.state.raw
        self.rng = rng
        is_short = bytes_of_row(X) + dual.shape[1] * dual.itemsize <= SHORT_ROW
        self.n_of_block = rows_of_block(X)
        self.together = TOGETHER if is_short and not is_sorted(problem.y) else 1
        self._forget_gaps()

    def _forget_gaps(self):
        self.n_rounds = self.n_until_full = 0
        self.gap = self.gap_of_half = self.gap_of_all = np.inf
        self.average = None

    def change_alpha(self, problem):
        """Go on with the same rows and another alpha, without a look at them.

        The best multiple t G for this alpha is known from what is known of G, and W(t G) with it; the intercept stays.
        """
        state, intercept = self.state, self.state.centred_intercept()
        ratio = state.alpha / problem.alpha
        quadratic = problem.alpha * ratio**2 * self.squared_norm()
        _, scale = scaled_bound(linear_part(problem, state.dual), quadratic, 1.0)
        state.dual *= state.dual.dtype.type(scale)
        state.memory *= state.memory.dtype.type(scale * ratio)
        state.imbalance *= scale
        state.raw_on_mean *= scale * ratio
        state.alpha, state.t = problem.alpha, 0
        state.centre = intercept + state.sigma2 / state.alpha * state.imbalance
        self.problem = problem
        self._forget_gaps()

    def run_pass(self, average_above=np.inf):
        """Visit the rows; for some passes after a full one, visit only the active rows.

        Parameters
        ----------
        average_above : float
            The mean gap of the rows of the first half of the pass above which the iterates of the second half are
            averaged.

        Returns
        -------
        int
            Number of visits to a row.
        """
        active = self._rows_to_visit()
        n_times = self._n_times(active) if self.n_of_block is None else 1
        self.n_rounds += n_times
        if self.n_of_block is not None:
            return self._run_in_blocks(active)
        rows = np.tile(shuffled(active, self.state.batch_size, self.rng, self.together), n_times)
        mean, middle = None, len(rows)
        if average_above < np.inf:
            # The mean of the second half of the iterates is as good as that of all of them, at half the cost.
            middle = len(rows) // self.state.batch_size // 2 * self.state.batch_size
        steps = self.state, self.problem.loss, self.problem.matrix
        sweep(*steps, rows[:middle])
        if middle < len(rows):
            self.gap_of_half = self._mean_gap(rows[:middle])
            if self.gap_of_half > average_above:
                mean = RunningMean(self.state.memory, self.problem.n_scores)
        sweep(*steps, rows[middle:], mean)
        self._end_pass(active)
        self.average = None if mean is None else self._uncentred(*mean.value())
        self.state.centre = self.state.centred_intercept()
        return len(rows)

    def _run_in_blocks(self, active):
        """Make a pass over data that may lie in a file, a few of whose blocks are read at a time."""
        for rows in shuffled_in_blocks(active, self.n_of_block, self.rng):
            read_blocks(self.problem.X, rows, self.n_of_block)
            sweep(self.state, self.problem.loss, self.problem.matrix, rows)
        self._end_pass(active)
        self.average = None
        self.state.centre = self.state.centred_intercept()
        return len(active)

    def _end_pass(self, active):
        self.gap = weighted_mean(self.problem.weights, self.state.row_gaps)
        if len(active) == len(self.problem.rows):
            self.gap_of_all = self.gap

    def _mean_gap(self, rows):
        """Return the mean gap of some rows at their last visits."""
        weights = self.problem.weights[rows]
        return weighted_mean(weights, self.state.row_gaps[rows]) / weights.sum() if len(rows) > 0 else 0.0

    def mean_curvature(self):
        """Return the mean of ρ_i, which is positive."""
        spread = 1.0 if self.state.beta is None else self.state.beta
        mean = spread * weighted_mean(self.problem.weights, self.state.norms) / self.problem.alpha
        return max(mean, np.finfo(float).tiny)

    def _rows_to_visit(self):
        rows = self.problem.rows
        if self.n_until_full > 0 and self.gap > WORTH_SKIPPING * self.gap_of_all:
            active = rows[self.state.row_gaps[rows] > SMALL_GAP * self.gap]
            if self.problem.weights[active].sum() <= MOST_ACTIVE:
                self.n_until_full -= 1
                return active
        self.n_until_full = SKIPPED_PASSES
        return rows

    def _n_times(self, rows):
        """Return how often to visit rows in a pass: once if they are fewer than a batch, where none may be twice."""
        if len(rows) < self.state.batch_size:
            return 1
        return min(MOST_TIMES, len(self.problem.rows) // len(rows))

    def best_length(self, change, raw):
        """Compute the length at which the dual is highest along a change.

        Parameters
        ----------
        change : ndarray of shape (n_samples, n_scores)
            The change of G.
        raw : ndarray of shape (n_features, n_scores)
            The change of Vᵀ that belongs to it.

        Returns
        -------
        float
            The length, 0 where the dual is flat.
        """
        problem = self.problem
        total = combination(problem.weights, change) if problem.fit_intercept else np.zeros(problem.n_scores)
        rise, quadratic = self.rise_and_quadratic(linear_part(problem, change), raw, total)
        return rise / quadratic if quadratic > 0 else 0.0

    def rise_and_quadratic(self, linear, raw, total):
        """Return slope and quadratic term of the dual along a change of Δ Σ_i ω_i c(g_i), Vᵀ and v (``total``)."""
        alpha = self.state.alpha
        rise, on_mean = linear - alpha * inner(self.raw, raw), np.zeros(self.problem.n_scores)
        if self.problem.fit_intercept:
            on_mean = combination(self.mean, raw)
            rise += total @ self.state.common_offset() - self.state.imbalance @ on_mean
        # V changes by −U/alpha.
        return rise, self.state.quadratic(alpha**2 * inner(raw, raw), total, -alpha * on_mean)

    def move(self, change, raw, length):
        """Change G, Vᵀ and the sums that depend on them.

        Parameters
        ----------
        change : ndarray of shape (n_samples, n_scores)
            The change of G, which is overwritten.
        raw : ndarray of shape (n_features, n_scores)
            The change of Vᵀ that belongs to it, which is overwritten.
        length : float
            The multiple of the change.
        """
        change *= change.dtype.type(length)
        raw *= raw.dtype.type(length)
        self.state.dual += change
        self.raw += raw
        if self.problem.fit_intercept:
            self.state.imbalance += combination(self.problem.weights, change)
            self.state.raw_on_mean += combination(self.mean, raw)

    def coefficients(self):
        """Return Wᵀ and b, as `primal_objective` takes them."""
        raw = padded(self.raw)[:, : self.problem.n_scores] if self.problem.fit_intercept else self.raw
        return self._uncentred(raw, self.state.centred_intercept(), self.state.imbalance)

    def taken_average(self):
        """Return the average and forget it, because it may be large."""
        average, self.average = self.average, None
        return average

    def estimated_bound(self):
        """Return `certificate.estimated_bound` of G."""
        return estimated_bound(self.problem, self.state.dual, self.squared_norm())

    def squared_norm(self):
        """Compute ‖W‖², without an array of its size."""
        slope = self.state.imbalance / self.problem.alpha  # W = V + slope μᵀ
        along_mean = 2 * slope @ self.state.raw_on_mean + self.state.mean_norm * (slope @ slope)
        return inner(self.raw, self.raw) + (float(along_mean) if self.problem.fit_intercept else 0.0)

    def _uncentred(self, raw, intercept, imbalance):
        """Turn V into W, in its place; return Wᵀ and the intercept b − W μ of the rows as they are."""
        if not self.problem.fit_intercept:
            return raw, np.zeros_like(raw[0])
        slope = (imbalance / self.state.alpha).astype(raw.dtype)
        for rows in cached_chunks(*raw.shape):
            raw[rows] += np.multiply.outer(self.mean[rows], slope)
        return raw, (intercept - combination(self.mean, raw)).astype(raw.dtype)


def is_sorted(y):
    """Return whether neighbours are of the same class more often than half-way between chance and always."""
    if len(y) < 2:
        return False
    chance = ((np.bincount(y) / len(y)) ** 2).sum()
    return np.count_nonzero(y[1:] == y[:-1]) > (len(y) - 1) * (1 + chance) / 2
