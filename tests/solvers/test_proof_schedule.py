"""When looks and proofs are worth their cost, told by numbers alone."""

from types import SimpleNamespace

from linear_hinge.solvers.proof_schedule import FIRST_SHARE, LEAST_SHARE, VERY_OLD_LOOK, ProofSchedule

BRACKET = SimpleNamespace(tol=0.01, objective=1.0)


def test_the_first_look_is_due_after_few_passes_and_the_next_after_as_many_times_more():
    schedule = ProofSchedule(BRACKET)
    assert [schedule.is_look_due(n) for n in (1, VERY_OLD_LOOK - 1, VERY_OLD_LOOK)] == [False, False, True]
    schedule.looked(5, 0.1, 0.2)
    assert not schedule.is_look_due(5 * VERY_OLD_LOOK - 1)
    assert schedule.is_look_due(5 * VERY_OLD_LOOK)


def test_what_a_look_found_of_an_estimate_is_expected_again_and_forgotten():
    schedule = ProofSchedule(BRACKET)
    assert schedule.share_at(1) == FIRST_SHARE
    schedule.looked(10, 0.9, 1.0)
    assert [schedule.share_at(n) for n in (11, 14, 15, 40)] == [0.9, 0.9, LEAST_SHARE, LEAST_SHARE]
    schedule.looked(1, 0.5, 0.0)  # an estimate of nothing
    assert schedule.share_at(1) > 0


def test_proofs_on_the_way_take_a_small_share_of_the_work():
    schedule = ProofSchedule(BRACKET)
    assert schedule.is_worth_a_proof(0.4, 1.0, work=100)
    assert not schedule.is_worth_a_proof(0.9, 1.0, work=100)
    schedule.work_of_proofs = 5
    assert not schedule.is_worth_a_proof(0.4, 1.0, work=100)
    assert schedule.is_worth_a_proof(0.4, 1.0, work=1000)


def test_before_the_first_look_a_gap_is_small_only_beside_the_bound():
    """The known objective is that of zero, and the optimum may be a millionth of it."""
    schedule = ProofSchedule(BRACKET)
    assert schedule.is_within(3, 0.029, lambda: 0.97) and not schedule.is_within(3, 0.029, lambda: 1e-6)
    assert not schedule.is_within(1, 0.029, None)
    schedule.looked(1, 0.5, 1.0)
    assert schedule.is_within(3, 0.029, None) and not schedule.is_within(3, 0.031, None)
