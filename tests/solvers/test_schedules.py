"""The learning-rate schedules against their formulas."""

import pytest

from linear_hinge.solvers.schedules import ADAPTIVE_SMALLEST, make_schedule

STEPS = [1, 2, 3, 10, 1000, 10**9]


def schedule(name, alpha=0.01, row_norm=5.0, eta0=0.2, power_t=0.25):
    return make_schedule(name, alpha=alpha, row_norm=row_norm, eta0=eta0, power_t=power_t)


@pytest.mark.parametrize("t", STEPS)
def test_schedules_are_their_formulas(t):
    assert schedule("constant")(t) == 0.2
    assert schedule("adaptive")(t) == 0.2
    assert schedule("invscaling")(t) == pytest.approx(0.2 / t**0.25)
    assert schedule("optimal")(t) == pytest.approx(1 / (0.01 * (t + 5 * 0.01**-0.75)))


@pytest.mark.parametrize("alpha", [1e-9, 1e-4, 1.0, 1e4])
@pytest.mark.parametrize("row_norm", [1.0, 30.0])
def test_optimal_begins_with_a_step_as_long_as_the_weights_are_expected_to_become(alpha, row_norm):
    assert schedule("optimal", alpha=alpha, row_norm=row_norm)(0) * row_norm == pytest.approx(alpha**-0.25)


@pytest.mark.parametrize("alpha", [1e-9, 1e-4, 1.0, 1e4])
def test_optimal_never_shrinks_the_weights_to_nothing_and_becomes_the_rate_of_pegasos(alpha):
    rate = schedule("optimal", alpha=alpha)
    assert all(0 < rate(t) * alpha < 1 for t in STEPS)
    assert rate(10**12) == pytest.approx(1 / (alpha * 10**12), rel=1e-4)


@pytest.mark.parametrize("row_norm", [0.0, 1e-9, 1.0])
def test_optimal_takes_short_rows_for_rows_of_length_one(row_norm):
    assert schedule("optimal", row_norm=row_norm)(1) == schedule("optimal", row_norm=1.0)(1)


@pytest.mark.parametrize("name", ["optimal", "constant", "invscaling"])
def test_only_adaptive_can_be_shortened(name):
    rate = schedule(name)
    before = [rate(t) for t in STEPS]
    assert not rate.shorten()
    assert [rate(t) for t in STEPS] == before


def test_adaptive_shortens_to_a_fifth_until_it_is_small():
    rate = schedule("adaptive")
    for i in range(1, 8):
        assert rate.shorten()
        assert rate(1) == pytest.approx(0.2 / 5**i)
    assert rate(1) > ADAPTIVE_SMALLEST
    assert not rate.shorten()


def test_an_unknown_schedule_is_refused():
    with pytest.raises(KeyError):
        schedule("pegasos")
