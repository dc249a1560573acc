"""Steps in closed form on a stream: `partial_fit` without a learning rate.

Past rows are remembered only by their part of W. A batch arrives, the subgradients of the past shrink as the weight of
the stream grows, and those of the batch, zero at first, climb the dual of everything seen as in `dual_ascent`: several
steps on the same batch, in which its Gram matrix stands for the features (`stream_step`).

The stream does not begin at N = 0, where the first batches would be fitted as if nothing else were to come, but where
`learning_rate="optimal"` begins, at t0 batches. With a vertex of D_y in place of g_i this is that method; the prox
steps stop where the margin is reached.
"""

import numpy as np

from linear_hinge.kernels import stream_step
from linear_hinge.kernels.products import squared_norms, weighted_sum
from linear_hinge.kernels.scaled_iterate import Iterate
from linear_hinge.linalg.batches import normalised, shuffled, take_rows
from linear_hinge.linalg.sums import weighted_mean
from linear_hinge.problem.variance import largest_variance
from linear_hinge.solvers.schedules import Optimal


class DualStream(stream_step.StreamState):
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
    """

    def __init__(self, coef, intercept, n_trained=0, weight_unit=None):
        super().__init__(Iterate(coef, intercept), n_trained, np.zeros(len(intercept)), intercept.astype(np.float64))
        self.weight_unit = weight_unit
        self.has_begun = False

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
        rows = shuffled(problem.rows, batch_size, rng)
        if len(rows) == 0:
            return
        if not self.has_begun:
            self._begin(problem, rows[:batch_size])
            self.has_begun = True
        weights = problem.weights / self.weight_unit
        options = {"alpha": problem.alpha, "margin": problem.margin, "average": average, "batch_size": batch_size}
        stream_step.sweep(self, problem.loss, problem.X, rows, problem.y, weights, **options)

    def coefficients(self):
        """Return Wᵀ, of shape (n_features, n_scores), and b."""
        return self.iterate.coefficients()

    def go_on_from(self, coef, intercept):
        """Replace the coefficients of the stream; as after a fit, the new ones are its whole past."""
        self.iterate.go_on_from(coef, intercept)
        self.imbalance[:] = 0
        self.centre = intercept.astype(np.float64)

    def _begin(self, problem, batch):
        """Estimate the variance and the weights of the stream from its first batch."""
        X_batch, weights = take_rows(problem.X, batch), problem.weights[batch]
        parts = normalised(weights)
        if problem.fit_intercept:
            self.sigma2 = largest_variance(X_batch, parts, weighted_sum(X_batch, parts))
        if self.weight_unit is None:
            self.weight_unit = weights.max()
        row_norm = np.sqrt(weighted_mean(parts, squared_norms(X_batch)))
        self.weight_seen += Optimal(problem.alpha, row_norm).t0 * (weights / self.weight_unit).sum()
