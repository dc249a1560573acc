"""One minibatch step of the dual ascent, and sweeps of them: the specification of ``dual_step.pxi``.

With the notation of `AscentState`, a batch B and resemblance β,

    S   = X_B Wᵀ + b
    ρ_i = β (‖x_i‖² + σ²) / alpha
    δ_i = Prox(g_i, S_i, ρ_i) − g_i
    U   = Σ_B ω_i δ_i x_iᵀ,   s = Σ_B ω_i δ_i
    η   = clip(Σ_B ω_i (⟨δ_i, S_i⟩ + Δ c(δ_i)) / ((‖U‖² + σ² ‖s‖²) / alpha), 0, 1)
    g_B += η δ,   W −= (η/alpha) U,   v += η s

and β follows r = ((‖U‖² + σ² ‖s‖²) / alpha) / (Σ_B ω_i (‖x_i‖² + σ²) ‖δ_i‖² / alpha). All x_i are centred.

References
----------
Shalev-Shwartz and Zhang, Stochastic dual coordinate ascent methods, JMLR 2013 (one row at a time).
Takáč, Bijral, Richtárik and Srebro, Mini-batch primal and dual methods for SVMs, ICML 2013 (β).
"""

import numpy as np

from linear_hinge.kernels import door
from linear_hinge.kernels.direction import direction
from linear_hinge.kernels.products import product
from linear_hinge.linalg.batches import minibatches, take_rows
from linear_hinge.linalg.sums import combination, inner, squared_rows, weighted_mean


def sweep(state, loss, matrix, rows, mean=None):
    """Make minibatch steps over some rows, in their order.

    Parameters
    ----------
    state : AscentState
        Changed in place.
    loss : HingeLoss
        The loss. Its `row_kernel` makes the compiled steps; without one they are those of `step`.
    matrix : Matrix
        The view of X, of shape (n_samples, n_features).
    rows : ndarray of shape (n_rows,)
        Row numbers. None of them may be twice in a batch.
    mean : RunningMean, optional
        A mean of iterates, which every step is added to.
    """
    if len(rows) == 0 or door.sweep(state, loss, matrix.X, matrix.rows, rows, mean):
        return
    for batch in minibatches(rows, state.batch_size):
        change, length = step(state, loss, matrix.X, batch)
        state.t += 1
        if mean is not None:
            mean.add(change, length, state.centred_intercept(), state.imbalance)


def step(state, loss, X, batch):
    """Make the step of this module's docstring with the rows of a batch.

    Parameters
    ----------
    state : AscentState
        Changed in place.
    loss : HingeLoss
        The loss.
    X : ndarray or CSR of shape (n_samples, n_features)
        All rows.
    batch : ndarray of shape (n_rows,)
        Numbers of the rows of the batch, each of them once.

    Returns
    -------
    change : Direction
        U, transposed.
    length : float
        −η/alpha, so that V has changed by length · U.
    """
    alpha, margin, raw = state.alpha, state.margin, state.raw
    y, weights, norms, dual = state.y[batch], state.weights[batch], state.norms[batch], state.dual[batch]
    X_batch = take_rows(X, batch)
    scores = product(X_batch, raw) + state.offsets(batch).astype(raw.dtype)
    beta = weights.sum() if state.beta is None else state.beta
    delta = loss.prox(dual, scores, y, (beta / alpha * norms).astype(dual.dtype), margin) - dual
    gaps = loss.values(scores, y, margin) - np.einsum("ik,ik->i", dual, scores)
    state.row_gaps[batch] = gaps - margin * loss.dual_values(dual, y)

    weighted = weights[:, None] * delta
    total, on_mean = weighted.sum(axis=0), combination(state.on_mean[batch], weighted)
    change = direction(X_batch, weighted.astype(dual.dtype))
    rise = inner(weighted, scores) + margin * weighted_mean(weights, loss.dual_values(delta, y))
    if not rise > 0:
        return change, 0.0
    quadratic = state.quadratic(change.squared_norm(), total, on_mean)
    eta = min(rise / quadratic, 1.0) if quadratic > 0 else 1.0
    state.dual[batch] += dual.dtype.type(eta) * delta
    change.add_to(raw, -eta / alpha)
    state.raw_on_mean -= eta / alpha * on_mean
    if state.fit_intercept:
        state.imbalance += eta * total
    lengths = weighted_mean(weights * norms, squared_rows(delta))
    state.follow(quadratic * alpha / lengths if lengths > 0 else 0.0)
    return change, -eta / alpha
