"""Steps in closed form on a stream: `partial_fit` without a learning rate.

Rows that went by are remembered only by what they left in W. A batch B of weight ω_B arrives, the total weight of the
stream grows from N to N + ω_B, and the subgradients of the past shrink with it:

    W ← W N / (N + ω_B),   v ← v N / (N + ω_B),   ω_i = (weight of row i) / (N + ω_B).

Then the subgradients g_i of the batch, zero at first, climb the dual of everything seen as in `_dual_steps`: several
steps on the same batch, in which its Gram matrix stands for the features, and in the end

    W ← W − (1/alpha) Σ_B ω_i g_i x_iᵀ,   v ← v + Σ_B ω_i g_i,   b = c − (σ²/alpha) v.

The stream does not begin at N = 0, where the first batches would be fitted as if nothing else were to come, but where
`learning_rate="optimal"` begins, at t0 batches. With a vertex of D_y in place of g_i this is that method; the prox
steps stop where the margin is reached.
"""

import numpy as np
import scipy.sparse as sp

from linear_hinge._dual_steps import BETA_MEMORY, largest_variance
from linear_hinge._iterate import Iterate
from linear_hinge._products import inner, product, squared_rows, transposed_product, weighted_mean
from linear_hinge._rows import direction, minibatches, shares, squared_norms, take_rows, weighted_sum
from linear_hinge._step_sizes import Optimal

# A batch is done after so many steps, or when they have closed its gap to this part.
MAX_BATCH_STEPS = 20
BATCH_ACCURACY = 0.02

# Batches with more rows than this go without a Gram matrix.
LARGEST_GRAM = 1024


class DualStream:
    """The iterate (W, b) of a stream, in memory that does not grow.

    Parameters
    ----------
    coef : ndarray of shape (n_features, n_scores)
        W_0ᵀ; taken over and changed in place.
    intercept : ndarray of shape (n_scores,)
        b_0, likewise.
    n_trained : int
        Number of rows that W_0 was trained on, each counted as often as it was visited.
    weight_unit : float or None
        Their mean weight, the unit that weights are counted in; None leaves it to the first batch.

    Attributes
    ----------
    t : int
        Batches seen.
    n_seen : int
        Rows seen, which `average` is counted in.
    """

    def __init__(self, coef, intercept, n_trained=0, weight_unit=None):
        self.iterate = Iterate(coef, intercept)
        self.weight_seen = n_trained  # N
        self.weight_unit = weight_unit
        self.has_begun = False
        self.t = 0
        self.n_seen = 0
        self.sigma2 = 0.0
        self.resemblance = 1.0
        self.imbalance = np.zeros(len(intercept))
        self.pull = intercept.astype(np.float64)

    def sweep(self, problem, *, average, batch_size, rng):
        """One pass over the rows of ``problem``, whose weights need not sum to one."""
        for rows in minibatches(problem.rows, batch_size, rng):
            X_batch, y, weights = take_rows(problem.X, rows), problem.y[rows], problem.weights[rows]
            if not self.has_begun:
                self._begin(problem, X_batch, weights)
                self.has_begun = True
            weights = weights / self.weight_unit
            self.t += 1
            self.n_seen += len(rows)
            self._absorb(problem, X_batch, y, weights)
            if average and self.n_seen >= average:
                self.iterate.add_to_average()

    def coefficients(self):
        """Wᵀ of shape (n_features, n_scores) and b."""
        return self.iterate.coefficients()

    def _begin(self, problem, X_batch, weights):
        """Read off the first batch what the stream looks like: how wide and how heavy it is."""
        parts = shares(weights)
        if problem.fit_intercept:
            self.sigma2 = largest_variance(X_batch, parts, weighted_sum(X_batch, parts))
        if self.weight_unit is None:
            self.weight_unit = weights.max()
        row_norm = np.sqrt(weighted_mean(parts, squared_norms(X_batch)))
        self.weight_seen += Optimal(problem.alpha, row_norm).t0 * (weights / self.weight_unit).sum()

    def _absorb(self, problem, X_batch, y, weights):
        """Shrink the past, let the batch climb the dual, and fold it into W and v."""
        past, self.weight_seen = self.weight_seen, self.weight_seen + weights.sum()
        self.iterate.shrink(past / self.weight_seen)
        self.imbalance *= past / self.weight_seen
        weights = weights / self.weight_seen
        self._set_intercept(problem.alpha)
        dual = self._climb(problem, X_batch, y, weights)
        weighted = (weights[:, None] * dual).astype(self.iterate.dtype)
        self.iterate.move(direction(X_batch, weighted), -1 / problem.alpha)
        self.imbalance += weighted.sum(axis=0)
        # The centre follows b as fast as the stream renews itself.
        self.pull -= (self.sigma2 / problem.alpha) * self.imbalance * weights.sum()
        self._set_intercept(problem.alpha)

    def _set_intercept(self, alpha):
        self.iterate.intercept[:] = self.pull - (self.sigma2 / alpha) * self.imbalance

    def _climb(self, problem, X_batch, y, weights):
        """Subgradients of the batch that nearly maximise the dual, those of the past being fixed."""
        loss, alpha, margin = problem.loss, problem.alpha, problem.margin
        scores = self.iterate.scores(X_batch)
        dual = np.zeros_like(scores)
        norms = squared_norms(X_batch) + self.sigma2
        along = gram_product(X_batch)
        first_gap = np.inf
        for _ in range(MAX_BATCH_STEPS):
            row_gaps = loss.values(scores, y, margin) - np.einsum("ik,ik->i", dual, scores)
            gap = weighted_mean(weights, row_gaps - margin * loss.dual_values(dual, y))
            first_gap = min(first_gap, gap)
            if gap <= BATCH_ACCURACY * first_gap and np.isfinite(first_gap) and dual.any():
                break
            curvature = (self.resemblance * weights.sum() / alpha * norms).astype(scores.dtype)
            step = loss.prox(dual, scores, y, curvature, margin) - dual
            weighted = weights[:, None] * step
            total = weighted.sum(axis=0)
            change = along(weighted.astype(scores.dtype)) + self.sigma2 * total
            bend = inner(weighted, change) / alpha
            rise = inner(weighted, scores) + margin * weighted_mean(weights, loss.dual_values(step, y))
            if not rise > 0:
                break
            eta = min(rise / bend, 1.0) if bend > 0 else 1.0
            dual += scores.dtype.type(eta) * step
            scores -= (eta / alpha * change).astype(scores.dtype)
            lengths = weights.sum() * weighted_mean(weights * norms, squared_rows(step))
            self._follow(bend * alpha / lengths if lengths > 0 else 0.0)
        return dual

    def _follow(self, resemblance):
        faded = BETA_MEMORY * self.resemblance + (1 - BETA_MEMORY) * resemblance
        self.resemblance = max(resemblance, faded)


def gram_product(X_batch):
    """A function that multiplies (n_rows, n_scores) from the left with X_B X_Bᵀ."""
    if X_batch.shape[0] > LARGEST_GRAM:
        return lambda dual: product(X_batch, transposed_product(X_batch, dual))
    gram = (X_batch @ X_batch.T).toarray() if sp.issparse(X_batch) else product(X_batch, X_batch.T)
    return lambda dual: product(gram, dual)
