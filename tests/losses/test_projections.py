"""Projections against bisection, and against what makes a projection one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from references import frozen, simplex_projection, weston_watkins_projection

from linear_hinge.losses.projections import project_crammer_singer, project_weston_watkins


@pytest.mark.parametrize("n_classes", [2, 3, 10])
def test_projections_are_idempotent_and_leave_feasible_points_alone(n_classes, rng):
    y = np.arange(50) % n_classes
    points = rng.normal(scale=3, size=(50, n_classes))
    for project in (project_crammer_singer, project_weston_watkins):
        once = project(*frozen(points, y))
        assert (once[np.arange(n_classes) != y[:, None]] >= 0).all()
        assert_allclose(once.sum(axis=1), 0, atol=1e-14)
        assert_allclose(project(once, y), once, atol=1e-14)


@given(st.lists(st.integers(-24, 24).map(lambda eighths: eighths / 8), min_size=2, max_size=6), st.data())
def test_projections_of_tied_points_are_what_bisection_finds(point, data):
    y = data.draw(st.integers(0, len(point) - 1))
    points = np.array([point])
    at_target = np.eye(len(point))[y]
    expected = simplex_projection((point + at_target).tolist()) - at_target
    assert_allclose(project_crammer_singer(points, np.array([y]))[0], expected, atol=1e-13)
    assert_allclose(project_weston_watkins(points, np.array([y]))[0], weston_watkins_projection(point, y), atol=1e-13)


@pytest.mark.parametrize("scale", [1e-30, 1e-18])
def test_steps_far_below_one_keep_their_digits(scale, rng):
    """Adding one to project onto the simplex itself would lose them."""
    y = np.arange(20) % 4
    points = rng.normal(size=(20, 4))
    for project in (project_crammer_singer, project_weston_watkins):
        assert_allclose(project(scale * points, y) / scale, project(1e-3 * points, y) / 1e-3, atol=1e-12)
