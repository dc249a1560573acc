"""Balanced flows: what enters a class equals what leaves it, by factors of the form exp(u_j − u_k)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from references import frozen

from linear_hinge.losses.balancing import balance_flows

flow_sizes = st.just(0.0) | st.floats(-12, 3).map(lambda exponent: 10**exponent)


@st.composite
def flow_matrices(draw, max_classes=6):
    n_classes = draw(st.integers(1, max_classes))
    entries = draw(st.lists(flow_sizes, min_size=n_classes**2, max_size=n_classes**2))
    return without_diagonal(np.reshape(entries, (n_classes, n_classes)))


def without_diagonal(flows):
    np.fill_diagonal(flows, 0)
    return flows


def assert_balanced(flows):
    imbalance = np.abs(flows.sum(axis=1) - flows.sum(axis=0)).max()
    assert imbalance <= 1e-14 * len(flows) * flows.sum()


def reachable(flows):
    """Whether there is a way from j to k, by Warshall's loops."""
    way = (flows > 0) | np.eye(len(flows), dtype=bool)
    for k in range(len(flows)):
        way |= way[:, k : k + 1] & way[k]
    return way


@given(flow_matrices())
def test_what_enters_a_class_equals_what_leaves_it(flows):
    assert_balanced(balance_flows(*frozen(flows)) * flows)


@pytest.mark.parametrize("decades", [1, 5, 15])
def test_random_flows_are_balanced_to_rounding(decades, rng):
    for n_classes in np.repeat(range(2, 12), 10):
        flows = 10 ** rng.uniform(-decades, 0, size=(n_classes, n_classes))
        flows *= rng.uniform(size=flows.shape) < rng.choice([0.3, 0.6, 1])
        assert_balanced(balance_flows(without_diagonal(flows)) * flows)


@given(flow_matrices())
def test_factors_are_ratios_of_potentials_inside_a_group_and_zero_outside(flows):
    factors = balance_flows(flows)
    group = reachable(flows) & reachable(flows).T
    assert_array_equal(factors > 0, group)
    for j, k, m in zip(*np.nonzero(group[:, :, None] & group[None, :, :]), strict=True):
        assert factors[j, k] * factors[k, m] == pytest.approx(factors[j, m], rel=1e-12)


@pytest.mark.parametrize("n_classes", [1, 2, 5, 150])
def test_balanced_flows_stay_as_they_are(n_classes, rng):
    flows = without_diagonal(rng.uniform(size=(n_classes, n_classes)))
    assert_allclose(balance_flows(flows + flows.T), 1, rtol=1e-14)
    assert_array_equal(balance_flows(np.zeros((n_classes, n_classes))), np.eye(n_classes))


def test_balanced_but_not_symmetric_flows_stay_as_they_are():
    cycle = np.roll(np.eye(4), 1, axis=1)
    assert_array_equal(balance_flows(cycle), np.ones((4, 4)))


@pytest.mark.parametrize(("there", "back"), [(1.0, 4.0), (1e3, 1e-12), (0.3, 0.3), (1e-300, 1e-290)])
def test_two_classes_meet_at_the_geometric_mean(there, back):
    factors = balance_flows(np.array([[0, there], [back, 0]]))
    assert_allclose(factors, [[1, np.sqrt(back / there)], [np.sqrt(there / back), 1]], rtol=1e-12)


def test_a_cycle_carries_the_geometric_mean_everywhere(rng):
    amounts = rng.uniform(0.01, 100, size=7)
    cycle = np.diag(amounts) @ np.roll(np.eye(7), 1, axis=1)
    balanced = balance_flows(cycle) * cycle
    assert_allclose(balanced[balanced > 0], np.exp(np.log(amounts).mean()), rtol=1e-12)


def test_one_way_flows_vanish_and_the_groups_are_balanced_as_if_alone(rng):
    first, second = (without_diagonal(rng.uniform(size=(n, n))) for n in (3, 4))
    flows = np.block([[first, rng.uniform(size=(3, 4))], [np.zeros((4, 3)), second]])
    factors = balance_flows(flows)
    assert_allclose(factors[:3, :3], balance_flows(first), rtol=1e-12)
    assert_allclose(factors[3:, 3:], balance_flows(second), rtol=1e-12)
    assert not factors[:3, 3:].any()
    assert not factors[3:, :3].any()
    assert_array_equal(balance_flows(np.triu(flows, k=1)), np.eye(7))


@pytest.mark.parametrize("size", [1e-6, 1e-12, 1e-20, 1e-100])
def test_groups_of_very_different_size_are_balanced(size):
    block = np.array([[0, 1.0], [0.25, 0]])
    flows = np.block([[block, np.zeros((2, 2))], [np.zeros((2, 2)), size * block]])
    balanced = balance_flows(flows) * flows
    assert_balanced(balanced)
    assert balanced[0, 1] == pytest.approx(0.5)


@pytest.mark.parametrize("link", [1e-6, 1e-12, 1e-20, 1e-100])
def test_groups_that_a_weak_link_joins_are_balanced(link):
    block = np.array([[0, 1.0], [0.25, 0]])
    flows = np.block([[block, np.zeros((2, 2))], [np.zeros((2, 2)), block]])
    flows[1, 2] = flows[2, 1] = link
    balanced = balance_flows(flows) * flows
    assert_balanced(balanced)
    assert balanced[0, 1] == pytest.approx(0.5)


@pytest.mark.parametrize("density", [0.02, 0.1, 1.0])
def test_many_classes(density, rng):
    flows = 10 ** rng.uniform(-6, 0, size=(150, 150)) * (rng.uniform(size=(150, 150)) < density)
    balanced = balance_flows(without_diagonal(flows)) * flows
    assert balanced.any()
    assert_balanced(balanced)


def test_the_unit_of_the_flows_does_not_matter(rng):
    flows = without_diagonal(rng.uniform(size=(5, 5)))
    assert_allclose(balance_flows(2.0**-60 * flows), balance_flows(flows), rtol=1e-12)
