"""Projections against bisection, and against what makes a projection one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from references import frozen, simplex_projection, weston_watkins_projection

from linear_hinge._projections import project_simplex, project_weston_watkins


@pytest.mark.parametrize("n_classes", [2, 3, 10])
def test_projections_are_idempotent_and_leave_feasible_points_alone(n_classes, rng):
    y = np.arange(50) % n_classes
    points = rng.normal(scale=3, size=(50, n_classes))
    once = project_simplex(*frozen(points))
    assert (once >= 0).all()
    assert_allclose(once.sum(axis=1), 1, rtol=1e-14)
    assert_allclose(project_simplex(once), once, atol=1e-14)
    once = project_weston_watkins(*frozen(points, y))
    assert_allclose(once.sum(axis=1), 0, atol=1e-14)
    assert_allclose(project_weston_watkins(once, y), once, atol=1e-14)


@given(st.lists(st.integers(-24, 24).map(lambda eighths: eighths / 8), min_size=2, max_size=6), st.data())
def test_projections_of_tied_points_are_what_bisection_finds(point, data):
    y = data.draw(st.integers(0, len(point) - 1))
    points = np.array([point])
    assert_allclose(project_simplex(points)[0], simplex_projection(point), atol=1e-13)
    assert_allclose(project_weston_watkins(points, np.array([y]))[0], weston_watkins_projection(point, y), atol=1e-13)
