"""Sweeps of a stream over sparse rows: compiled steps against the specification."""

import signal
import threading
from copy import deepcopy

import numpy as np
import pytest
import scipy.sparse as sp
from layouts import SPARSE_LAYOUTS
from numpy.testing import assert_allclose
from problems import SMALL_CASES, draw_problem
from references import CASES

from linear_hinge.kernels import door, is_compiled, scaled_iterate, stream_step
from linear_hinge.kernels.scaled_iterate import Iterate

all_cases = pytest.mark.parametrize("case", CASES, ids=str)
needs_kernels = pytest.mark.skipif(not is_compiled(), reason="compares compiled steps with those of NumPy")


def draw_state(problem, rng):
    """A stream that has seen as much as its rows weigh, with random coefficients."""
    coef, centre = rng.normal(size=(problem.X.shape[1], problem.n_scores)), rng.normal(size=problem.n_scores)
    imbalance = 0.1 * rng.normal(size=problem.n_scores) * problem.fit_intercept
    iterate = Iterate(coef.astype(problem.X.dtype), centre.astype(problem.X.dtype))
    sigma2 = 2.0 if problem.fit_intercept else 0.0
    return stream_step.StreamState(iterate, problem.weights.sum(), imbalance, centre * problem.fit_intercept, sigma2)


def sweep(state, problem, rows, **options):
    arrays = problem.X, rows, problem.y, problem.weights
    stream_step.sweep(state, problem.loss, *arrays, alpha=problem.alpha, margin=problem.margin, **options)


@needs_kernels
@all_cases
@pytest.mark.parametrize("kind", SPARSE_LAYOUTS.values(), ids=SPARSE_LAYOUTS)
@pytest.mark.parametrize("average", [False, True, 70])
def test_compiled_sweeps_are_those_of_single_batches(case, kind, average, rng, monkeypatch):
    for dtype, tolerance, largest_scale in ((np.float64, 1e-8, 1e3), (np.float32, 0.02, 1e3), (np.float64, 1e-8, 1.2)):
        for module in (stream_step, scaled_iterate):
            monkeypatch.setattr(module, "LARGEST_SCALE", largest_scale)
        problem = draw_problem(case, rng, 50, kind=kind, dtype=dtype, fit_intercept=average is not False)
        compiled = draw_state(problem, rng)
        specified = deepcopy(compiled)
        for batch_size in (7, 50, 200):
            rows = rng.permutation(50)[:45]
            with monkeypatch.context() as patch:
                patch.delattr(stream_step, "step")
                sweep(compiled, problem, rows, batch_size=batch_size, average=average)
            with monkeypatch.context() as patch:
                patch.setattr(door, "_kernels", None)
                sweep(specified, problem, rows, batch_size=batch_size, average=average)
        states = [vars(state) | vars(state.iterate) for state in (compiled, specified)]
        for name in ("unscaled", "lag", "intercept", "average_intercept", "imbalance", "centre"):
            if states[1][name] is None:
                assert states[0][name] is None
            else:
                assert states[0][name].dtype == states[1][name].dtype
                assert_allclose(states[0][name], states[1][name], atol=tolerance)
        assert [states[0][name] for name in ("t", "n_seen", "n_averaged")] == [
            states[1][name] for name in ("t", "n_seen", "n_averaged")
        ]
        for name in ("scale", "scale_sum", "weight_seen"):
            assert states[0][name] == pytest.approx(states[1][name], rel=1e-6)


@needs_kernels
def test_ctrl_c_ends_a_compiled_sweep(rng, ctrl_c_raises):
    case = SMALL_CASES[-1]
    problem = draw_problem(case, rng, 2000, kind=sp.csr_array)
    state = draw_state(problem, rng)
    threading.Timer(0.05, signal.raise_signal, [signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        while True:
            sweep(state, problem, np.arange(2000), batch_size=10, average=False)
