"""One step of subgradient descent, and sweeps of them: the specification of ``subgradient_step.pxi``.

    W ← W − η (alpha W + Σ_B ω_i g_i x_iᵀ),   b ← b − η Σ_B ω_i g_i,

with a subgradient g_i of the loss of every row of the batch B, and with weights ω_i that are normalised within it.
"""

from dataclasses import dataclass

from linear_hinge.kernels import door
from linear_hinge.kernels.scaled_iterate import LARGEST_SCALE, Iterate
from linear_hinge.linalg.batches import minibatches, normalised, take_rows


@dataclass
class DescentState:
    """The iterate (W_t, b_t) of subgradient descent.

    Attributes
    ----------
    iterate : Iterate
        W, b and their averages.
    t : int
        Steps done.
    n_seen : int
        Rows seen; an average begins at a number of rows.
    """

    iterate: Iterate
    t: int = 0
    n_seen: int = 0


def sweep(state, loss, X, rows, y, weights, etas, *, alpha, margin, fit_intercept, average, batch_size):
    """Make the steps over some rows, in their order.

    Parameters
    ----------
    state : DescentState
        Changed in place.
    loss : HingeLoss
        The loss. With its `row_kernel`, rows that lie in one piece make compiled steps.
    X : ndarray or CSR of shape (n_samples, n_features)
        All rows.
    rows : ndarray of shape (n_rows,)
        Row numbers.
    y : ndarray of shape (n_samples,)
        Codes of the classes.
    weights : ndarray of shape (n_samples,)
        The weights, in any unit.
    etas : ndarray of shape (n_steps,), dtype=float64
        The length η of every step.
    alpha, margin : float
        The constants α and Δ.
    fit_intercept : bool
        Whether b is trained.
    average : bool or int
        Whether iterates are averaged, or the number of rows after which they are.
    batch_size : int
        Rows of a batch.
    """
    if average and state.n_seen + len(rows) >= average:
        state.iterate.begin_average()
    options = average, batch_size, LARGEST_SCALE
    if door.descend(state, loss, X, rows, y, weights, etas, alpha, margin, fit_intercept, *options):
        return
    constants = {"alpha": alpha, "margin": margin, "fit_intercept": fit_intercept}
    for batch, eta in zip(minibatches(rows, batch_size), etas.tolist(), strict=True):
        step(state, loss, take_rows(X, batch), y[batch], weights[batch], eta, **constants)
        if average and state.n_seen >= average:
            state.iterate.add_to_average()


def step(state, loss, X_batch, y, weights, eta, *, alpha, margin, fit_intercept):
    """Make one step.

    Parameters
    ----------
    state : DescentState
        Changed in place.
    loss : HingeLoss
        The loss.
    X_batch : ndarray or CSR of shape (n_rows, n_features)
        The rows of the batch.
    y : ndarray of shape (n_rows,)
        Codes of the classes.
    weights : ndarray of shape (n_rows,)
        The weights, in any unit.
    eta : float
        The length η.
    alpha, margin : float
        The constants α and Δ.
    fit_intercept : bool
        Whether b is trained.
    """
    iterate = state.iterate
    state.t += 1
    state.n_seen += len(y)
    dual = loss.subgradients(iterate.scores(X_batch), y, margin)
    weighted = normalised(weights).astype(iterate.dtype)[:, None] * dual
    iterate.shrink(1 - eta * alpha)
    iterate.move(X_batch, weighted, -eta)
    if fit_intercept:
        iterate.intercept -= iterate.dtype.type(eta) * weighted.sum(axis=0)
