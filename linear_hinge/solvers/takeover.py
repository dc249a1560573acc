"""The time when Newton steps take over from the minibatches."""

from typing import NamedTuple

import numpy as np

from linear_hinge.linalg.sums import weighted_mean

# Newton steps take over where the minibatches, at their present rate, need more than `MOST_PASSES_LEFT` passes to the
# end. The rate is known after `FIRST_PASSES`. A Newton system costs more the more coefficients it has: for every
# `COEFFICIENTS` of them the minibatches get `MORE_PASSES`. Where a minibatch holds all rows, a pass is one step, and
# `MOST_STEPS_LEFT` is the limit. Passes over active rows count for the rows that they visit.
FIRST_PASSES = 8
MORE_PASSES, COEFFICIENTS = 32, 512
MOST_PASSES_LEFT = 60
MOST_STEPS_LEFT = 25

# Where the subgradients have far to go, a visit moves them by a small part of that, and the first passes prove next to
# nothing, although the mean of their iterates may be close to the optimum. It is if the rows are too many and too noisy
# to be fitted. Newton steps then begin at that mean after `EARLY_PASSES`, with a ρ of `NEAR` margins, and save up to
# two thirds of the time. The signs are: a pass has proven at most `LITTLE` of the gap that it estimates; most rows are
# active, so that visits count for at least `MOST_VISITED` of the passes; and rows cost, when they were visited, at most
# `NOISY` times the objective of the mean. Where a few rows are much longer than the others, and the mean of ‖x_i‖⁴ is
# more than `UNEQUAL` times the square of that of ‖x_i‖², no ρ suits all of them, and Newton steps are many.
EARLY_PASSES = 2
LITTLE = 0.06
MOST_VISITED = 0.75
NOISY = 2.0
UNEQUAL = 10.0
NEAR = 0.3


class Estimate(NamedTuple):
    """The estimate of the gap after a pass.

    Attributes
    ----------
    passes : float
        The passes so far, in visits to all rows.
    gap : float
        The gap that the last of them estimated.
    """

    passes: float
    gap: float


def is_slow(estimates, target, *, n_coefficients, is_one_batch, rounding):
    """Return whether the minibatches need too many more passes, at the rate of the last half of them.

    Parameters
    ----------
    estimates : list of Estimate
        One for every pass of minibatches.
    target : float
        The gap that ends the fit.
    n_coefficients : int
        Number of coefficients.
    is_one_batch : bool
        Whether a minibatch holds all rows.
    rounding : float
        A gap that is zero to rounding.

    Returns
    -------
    bool
        Whether Newton steps should take over.
    """
    last = estimates[-1]
    first, most_left = first_passes(n_coefficients), MOST_PASSES_LEFT
    if is_one_batch:
        first, most_left = FIRST_PASSES, MOST_STEPS_LEFT
    if last.passes < first:
        return False
    if last.gap <= rounding:
        return True  # the dual cannot rise, and yet the gap is open: the dual is flat in the intercept
    middle = next(estimate for estimate in estimates if estimate.passes >= last.passes / 2)
    if middle is last:
        return False
    return takes_longer(middle.gap, last.gap, last.passes - middle.passes, target, most_left)


def begins_slowly(estimates, estimated_bound, *, n_coefficients, is_one_batch):
    """Return whether the first passes have proven next to nothing.

    Parameters
    ----------
    estimates : list of Estimate
        One for every pass of minibatches.
    estimated_bound : callable
        A function that estimates the bound where the last pass ended.
    n_coefficients : int
        Number of coefficients.
    is_one_batch : bool
        Whether a minibatch holds all rows.

    Returns
    -------
    bool
        Whether they have; never after `EARLY_PASSES`, nor where Newton systems are large.
    """
    n_passes = len(estimates)
    if not 1 <= n_passes <= EARLY_PASSES or is_one_batch or first_passes(n_coefficients) > FIRST_PASSES:
        return False
    last = estimates[-1]
    return last.passes >= MOST_VISITED * n_passes and estimated_bound() <= LITTLE * n_passes * last.gap


def mean_may_be_close(norms, weights, gap, objective):
    """Return whether the mean of the first iterates may be close to the optimum, and Newton steps be few.

    Parameters
    ----------
    norms : ndarray of shape (n_samples,)
        The ‖x_i‖².
    weights : ndarray of shape (n_samples,)
        The ω_i.
    gap : float
        The gap that the last pass estimated, from what rows cost when they were visited.
    objective : float
        The objective of the mean.

    Returns
    -------
    bool
        Whether it may, and they are.
    """
    mean = weighted_mean(weights, norms)
    is_even = weighted_mean(weights, norms * norms) <= UNEQUAL * mean * mean
    return is_even and gap <= NOISY * objective


def first_passes(n_coefficients):
    """Return the number of passes that minibatches get before Newton steps may take over."""
    return FIRST_PASSES + MORE_PASSES * (n_coefficients // COEFFICIENTS)


def takes_longer(before, gap, n_passes, target, most_left):
    """Return whether the gap, at the rate at which it fell, needs more than some passes to its target.

    Parameters
    ----------
    before, gap : float
        Two gaps, greater than 0.
    n_passes : float
        The passes between them.
    target : float
        The gap that ends the fit.
    most_left : float
        The passes that are left to it.

    Returns
    -------
    bool
        Whether it needs more; always if the target is 0.
    """
    rate = np.log(before / gap) / n_passes
    left = np.log(gap / target) if target > 0 else np.inf
    return left > most_left * rate
