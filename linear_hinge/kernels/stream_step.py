"""One batch of a stream, and sweeps of them: the specification of ``stream_step.pxi``.

A batch B of weight ω_B arrives, the total weight of the stream grows from N to N + ω_B, and what is left of the past
shrinks with it:

    W ← W N / (N + ω_B),   v ← v N / (N + ω_B),   ω_i = (weight of row i) / (N + ω_B).

Then the subgradients g_i of the batch climb the dual (`batch_climb`), and in the end

    W ← W − (1/alpha) Σ_B ω_i g_i x_iᵀ,   v ← v + Σ_B ω_i g_i,   c ← c − ω_B (σ²/alpha) v,   b = c − (σ²/alpha) v.
"""

from dataclasses import dataclass

import numpy as np

from linear_hinge.kernels import door
from linear_hinge.kernels.batch_climb import LARGEST_GRAM, climb, limits
from linear_hinge.kernels.scaled_iterate import LARGEST_SCALE, Iterate
from linear_hinge.linalg.batches import minibatches, take_rows


@dataclass
class StreamState:
    """What is left of the rows that a stream has seen.

    Attributes
    ----------
    iterate : Iterate
        W, b and their averages.
    weight_seen : float
        N.
    imbalance : ndarray of shape (n_scores,)
        v = Σ_i ω_i g_i.
    centre : ndarray of shape (n_scores,)
        The centre c.
    sigma2 : float
        σ², the squared length of the feature whose coefficient is the intercept.
    t : int
        Batches seen.
    n_seen : int
        Rows seen; an average begins at a number of rows.
    """

    iterate: Iterate
    weight_seen: float
    imbalance: np.ndarray
    centre: np.ndarray
    sigma2: float = 0.0
    t: int = 0
    n_seen: int = 0

    def set_intercept(self, alpha):
        """Let b be c − (σ²/alpha) v.

        Parameters
        ----------
        alpha : float
            The strength of the regularisation.
        """
        self.iterate.intercept[:] = self.centre - (self.sigma2 / alpha) * self.imbalance


def sweep(state, loss, X, rows, y, weights, *, alpha, margin, average, batch_size):
    """Let batches of some rows take part in a stream, in their order.

    Parameters
    ----------
    state : StreamState
        Changed in place.
    loss : HingeLoss
        The loss. With its `row_kernel`, sparse rows make compiled steps.
    X : ndarray or CSR of shape (n_samples, n_features)
        All rows.
    rows : ndarray of shape (n_rows,)
        Row numbers, at least one.
    y : ndarray of shape (n_samples,)
        Codes of the classes.
    weights : ndarray of shape (n_samples,)
        The weights, in the unit of N.
    alpha, margin : float
        The constants α and Δ.
    average : bool or int
        Whether iterates are averaged, or the number of rows after which they are.
    batch_size : int
        Rows of a batch.
    """
    if average and state.n_seen + len(rows) >= average:
        state.iterate.begin_average()
    if min(batch_size, len(rows)) <= LARGEST_GRAM:
        constants = alpha, margin, average, batch_size, LARGEST_SCALE, limits()
        if door.absorb(state, loss, X, rows, y, weights, *constants):
            return
    for batch in minibatches(rows, batch_size):
        step(state, loss, take_rows(X, batch), y[batch], weights[batch], alpha=alpha, margin=margin)
        if average and state.n_seen >= average:
            state.iterate.add_to_average()


def step(state, loss, X_batch, y, weights, *, alpha, margin):
    """Let a batch take part: the past shrinks, the batch climbs the dual, and becomes a part of W and v.

    Parameters
    ----------
    state : StreamState
        Changed in place.
    loss : HingeLoss
        The loss.
    X_batch : ndarray or CSR of shape (n_rows, n_features)
        The rows.
    y : ndarray of shape (n_rows,)
        Codes of the classes.
    weights : ndarray of shape (n_rows,)
        The weights, in the unit of N.
    alpha, margin : float
        The constants α and Δ.
    """
    iterate, past = state.iterate, state.weight_seen
    state.t += 1
    state.n_seen += len(y)
    state.weight_seen += weights.sum()
    iterate.shrink(past / state.weight_seen)
    state.imbalance *= past / state.weight_seen
    weights = weights / state.weight_seen
    state.set_intercept(alpha)
    scores = iterate.scores(X_batch)
    dual = climb(loss, X_batch, scores, y, weights, alpha=alpha, margin=margin, sigma2=state.sigma2)
    weighted = (weights[:, None] * dual).astype(iterate.dtype)
    iterate.move(X_batch, weighted, -1 / alpha)
    state.imbalance += weighted.sum(axis=0)
    # The centre follows b as fast as the stream renews itself.
    state.centre -= (state.sigma2 / alpha) * state.imbalance * weights.sum()
    state.set_intercept(alpha)
