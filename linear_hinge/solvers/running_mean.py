"""The mean of the iterates of some steps, for the cost of their changes."""

import numpy as np


class RunningMean:
    """The mean of V_1 … V_T, updated where V changes: V_T − Σ_r (r − 1) (change of step r) / T.

    Parameters
    ----------
    memory : ndarray of shape (n_features, width)
        The memory of V, which the steps change.
    n_scores : int
        Number of scores of a row.
    """

    def __init__(self, memory, n_scores):
        self.memory = memory
        self.lag_memory = np.zeros_like(memory)
        self.lag = self.lag_memory[:, :n_scores]
        self.intercept, self.imbalance = np.zeros(n_scores), np.zeros(n_scores)
        self.n_steps = 0

    def add(self, change, length, intercept, imbalance):
        """Let the iterate after a step take part.

        Parameters
        ----------
        change : Direction
            The direction in which the step has changed V.
        length : float
            The multiple of the direction.
        intercept, imbalance : ndarray of shape (n_scores,)
            The intercept b of the centred rows, and v = Σ_i ω_i g_i, after the step.
        """
        change.add_to(self.lag, self.n_steps * length)
        self.n_steps += 1
        self.intercept = self.intercept + (intercept - self.intercept) / self.n_steps
        self.imbalance = self.imbalance + (imbalance - self.imbalance) / self.n_steps

    def value(self):
        """Return the mean of V, b and v, in the memory of the lag, which may be large."""
        mean = self.lag_memory
        mean /= -mean.dtype.type(self.n_steps)
        mean += self.memory
        return mean[:, : self.lag.shape[1]], self.intercept, self.imbalance
