"""Few rows in an orthonormal basis of theirs."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from linear_hinge.linalg.row_space import row_space


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_row_space_of_few_rows_holds_them_to_rounding(dtype, rng):
    X = rng.randint(-8, 8, size=(6, 40)).astype(dtype)
    X[3], X[4], X[5] = X[0], 0, X[1] - 1e5 * X[2]
    coordinates, basis = row_space(X)
    eps = np.finfo(np.float64).eps
    assert coordinates.dtype == basis.dtype == np.float64
    assert basis.shape == (40, 3)
    assert_allclose(basis.T @ basis, np.eye(3), atol=20 * eps)
    assert_allclose(coordinates @ basis.T, X, atol=100 * eps * np.abs(X).max(axis=1).max())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_row_space_of_rows_that_nearly_depend_on_each_other(dtype, rng):
    """More of them than are looked at together."""
    X = rng.standard_normal((30, 80)).astype(dtype)
    eps = np.finfo(dtype).eps
    X[[4, 20]] = X[1] + 1e3 * eps * rng.standard_normal((2, 80))
    X[[5, 21]] = X[2]
    coordinates, basis = row_space(X)
    assert basis.shape == (80, 28)
    assert_allclose(basis.T @ basis, np.eye(28), atol=20 * eps)
    assert_allclose(coordinates @ basis.T, X, atol=100 * eps * np.abs(X).max())
