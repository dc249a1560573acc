"""Steps in closed form on a stream: `partial_fit` without a learning rate.

Past rows are remembered only by their part of W. A batch B of weight ω_B arrives, the total weight of the stream grows
from N to N + ω_B, and the subgradients of the past shrink with it:

    W ← W N / (N + ω_B),   v ← v N / (N + ω_B),   ω_i = (weight of row i) / (N + ω_B).

Then the subgradients g_i of the batch, zero at first, climb the dual of everything seen as in `dual_ascent`: several
steps on the same batch, in which its Gram matrix stands for the features, and in the end

    W ← W − (1/alpha) Σ_B ω_i g_i x_iᵀ,   v ← v + Σ_B ω_i g_i,   b = c − (σ²/alpha) v.

The stream does not begin at N = 0, where the first batches would be fitted as if nothing else were to come, but where
`learning_rate="optimal"` begins, at t0 batches. With a vertex of D_y in place of g_i this is that method; the prox
steps stop where the margin is reached.
"""

import numpy as np

from linear_hinge.kernels.batch_climb import climb
from linear_hinge.kernels.products import squared_norms, weighted_sum
from linear_hinge.linalg.batches import minibatches, normalised, take_rows
from linear_hinge.linalg.sums import weighted_mean
from linear_hinge.problem.variance import largest_variance
from linear_hinge.solvers.scaled_iterate import Iterate
from linear_hinge.solvers.schedules import Optimal


class DualStream:
    """The iterate (W, b) of a stream, in memory that does not grow.

    Parameters
    ----------
    coef : ndarray of shape (n_features, n_scores)
        W_0ᵀ, which is taken over and changed in place.
    intercept : ndarray of shape (n_scores,)
        The intercept b_0, which is taken over and changed in place.
    n_trained : int
        Number of rows that W_0 was trained on, each counted as often as it was visited.
    weight_unit : float or None
        Their mean weight, the unit of the weights of the stream; by default the first batch determines it.

    Attributes
    ----------
    t : int
        Batches seen.
    n_seen : int
        Rows seen; an average begins at a number of rows.
    """

    def __init__(self, coef, intercept, n_trained=0, weight_unit=None):
        self.iterate = Iterate(coef, intercept)
        self.weight_seen = n_trained  # N
        self.weight_unit = weight_unit
        self.has_begun = False
        self.t = 0
        self.n_seen = 0
        self.sigma2 = 0.0
        self.imbalance = np.zeros(len(intercept))
        self.centre = intercept.astype(np.float64)

    def sweep(self, problem, *, average, batch_size, rng):
        """Make one pass over the rows of a problem.

        Parameters
        ----------
        problem : Problem
            The rows and the constants; the weights need not sum to one.
        average : bool or int
            Whether iterates are averaged, or the number of rows after which they are.
        batch_size : int
            Rows of a batch.
        rng : RandomState or None
            Generator that shuffles the rows; None leaves them in their order.
        """
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
        """Return Wᵀ, of shape (n_features, n_scores), and b."""
        return self.iterate.coefficients()

    def go_on_from(self, coef, intercept):
        """Replace the coefficients of the stream; as after a fit, the new ones are its whole past."""
        self.iterate.go_on_from(coef, intercept)
        self.imbalance[:] = 0
        self.centre = intercept.astype(np.float64)

    def _begin(self, problem, X_batch, weights):
        """Estimate the variance and the weights of the stream from its first batch."""
        parts = normalised(weights)
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
        self.iterate.move(X_batch, weighted, -1 / problem.alpha)
        self.imbalance += weighted.sum(axis=0)
        # The centre follows b as fast as the stream renews itself.
        self.centre -= (self.sigma2 / problem.alpha) * self.imbalance * weights.sum()
        self._set_intercept(problem.alpha)

    def _set_intercept(self, alpha):
        self.iterate.intercept[:] = self.centre - (self.sigma2 / alpha) * self.imbalance

    def _climb(self, problem, X_batch, y, weights):
        """Compute subgradients of the batch that nearly maximise the dual, those of the past being fixed."""
        return climb(
            problem.loss,
            X_batch,
            self.iterate.scores(X_batch),
            y,
            weights,
            alpha=problem.alpha,
            margin=problem.margin,
            sigma2=self.sigma2,
        )
