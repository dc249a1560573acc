"""Newton steps take over where the minibatches would take long, measured by the rows that they visit."""

import numpy as np
import pytest

from linear_hinge.solvers.takeover import (
    COEFFICIENTS,
    EARLY_PASSES,
    FIRST_PASSES,
    LITTLE,
    MORE_PASSES,
    MOST_PASSES_LEFT,
    MOST_STEPS_LEFT,
    MOST_VISITED,
    NOISY,
    UNEQUAL,
    Estimate,
    begins_slowly,
    is_slow,
    mean_may_be_close,
)


def falling(rate, n_passes, visited=1.0):
    """Gaps that fall by exp(−rate) for every pass over all rows."""
    return [Estimate(visited * n, np.exp(-rate * visited * n)) for n in range(1, n_passes + 1)]


def judged(estimates, target=1e-6, n_coefficients=1, is_one_batch=False):
    return is_slow(
        estimates, target, n_coefficients=n_coefficients, is_one_batch=is_one_batch, rounding=np.finfo(float).eps
    )


@pytest.mark.parametrize("is_one_batch", [False, True])
def test_what_needs_more_passes_than_are_left_is_slow(is_one_batch):
    most_left = MOST_STEPS_LEFT if is_one_batch else MOST_PASSES_LEFT
    n_passes, rate = 2 * FIRST_PASSES, 0.1
    for n_left, expected in [(0.9 * most_left, False), (1.1 * most_left, True)]:
        target = np.exp(-rate * (n_passes + n_left))
        assert judged(falling(rate, n_passes), target, is_one_batch=is_one_batch) == expected


def test_nothing_is_known_of_the_first_passes():
    estimates = falling(1e-9, FIRST_PASSES)
    assert not judged(estimates[:-1])
    assert judged(estimates)


def test_passes_over_few_rows_count_for_what_they_visit():
    target = np.exp(-0.5 * (FIRST_PASSES + 0.9 * MOST_PASSES_LEFT))
    in_tenths = falling(0.5, 10 * FIRST_PASSES, visited=0.1)
    assert not judged(in_tenths, target)
    assert judged([Estimate(10 * n, gap) for n, gap in in_tenths], target)


def test_many_coefficients_give_the_minibatches_more_time():
    n_coefficients = 2 * COEFFICIENTS
    n_passes = FIRST_PASSES + 2 * MORE_PASSES
    estimates = falling(1e-9, n_passes)
    assert not judged(estimates[:-1], n_coefficients=n_coefficients)
    assert judged(estimates, n_coefficients=n_coefficients)
    assert judged(estimates[:-1], n_coefficients=n_coefficients, is_one_batch=True)


def test_where_nothing_is_left_to_climb_the_minibatches_are_slow():
    assert judged([Estimate(n, 0.0) for n in range(1, FIRST_PASSES + 1)])


def test_without_an_end_whatever_falls_is_slow():
    assert judged(falling(1.0, 20), target=0.0)


def begins(estimates, bound, n_coefficients=1, is_one_batch=False):
    return begins_slowly(estimates, lambda: bound, n_coefficients=n_coefficients, is_one_batch=is_one_batch)


@pytest.mark.parametrize("n_passes", range(1, EARLY_PASSES + 1))
def test_passes_that_prove_next_to_nothing_begin_slowly(n_passes):
    estimates = [Estimate(n, 2.0) for n in range(1, n_passes + 1)]
    assert begins(estimates, 1.9 * LITTLE * n_passes)
    assert not begins(estimates, 2.1 * LITTLE * n_passes)
    assert not begins(estimates, 0.0, is_one_batch=True)
    assert not begins(estimates, 0.0, n_coefficients=COEFFICIENTS)
    assert begins(estimates, 0.0, n_coefficients=COEFFICIENTS - 1)


def test_later_passes_and_those_over_few_rows_do_not_begin_slowly():
    assert not begins([Estimate(n, 2.0) for n in range(1, EARLY_PASSES + 2)], 0.0)
    assert not begins([Estimate(1.0, 2.0), Estimate(1.9 * MOST_VISITED, 2.0)], 0.0)
    assert not begins([], 0.0)


def test_the_mean_may_be_close_where_rows_cost_as_much_and_are_as_long():
    weights = np.full(1000, 1 / 1000)
    norms = np.ones(1000)
    assert mean_may_be_close(norms, weights, 1.9, 1.9 / NOISY)
    assert not mean_may_be_close(norms, weights, 1.9, 1.8 / NOISY)
    for longest, expected in ((0.9 * np.sqrt(1000 * UNEQUAL), True), (1.5 * np.sqrt(1000 * UNEQUAL), False)):
        norms[0] = longest
        assert mean_may_be_close(norms, weights, 1.0, 1.0) == expected
