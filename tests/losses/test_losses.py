"""The losses against loops over their formulas, and against what defines a subgradient, a dual and a prox step."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from references import CASES, COSTS, frozen, simplex_projection, weston_watkins_projection

from linear_hinge.linalg.sums import COMBINED_AT_ONCE
from linear_hinge.losses import (
    LOSSES,
    BinaryHinge,
    CrammerSinger,
    OneVsRest,
    WestonWatkins,
    get_loss,
)

MARGINS = [1.0, 0.25, 3.0]
CURVATURES = [0.0, 1e-12, 0.1, 1.0, 1e6]


def is_pairwise(case):
    return isinstance(case.loss, CrammerSinger | WestonWatkins)


all_cases = pytest.mark.parametrize("case", CASES, ids=str)
equal_cost_cases = pytest.mark.parametrize("case", [case for case in CASES if case.loss.costs is None], ids=str)
unequal_cost_cases = pytest.mark.parametrize("case", [case for case in CASES if case.loss.costs is not None], ids=str)
multiclass_cases = pytest.mark.parametrize("case", [case for case in CASES if case.n_scores > 1], ids=str)
shift_invariant_cases = pytest.mark.parametrize("case", [case for case in CASES if is_pairwise(case)], ids=str)


# Values and subgradients


@all_cases
@pytest.mark.parametrize("margin", MARGINS)
def test_values_and_subgradients_are_those_of_the_formula(case, margin, rng):
    scores, y = frozen(*case.draw(rng))
    assert_allclose(case.loss.values(scores, y, margin), case.by_rows("value", scores, y, margin), rtol=1e-14)
    expected = case.by_rows("subgradient", scores, y, margin)
    assert_array_equal(case.loss.subgradients(scores, y, margin), expected)
    assert 0 < np.count_nonzero(expected.any(axis=1)) < len(y)  # both kinds of rows occur


@all_cases
@pytest.mark.parametrize("margin", MARGINS)
def test_value_is_the_maximum_over_the_vertices_of_the_polytope(case, margin, rng):
    scores, y = case.draw(rng, n_samples=15)
    for row, label, value in zip(scores, y, case.loss.values(scores, y, margin), strict=True):
        heights = [g @ row + margin * case.reference.dual_value(g, label) for g in case.vertices(label)]
        assert value == pytest.approx(max(heights), rel=1e-13, abs=1e-13)


@all_cases
def test_dual_values_are_those_of_the_formula(case, rng):
    _, y = case.draw(rng)
    dual = case.draw_feasible(rng, y)
    expected = case.by_rows("dual_value", dual, y)
    assert_allclose(case.loss.dual_values(*frozen(dual, y)), expected, rtol=1e-14, atol=1e-16)


@pytest.mark.parametrize(
    ("loss", "n_scores", "hinges"),
    [(BinaryHinge(), 1, 1), (CrammerSinger(), 4, 1), (WestonWatkins(), 4, 3), (OneVsRest(), 4, 4)],
)
@pytest.mark.parametrize("margin", MARGINS)
def test_equal_scores_cost_the_margin(loss, n_scores, hinges, margin):
    """A perceptron is content with equal scores; a hinge asks for a distance."""
    scores, y = np.zeros((2, n_scores)), np.array([0, 1])
    assert_array_equal(loss.values(scores, y, margin), [hinges * margin] * 2)
    assert_array_equal(loss.dual_values(loss.subgradients(scores, y, margin), y), [hinges] * 2)


@equal_cost_cases
@pytest.mark.parametrize("distance", [0.9, 1.1])
def test_the_hinge_ends_where_the_margin_is_reached(case, distance):
    y = np.arange(case.n_classes)
    scores = np.where(np.arange(case.n_classes) == y[:, None], 2.0, -2.0) * distance
    if is_pairwise(case):
        scores /= 2  # so that the pairs, not the scores, are 2 · distance apart
    scores = scores[:, -case.n_scores :]
    assert ((case.loss.values(scores, y, 2.0) > 0) == (distance < 1)).all()
    assert (case.loss.subgradients(scores, y, 2.0).any(axis=1) == (distance < 1)).all()


@all_cases
def test_subgradients_are_the_derivatives_away_from_kinks(case, rng):
    scores, y = case.draw(rng)
    slopes = np.empty_like(scores)
    for k in range(case.n_scores):
        step = np.zeros(case.n_scores)
        step[k] = 1e-6
        rise = case.loss.values(scores + step, y, 1.0) - case.loss.values(scores - step, y, 1.0)
        slopes[:, k] = rise / 2e-6
    assert_allclose(case.loss.subgradients(scores, y, 1.0), slopes, atol=1e-8)


@all_cases
@settings(max_examples=15)
@given(data=st.data())
def test_subgradient_inequality_holds_at_kinks(case, data):
    """f(u) ≥ f(s) + ⟨g, u − s⟩ where scores tie and margins are exactly Δ."""
    small = st.integers(-2, 2).map(float)
    scores = data.draw(hnp.arrays(float, (8, case.n_scores), elements=small))
    y = data.draw(hnp.arrays(int, 8, elements=st.integers(0, case.n_classes - 1)))
    margin = data.draw(st.sampled_from([1.0, 2.0]))
    base, slope = case.loss.values(scores, y, margin), case.loss.subgradients(scores, y, margin)
    assert_array_equal(slope, case.by_rows("subgradient", scores, y, margin))
    rng = np.random.RandomState(0)
    for scale in (1e-3, 0.5, 0.5, 5, 5):
        move = rng.normal(scale=scale, size=scores.shape)
        rise = case.loss.values(scores + move, y, margin) - base
        assert (rise >= (slope * move).sum(axis=1) - 1e-13).all()


@equal_cost_cases
def test_a_margin_of_exactly_delta_is_not_violated(case):
    y = np.arange(case.n_classes)
    scores = np.where(np.arange(case.n_classes) == y[:, None], 1.0, -1.0)[:, -case.n_scores :]
    margin = 2.0 if is_pairwise(case) else 1.0
    assert not case.loss.values(scores, y, margin).any()
    assert not case.loss.subgradients(scores, y, margin).any()


def test_of_equal_scores_the_first_class_is_the_greatest():
    dual = CrammerSinger().subgradients(np.zeros((4, 4)), np.arange(4), 1.0)
    assert_array_equal(dual, [[-1, 1, 0, 0], [1, -1, 0, 0], [1, 0, -1, 0], [1, 0, 0, -1]])


@all_cases
def test_a_row_is_treated_alike_alone_and_among_others(case, rng):
    scores, y = case.draw(rng)
    scores = scores.round()  # ties too
    together = case.loss.subgradients(scores, y, 1.0)
    alone = [case.loss.subgradients(scores[i : i + 1], y[i : i + 1], 1.0)[0] for i in range(len(y))]
    assert_array_equal(together, alone)


@all_cases
@pytest.mark.parametrize("margin", MARGINS)
def test_fenchel_young_equality_at_the_subgradient_and_inequality_elsewhere(case, margin, rng):
    scores, y = case.draw(rng)
    values = case.loss.values(scores, y, margin)
    best = case.loss.subgradients(scores, y, margin)
    assert_allclose(dual_heights(case, best, scores, y, margin), values, rtol=1e-13, atol=1e-13)
    for _ in range(10):
        feasible = case.draw_feasible(rng, y)
        assert (dual_heights(case, feasible, scores, y, margin) <= values + 1e-13).all()


def dual_heights(case, dual, scores, y, margin):
    return (dual * scores).sum(axis=1) + margin * case.loss.dual_values(dual, y)


# Costs


def in_pairs(case, y, scores):
    """s_y − s_j of every row, shape (n_samples, n_classes); the binary score stands for s_1 − s_0."""
    scores = scores if case.n_scores > 1 else scores * [[-0.5, 0.5]]
    return scores[np.arange(len(y)), y][:, None] - scores


@unequal_cost_cases
@pytest.mark.parametrize(("change", "is_violated"), [(-1e-6, True), (0, False), (1e-6, False)])
def test_every_pair_of_classes_has_a_distance_of_its_own(case, change, is_violated):
    """Rows whose scores keep exactly the distances that are asked for, and a little more or less."""
    y = np.arange(case.n_classes)
    distances = 2 * case.loss.costs + change
    scores = -distances if case.n_scores > 1 else (2 * y - 1)[:, None] * (distances[y, 1 - y])[:, None]
    if case.n_scores > 1:
        scores[y, y] = 0
    assert_allclose(in_pairs(case, y, scores)[~np.eye(len(y), dtype=bool)], distances[~np.eye(len(y), dtype=bool)])
    assert (case.loss.values(scores, y, 2.0) > 0).tolist() == [is_violated] * len(y)
    assert case.loss.subgradients(scores, y, 2.0).any(axis=1).tolist() == [is_violated] * len(y)


@unequal_cost_cases
def test_costs_that_are_all_one_change_nothing(case, rng):
    ones = type(case.loss)(1.0 - np.eye(case.n_classes))
    equal = type(case.loss)()
    scores, y = case.draw(rng)
    dual, curvature = case.draw_feasible(rng, y), rng.uniform(0.1, 10, size=len(y))
    assert_array_equal(ones.values(scores, y, 0.7), equal.values(scores, y, 0.7))
    assert_array_equal(ones.subgradients(scores, y, 0.7), equal.subgradients(scores, y, 0.7))
    assert_allclose(ones.dual_values(dual, y), equal.dual_values(dual, y), rtol=1e-14, atol=1e-16)
    steps = [loss.prox(dual, scores, y, curvature, 0.7) for loss in (ones, equal)]
    assert_allclose(*steps, atol=1e-13)


@all_cases
def test_slack_is_added_to_every_distance_those_of_zero_included(case, rng):
    """As if all others scored higher, or the true class lower."""
    scores, y = case.draw(rng)
    z = np.where(np.arange(case.n_classes) == y[:, None], 1, -1)[:, -case.n_scores :]
    moved = scores - 0.25 * z / (2 if is_pairwise(case) else 1)
    expected = case.loss.values(moved, y, 2.0)
    assert_allclose(case.loss.values(scores, y, 2.0, slack=0.25), expected, rtol=1e-13, atol=1e-13)


def test_one_vs_rest_compares_no_pairs():
    with pytest.raises(ValueError, match=r"loss='one_vs_rest' takes one number as margin: .* An array needs 'weston"):
        get_loss("one_vs_rest", 3, COSTS[3])
    assert type(get_loss("one_vs_rest", 2, COSTS[2])) is BinaryHinge


# Symmetries


@pytest.mark.parametrize("costs", [None, COSTS[2]], ids=["equal", "costs"])
@pytest.mark.parametrize("kind", [CrammerSinger, WestonWatkins])
def test_with_two_classes_the_pairwise_losses_are_the_binary_hinge(kind, costs, rng):
    loss, hinge = kind(costs), BinaryHinge(costs)
    scores, y = rng.normal(size=(50, 2)), rng.randint(2, size=50)
    difference = scores[:, 1:] - scores[:, :1]
    assert_allclose(loss.values(scores, y, 1.0), hinge.values(difference, y, 1.0), rtol=1e-13)
    binary = hinge.subgradients(difference, y, 1.0)
    assert_array_equal(loss.subgradients(scores, y, 1.0), np.hstack([-binary, binary]))
    # ‖(−γ, γ)‖² = 2 γ²: the same step at half the curvature.
    dual, curvature = -(2 * y - 1)[:, None] * rng.uniform(size=(50, 1)), rng.uniform(0.1, 10, size=50)
    step = loss.prox(np.hstack([-dual, dual]), scores, y, curvature, 1.0)
    assert_allclose(step[:, 1:], hinge.prox(dual, difference, y, 2 * curvature, 1.0), atol=1e-13)


@shift_invariant_cases
def test_a_constant_added_to_all_scores_changes_nothing(case, rng):
    scores, y = case.draw(rng)
    scores = (64 * scores).round()  # so that adding an integer rounds nothing
    shifted = scores + rng.randint(-100, 100, size=(len(y), 1))
    for method in (case.loss.values, case.loss.subgradients):
        assert_array_equal(method(scores, y, 48.0), method(shifted, y, 48.0))
    dual, curvature = case.draw_feasible(rng, y), np.full(len(y), 64.0)
    steps = [case.loss.prox(dual, s, y, curvature, 48.0) for s in (scores, shifted)]
    assert_allclose(*steps, atol=1e-12)


@multiclass_cases
def test_permuted_classes_permute_the_subgradients_and_prox_steps(case, rng):
    scores, y = case.draw(rng)
    dual, curvature = case.draw_feasible(rng, y), rng.uniform(0.1, 10, size=len(y))
    old_of_new = rng.permutation(case.n_classes)
    new_y = np.argsort(old_of_new)[y]
    costs = case.loss.costs
    loss = type(case.loss)(None if costs is None else costs[np.ix_(old_of_new, old_of_new)])
    assert_array_equal(
        loss.subgradients(scores[:, old_of_new], new_y, 1.0),
        case.loss.subgradients(scores, y, 1.0)[:, old_of_new],
    )
    assert_allclose(
        loss.prox(dual[:, old_of_new], scores[:, old_of_new], new_y, curvature, 1.0),
        case.loss.prox(dual, scores, y, curvature, 1.0)[:, old_of_new],
        atol=1e-13,
    )


@all_cases
@pytest.mark.parametrize("factor", [0.5, 4.0])
def test_scores_and_margin_scale_together(case, factor, rng):
    scores, y = case.draw(rng)
    assert_array_equal(case.loss.values(factor * scores, y, factor), factor * case.loss.values(scores, y, 1.0))
    assert_array_equal(case.loss.subgradients(factor * scores, y, factor), case.loss.subgradients(scores, y, 1.0))


# Prox steps


def prox_objective(case, point, dual, scores, y, curvature, margin):
    return dual_heights(case, point, scores, y, margin) - curvature / 2 * ((point - dual) ** 2).sum(axis=1)


def reference_prox(case, g, s, y, rho, margin):
    """One row: the projection of g + (s + Δ ∇c)/ρ onto D_y, by clipping or by bisection."""
    slope_of_c = [case.reference.dual_value(np.eye(case.n_scores)[k], y) for k in range(case.n_scores)]
    point = [g_k + (s_k + margin * c_k) / rho for g_k, s_k, c_k in zip(g, s, slope_of_c, strict=True)]
    if isinstance(case.loss, WestonWatkins):
        return weston_watkins_projection(point, y)
    if isinstance(case.loss, CrammerSinger):
        p = simplex_projection([a + (k == y) for k, a in enumerate(point)])
        return [p_k - (k == y) for k, p_k in enumerate(p)]
    return np.clip(point, case.vertices(y).min(axis=0), case.vertices(y).max(axis=0))


@all_cases
@pytest.mark.parametrize("curvature", [0.01, 0.3, 1.0, 30.0])
@pytest.mark.parametrize("margin", MARGINS)
def test_prox_is_the_projection_that_bisection_finds(case, curvature, margin, rng):
    scores, y = case.draw(rng, n_samples=20)
    dual = case.draw_feasible(rng, y)
    step = case.loss.prox(dual, scores, y, np.full(len(y), curvature), margin)
    for i in range(len(y)):
        expected = reference_prox(case, dual[i].tolist(), scores[i].tolist(), y[i], curvature, margin)
        assert_allclose(step[i], expected, atol=1e-11)


@all_cases
@pytest.mark.parametrize("curvature", CURVATURES)
@pytest.mark.parametrize("size", [1e-9, 1.0, 1e9])
def test_prox_is_feasible_and_no_vertex_lies_uphill_of_it(case, curvature, size, rng):
    """The maximiser g* of a concave function over D_y: ⟨gradient at g*, h − g*⟩ ≤ 0 for every vertex h."""
    scores, y = case.draw(rng)
    scores *= size
    dual, curvature = case.draw_feasible(rng, y), np.full(len(y), curvature)
    step = case.loss.prox(*frozen(dual, scores, y, curvature), 1.0)
    assert (case.loss.violations(step, y) <= 1 + 1e-13).all()
    assert is_feasible(case, step, y).all()
    for i in range(len(y)):
        slope_of_c = [case.reference.dual_value(np.eye(case.n_scores)[k], y[i]) for k in range(case.n_scores)]
        gradient = scores[i] + slope_of_c - curvature[i] * (step[i] - dual[i])
        rounding = 1e-14 * case.n_scores * (np.abs(scores[i]).max() + 1 + curvature[i])
        assert ((case.vertices(y[i]) - step[i]) @ gradient).max() <= rounding


@all_cases
def test_prox_is_not_beaten_by_other_feasible_points(case, rng):
    scores, y = case.draw(rng)
    start, curvature = case.draw_feasible(rng, y), 10 ** rng.uniform(-2, 2, size=len(y))
    problem = start, scores, y, curvature, 1.0
    step = case.loss.prox(*problem)
    best = prox_objective(case, step, *problem)
    assert (best >= prox_objective(case, start, *problem) - 1e-12).all()
    for _ in range(20):
        other = case.draw_feasible(rng, y)
        distance = ((other - step) ** 2).sum(axis=1)  # the objective is ρ-strongly concave
        assert (prox_objective(case, other, *problem) <= best - curvature / 2 * distance + 1e-12).all()


@all_cases
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1e-9, 1.0, 1e9])
@pytest.mark.parametrize("curvature", [0.0, 1e-38])
def test_prox_without_curvature_is_a_subgradient(case, dtype, size, curvature, rng):
    scores, y = case.draw(rng)
    scores = (scores * size).astype(dtype)
    dual = case.draw_feasible(rng, y).astype(dtype)
    step = case.loss.prox(dual, scores, y, np.full(len(y), curvature, dtype), 1.0)
    values = case.loss.values(scores.astype(float), y, 1.0)
    assert_allclose(dual_heights(case, step, scores.astype(float), y, 1.0), values, rtol=1e-6, atol=1e-6)


@all_cases
def test_prox_with_huge_curvature_stays_where_it_is(case, rng):
    scores, y = case.draw(rng)
    dual = case.draw_feasible(rng, y)
    assert_allclose(case.loss.prox(dual, scores, y, np.full(len(y), 1e15), 1.0), dual, atol=1e-13)


@all_cases
@pytest.mark.parametrize("curvature", CURVATURES)
def test_prox_stays_at_a_subgradient(case, curvature, rng):
    scores, y = case.draw(rng)
    best = case.loss.subgradients(scores, y, 1.0)
    step = case.loss.prox(best, scores, y, np.full(len(y), curvature), 1.0)
    assert_allclose(step, best, atol=1e-13)


@all_cases
@pytest.mark.parametrize("curvature", [0.3, 3.0])
def test_free_entries_are_those_that_the_prox_step_moves(case, curvature, rng):
    """Its Jacobian is the identity on them over ρ, less their mean where Σ g = 0; elsewhere it is zero."""
    scores, y = case.draw(rng)
    dual, curvature = case.draw_feasible(rng, y), np.full(len(y), curvature)
    free = case.loss.free(case.loss.prox(dual, scores, y, curvature, 1.0), y)
    assert free.dtype == bool
    for k in range(case.n_scores):
        step = 1e-6 * (np.arange(case.n_scores) == k)
        ahead, behind = (case.loss.prox(dual, s, y, curvature, 1.0) for s in (scores + step, scores - step))
        expected = free * (np.arange(case.n_scores) == k).astype(float)
        if case.loss.sums_to_zero:
            expected -= free * free[:, k : k + 1] / np.maximum(free.sum(axis=1, keepdims=True), 1)
        assert_allclose(curvature[:, None] * (ahead - behind) / 2e-6, expected, atol=1e-8)


# Feasibility


@all_cases
def test_violations_are_at_most_one_inside_one_at_vertices_and_zero_at_zero(case, rng):
    _, y = case.draw(rng)
    assert (case.loss.violations(*frozen(case.draw_feasible(rng, y), y)) <= 1 + 1e-14).all()
    for label in range(case.n_classes):
        vertices = case.vertices(label)
        assert_array_equal(case.loss.violations(vertices, np.full(len(vertices), label)), vertices.any(axis=1))


def is_feasible(case, dual, y, atol=1e-13):
    """Whether a row lies in D_y, which for all the losses is a box, for the pairwise ones cut with Σ g = 0."""
    lowest = np.array([case.vertices(label).min(axis=0) for label in y])
    highest = np.array([case.vertices(label).max(axis=0) for label in y])
    in_box = ((dual >= lowest - atol) & (dual <= highest + atol)).all(axis=1)
    return in_box & (not is_pairwise(case) or np.abs(dual.sum(axis=1)) <= atol * case.n_scores)


@all_cases
def test_violations_are_the_factor_back_to_the_polytope(case, rng):
    _, y = case.draw(rng)
    dual = case.draw_feasible(rng, y) * rng.uniform(0.1, 10, size=(len(y), 1))
    dual, y = dual[dual.any(axis=1)], y[dual.any(axis=1)]
    factor = case.loss.violations(*frozen(dual, y))
    assert (factor > 1).any()
    assert (factor < 1).any()
    assert is_feasible(case, dual / factor[:, None], y).all()
    assert not is_feasible(case, dual / (0.999 * factor[:, None]), y).any()
    assert_allclose(case.loss.violations(7 * dual, y), 7 * factor, rtol=1e-14)


@all_cases
def test_no_factor_makes_a_wrong_direction_feasible(case):
    for label in range(case.n_classes):
        vertices = case.vertices(label)
        opposite = -1e-9 * vertices[vertices.any(axis=1)]
        assert np.isinf(case.loss.violations(opposite, np.full(len(opposite), label))).all()


@all_cases
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_signs_are_put_right_and_the_rest_stays(case, dtype, rng):
    _, y = case.draw(rng)
    exact = case.draw_feasible(rng, y)
    dual = (exact + rng.uniform(-1e-6, 1e-6, size=exact.shape)).astype(dtype)
    signed = case.loss.with_signs(*frozen(dual, y))
    assert signed.dtype == np.float64
    assert np.isfinite(case.loss.violations(signed, y)).all()
    assert_allclose(signed, exact, atol=1e-6 * case.n_scores)
    if case.loss.sums_to_zero:
        assert np.abs(signed.sum(axis=1)).max() <= 1e-15 * case.n_scores
    assert_allclose(case.loss.with_signs(exact, y), exact, atol=1e-15 * case.n_scores)


@all_cases
def test_losses_that_look_at_differences_say_so(case, rng):
    scores, y = case.draw(rng)
    change = np.abs(case.loss.values(scores, y, 1.0) - case.loss.values(scores + 1, y, 1.0)).max()
    assert case.loss.sums_to_zero == (change < 1e-12)


# Balance


def random_duals(case, rng):
    _, y = case.draw(rng, n_samples=60)
    return case.draw_feasible(rng, y), y


def without_one_class(case, rng):
    dual, y = random_duals(case, rng)
    return dual[y != 0], y[y != 0]


def one_class_at_zero(case, rng):
    dual, y = random_duals(case, rng)
    dual[y == 0] = 0
    return dual, y


def all_zero(case, rng):
    dual, y = random_duals(case, rng)
    return 0 * dual, y


def one_way_only(case, rng):
    """Every class flows to the next one, the last to none: nothing comes back."""
    y = np.arange(case.n_classes)
    dual = np.eye(case.n_classes, k=1) - np.eye(case.n_classes)
    dual[-1] = 0
    return dual[:, -case.n_scores :], y


def two_groups(case, rng):
    """Flows inside two halves of the classes, and from the first half to the second."""
    dual, y = random_duals(case, rng)
    half = case.n_scores // 2
    if is_pairwise(case):
        dual[y >= half, :half] = 0
        dual[np.arange(len(y)), y] -= dual.sum(axis=1)
    return dual, y


def balanced_by(case, dual, y, weights):
    """A balanced copy of G."""
    balanced = dual.copy()
    case.loss.balance(balanced, *frozen(y, weights))
    return balanced


@all_cases
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "draw", [random_duals, without_one_class, one_class_at_zero, all_zero, one_way_only, two_groups]
)
def test_balanced_duals_sum_to_zero_and_a_common_factor_makes_them_feasible(case, draw, weighted, rng):
    dual, y = draw(case, rng)
    weights = 10 ** rng.uniform(-4, 0, size=len(y)) if weighted else np.ones(len(y))
    weights /= weights.sum()
    balanced = balanced_by(case, dual, y, weights)
    assert np.abs(weights @ balanced).max() <= 1e-13
    factor = case.loss.violations(balanced, y)
    assert np.isfinite(factor).all()
    feasible = balanced / max(factor.max(), 1)
    assert is_feasible(case, feasible, y).all()
    assert np.abs(weights @ feasible).max() <= 1e-13


@all_cases
def test_balancing_keeps_what_is_balanced(case, rng):
    """Every row stands beside rows of the other classes that undo it."""
    y = np.repeat(np.arange(case.n_classes), case.n_classes)
    other = np.tile(np.arange(case.n_classes), case.n_classes)
    identity = np.eye(case.n_classes)
    dual = rng.uniform() * (identity[other] - identity[y])[:, -case.n_scores :]
    weights = np.full(len(y), 1 / len(y))
    assert_allclose(balanced_by(case, dual, y, weights), dual, atol=1e-14)


@all_cases
def test_balancing_keeps_every_sign_where_all_classes_flow_into_each_other(case, rng):
    dual, y = random_duals(case, rng)
    weights = rng.dirichlet(np.ones(len(y)))
    assert_array_equal(np.sign(balanced_by(case, dual, y, weights)), np.sign(dual))


@all_cases
def test_many_rows_are_balanced_like_few(case, rng):
    """They are changed in chunks, and summed up in chunks."""
    dual, y = random_duals(case, rng)
    weights, n_copies = rng.dirichlet(np.ones(len(y))), COMBINED_AT_ONCE // dual.size + 2
    many = balanced_by(case, np.tile(dual, (n_copies, 1)), np.tile(y, n_copies), np.tile(weights, n_copies) / n_copies)
    assert_allclose(many, np.tile(balanced_by(case, dual, y, weights), (n_copies, 1)), atol=1e-13)


# Types and names


@all_cases
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("margin", [1, 1.0, np.float64(1)], ids=["int", "float", "float64"])
def test_results_have_the_dtype_of_the_scores(case, dtype, margin, rng):
    scores, y = case.draw(rng)
    scores, dual = scores.astype(dtype), case.draw_feasible(rng, y).astype(dtype)
    assert case.loss.values(scores, y, margin).dtype == dtype
    assert case.loss.subgradients(scores, y, margin).dtype == dtype
    assert case.loss.dual_values(dual, y).dtype == dtype
    assert case.loss.prox(dual, scores, y, np.ones(len(y), dtype), margin).dtype == dtype


@all_cases
def test_float32_is_as_accurate_as_float32_can_be(case, rng):
    scores, y = case.draw(rng)
    scores, dual = scores.astype(np.float32), case.draw_feasible(rng, y).astype(np.float32)
    exact = case.loss.prox(dual.astype(float), scores.astype(float), y, np.full(len(y), 0.5), 1.0)
    assert_allclose(case.loss.prox(dual, scores, y, np.full(len(y), 0.5, np.float32), 1.0), exact, atol=1e-5)
    assert_allclose(case.loss.values(scores, y, 1.0), case.loss.values(scores.astype(float), y, 1.0), rtol=1e-5)


@all_cases
def test_no_method_writes_into_its_input(case, rng):
    scores, y = frozen(*case.draw(rng))
    dual, weights = frozen(case.draw_feasible(rng, y), np.full(len(y), 1 / len(y)))
    case.loss.values(scores, y, 1.0)
    case.loss.subgradients(scores, y, 1.0)
    case.loss.dual_values(dual, y)
    case.loss.prox(dual, scores, y, weights, 1.0)
    case.loss.violations(dual, y)
    case.loss.free(dual, y)
    case.loss.with_signs(dual, y)
    case.loss.rescaled(dual, y, case.loss.balancing_factors(case.loss.flows(dual, y, weights)))


def test_losses_by_name():
    names = {"crammer_singer": CrammerSinger, "weston_watkins": WestonWatkins, "one_vs_rest": OneVsRest}
    assert set(names) == set(LOSSES)
    for name, kind in names.items():
        assert type(get_loss(name, 3)) is kind
        assert get_loss(name, 3).n_scores(3) == 3
        assert type(get_loss(name, 2)) is BinaryHinge
        assert get_loss(name, 2).n_scores(2) == 1
