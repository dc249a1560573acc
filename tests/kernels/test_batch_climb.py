"""The climb of one batch of a stream: its Gram matrix, its curvature, and compiled steps against the specification."""

import signal
import threading

import numpy as np
import pytest
import scipy.sparse as sp
from cases import with_int64_indices
from numpy.testing import assert_allclose
from references import CASES

from linear_hinge.kernels import door, is_compiled
from linear_hinge.kernels.batch_climb import (
    SAFETY_FACTOR,
    climb,
    gram_matrix,
    largest_eigenvalue,
    product_with_gram,
)

all_cases = pytest.mark.parametrize("case", CASES, ids=str)
dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])
needs_kernels = pytest.mark.skipif(not is_compiled(), reason="compares compiled steps with those of NumPy")


def wide_csr(X):
    return with_int64_indices(sp.csr_array(X))


@dtypes
@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array, sp.csr_matrix, wide_csr])
@pytest.mark.parametrize("sigma2", [0.0, 2.0])
def test_products_with_and_without_a_gram_matrix_agree(kind, dtype, sigma2, rng):
    X, dual = rng.normal(size=(12, 5)).astype(dtype), rng.normal(size=(12, 3)).astype(dtype)
    expected = (X @ X.T + dtype(sigma2)) @ dual
    gram = gram_matrix(kind(X), sigma2)
    assert gram.dtype == dtype
    for found in (gram @ dual, product_with_gram(kind(X), sigma2)(dual)):
        assert_allclose(found, expected, atol=100 * np.finfo(dtype).eps)


@pytest.mark.parametrize("sigma2", [0.0, 2.0])
def test_largest_stiffness_is_close_to_the_largest_eigenvalue(sigma2, rng):
    """It may be above by the margin that it allows itself; below, the steps would be too long."""
    for n_features in (1, 3, 20):
        X, weights = 0.5 + rng.normal(size=(15, n_features)), rng.exponential(size=15)
        roots = np.sqrt(weights)
        largest = np.linalg.eigvalsh(roots[:, None] * (X @ X.T + sigma2) * roots)[-1]
        found = largest_eigenvalue(product_with_gram(X, sigma2), weights)
        assert 0.95 * largest <= found <= 1.001 * SAFETY_FACTOR * largest


def draw_batch(case, rng, n_rows, kind=np.asarray, dtype=np.float64):
    y = rng.randint(0, case.n_classes, n_rows)
    X = rng.normal(size=(n_rows, 7)).astype(dtype) * (rng.uniform(size=(n_rows, 7)) < 0.5)
    weights = rng.exponential(size=n_rows) * (rng.uniform(size=n_rows) < 0.8)
    scores = rng.normal(size=(n_rows, case.n_scores)).astype(dtype)
    return case.loss, kind(X.astype(dtype)), scores, y, weights / max(weights.sum(), 1e-300)


@needs_kernels
@all_cases
@dtypes
@pytest.mark.parametrize("kind", [np.asarray, np.asfortranarray, sp.csr_array])
@pytest.mark.parametrize("n_rows", [1, 40])
def test_compiled_steps_are_those_of_the_specification(case, dtype, kind, n_rows, rng, monkeypatch):
    batch = draw_batch(case, rng, n_rows, kind, dtype)
    for alpha, margin, sigma2 in ((0.1, 1.3, 2.0), (1e-3, 1.0, 0.0)):
        constants = {"alpha": alpha, "margin": margin, "sigma2": sigma2}
        found = climb(*batch, **constants)
        with monkeypatch.context() as patch:
            patch.setattr(door, "_kernels", None)
            expected = climb(*batch, **constants)
        assert found.dtype == dtype
        assert_allclose(found, expected, atol=1e-8 if dtype == np.float64 else 0.02)


@needs_kernels
def test_a_batch_whose_rows_are_all_zero_or_without_weight(rng):
    loss, X, scores, y, weights = draw_batch(CASES[-1], rng, 10)
    for rows, of_rows in ((0 * X, weights), (X, 0 * weights)):
        dual = climb(loss, rows, scores, y, of_rows, alpha=0.1, margin=1.0, sigma2=0.0)
        assert np.isfinite(dual).all()


@needs_kernels
def test_ctrl_c_ends_the_steps(rng, ctrl_c_raises):
    case = next(case for case in CASES if case.n_scores > 2)
    y = np.arange(1024) % case.n_classes
    batch = case.loss, rng.normal(size=(1024, 3)), rng.normal(size=(1024, case.n_scores)), y, np.full(1024, 1 / 1024)
    threading.Timer(0.05, signal.raise_signal, [signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        while True:
            climb(*batch, alpha=1e-6, margin=1.0, sigma2=1.0)
