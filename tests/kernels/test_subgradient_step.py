"""Sweeps of subgradient descent: compiled steps against the specification."""

import signal
import threading
from copy import deepcopy

import numpy as np
import pytest
import scipy.sparse as sp
from layouts import LAYOUTS, SPARSE_LAYOUTS
from numpy.testing import assert_allclose
from problems import SMALL_CASES, draw_problem
from references import CASES

from linear_hinge.kernels import door, is_compiled, scaled_iterate, subgradient_step
from linear_hinge.kernels.scaled_iterate import Iterate

pytestmark = pytest.mark.skipif(not is_compiled(), reason="compares compiled steps with those of NumPy")

IN_WHOLE_ROWS = {"C": LAYOUTS["C"], **SPARSE_LAYOUTS}


def draw_state(problem, rng):
    coef, intercept = rng.normal(size=(problem.X.shape[1], problem.n_scores)), rng.normal(size=problem.n_scores)
    return subgradient_step.DescentState(Iterate(coef.astype(problem.X.dtype), intercept.astype(problem.X.dtype)))


def sweep(state, problem, rows, etas, **options):
    arrays = problem.X, rows, problem.y, problem.weights, etas
    constants = {"alpha": problem.alpha, "margin": problem.margin, "fit_intercept": problem.fit_intercept}
    subgradient_step.sweep(state, problem.loss, *arrays, **constants, **options)


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("kind", IN_WHOLE_ROWS.values(), ids=IN_WHOLE_ROWS)
@pytest.mark.parametrize("average", [False, True, 70])
def test_compiled_sweeps_are_those_of_single_batches(case, kind, average, rng, monkeypatch):
    choices = (np.float64, 1e-12, 1e3), (np.float32, 1e-5, 1e3), (np.float64, 1e-12, 1.2)
    for dtype, tolerance, largest_scale in choices:
        for module in (subgradient_step, scaled_iterate):
            monkeypatch.setattr(module, "LARGEST_SCALE", largest_scale)
        problem = draw_problem(case, rng, 50, kind=kind, dtype=dtype, fit_intercept=average is not False)
        compiled = draw_state(problem, rng)
        specified = deepcopy(compiled)
        for batch_size in (1, 7, 200):
            rows = rng.permutation(50)[:45]
            etas = rng.uniform(0.01, 0.5, size=-(-45 // batch_size))
            with monkeypatch.context() as patch:
                patch.delattr(subgradient_step, "step")
                sweep(compiled, problem, rows, etas, batch_size=batch_size, average=average)
            with monkeypatch.context() as patch:
                patch.setattr(door, "_kernels", None)
                sweep(specified, problem, rows, etas, batch_size=batch_size, average=average)
        mine, its = (vars(state) | vars(state.iterate) for state in (compiled, specified))
        for name in ("unscaled", "lag", "intercept", "average_intercept"):
            if its[name] is None:
                assert mine[name] is None
            else:
                assert mine[name].dtype == its[name].dtype
                assert_allclose(mine[name], its[name], atol=tolerance * np.abs(its[name]).max())
        assert [mine[name] for name in ("t", "n_seen", "n_averaged")] == [
            its[name] for name in ("t", "n_seen", "n_averaged")
        ]
        for name in ("scale", "scale_sum"):
            assert mine[name] == pytest.approx(its[name], rel=1e-6)


def test_weights_beyond_the_range_of_floats_are_normalised(rng):
    problem = draw_problem(SMALL_CASES[-1], rng, 20, kind=sp.csr_array)
    states = [draw_state(problem, np.random.RandomState(0)) for _ in range(2)]
    for state, unit in zip(states, (1.0, 1e308), strict=True):
        arrays = problem.X, np.arange(20), problem.y, unit * np.linspace(0.5, 1.5, 20), np.full(3, 0.3)
        constants = {"alpha": 0.1, "margin": 1.0, "fit_intercept": True, "average": False, "batch_size": 8}
        subgradient_step.sweep(state, problem.loss, *arrays, **constants)
    assert_allclose(states[1].iterate.unscaled, states[0].iterate.unscaled, rtol=1e-13)


def test_ctrl_c_ends_a_compiled_sweep(rng, ctrl_c_raises):
    problem = draw_problem(SMALL_CASES[-1], rng, 2000, kind=sp.csr_array)
    state = draw_state(problem, rng)
    threading.Timer(0.05, signal.raise_signal, [signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        while True:
            sweep(state, problem, np.arange(2000), np.full(200, 0.1), batch_size=10, average=False)
