"""The row kernels, one row at a time: what `RowLoss` promises is what the losses compute."""

import numpy as np
import pytest
from references import CASES

from linear_hinge.kernels import door, is_compiled

pytestmark = pytest.mark.skipif(not is_compiled(), reason="installed without a compiler, or left out")


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("size", [1e-6, 1, 1e6])
@pytest.mark.parametrize("rho", [1e-3, 1.0, 1e3])
def test_a_row_kernel_computes_what_its_loss_does(case, size, rho, rng):
    kernel = door.row_loss(case.loss)
    for margin in (0.5, 2.0):
        for _ in range(20):
            y = rng.randint(max(2, case.n_classes), size=1)
            s, g = size * rng.normal(size=(1, case.n_scores)), case.draw_feasible(rng, y)
            value, subgradient, linear, better = kernel.of_row(g[0], s[0], y[0], rho, margin)
            assert value == pytest.approx(case.loss.values(s, y, margin)[0], rel=1e-13, abs=1e-13 * size)
            np.testing.assert_array_equal(subgradient, case.loss.subgradients(s, y, margin)[0])
            assert linear == pytest.approx(margin * case.loss.dual_values(g, y)[0], rel=1e-13, abs=1e-15)
            expected = case.loss.prox(g, s, y, np.array([rho]), margin)[0]
            np.testing.assert_allclose(better, expected, atol=1e-12 * max(1, size / max(rho, 1)))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_subgradient_at_a_kink_is_that_of_the_loss(case):
    """Scores in steps of the margin: hinges are exactly zero, and classes have equal scores."""
    kernel, start = door.row_loss(case.loss), np.zeros(case.n_scores)
    rng = np.random.RandomState(0)
    for _ in range(200):
        y, s = rng.randint(max(2, case.n_classes), size=1), rng.randint(-2, 3, size=(1, case.n_scores)).astype(float)
        _, subgradient, *_ = kernel.of_row(start, s[0], y[0], 1.0, 1.0)
        np.testing.assert_array_equal(subgradient, case.loss.subgradients(s, y, 1.0)[0])


def test_every_loss_has_a_row_kernel():
    assert all(door.row_loss(case.loss) is not None for case in CASES)
