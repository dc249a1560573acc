"""The compiled steps are the steps of the specification, to rounding, and the same on any number of threads."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from cases import mostly_slow
from numpy.testing import assert_allclose, assert_array_equal
from problems import SMALL_CASES, draw_problem, start_newton
from references import CASES
from sklearn.base import clone
from sklearn.preprocessing import normalize

from linear_hinge import MulticlassHingeClassifier, show_versions
from linear_hinge.kernels import door, is_compiled, threads
from linear_hinge.kernels import newton_system as newton_system_module
from linear_hinge.kernels.block_preconditioner import solve_blocks
from linear_hinge.kernels.memory import padded
from linear_hinge.kernels.products import product, transposed_product
from linear_hinge.kernels.row_losses import prox_steps
from linear_hinge.linalg import batches
from linear_hinge.losses import LOSSES, CrammerSinger
from linear_hinge.problem.certificate import best_bound
from linear_hinge.problem.objective import primal_objective
from linear_hinge.problem.problem import Problem
from linear_hinge.solvers.dual_ascent import DualAscent
from linear_hinge.solvers.newton_system import Hessian

all_cases = pytest.mark.parametrize("case", CASES, ids=str)
small_cases = pytest.mark.parametrize("case", SMALL_CASES, ids=str)
needs_kernels = pytest.mark.skipif(not is_compiled(), reason="installed without a compiler, or left out")


def with_wide_indices(X):
    X = sp.csr_array(X)
    X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    return X


def with_duplicates(X):
    """Every entry in two halves."""
    X = sp.csr_array(X)
    return sp.csr_array((np.repeat(X.data, 2) / 2, np.repeat(X.indices, 2), 2 * X.indptr), shape=X.shape)


def read_only(X):
    X = np.array(X)
    X.flags.writeable = False
    return X


def every_other_column(X):
    return np.repeat(X, 2, axis=1)[:, ::2]


@pytest.fixture
def worthwhile(monkeypatch):
    """Threads are worth waking for the smallest of tasks, however busy the machine is."""
    before = door._kernels.set_worth_threads(0)
    monkeypatch.setattr(threads.team, "rests_until", 0.0)
    monkeypatch.setattr(threads.team, "lost", 0.0)
    yield
    door._kernels.set_worth_threads(before)


CONTAINERS = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "strided": every_other_column,
    "read-only": read_only,
    "csr": sp.csr_array,
    "csr, 64 bits": with_wide_indices,
    "csr, duplicates": with_duplicates,
}
containers = pytest.mark.parametrize("kind", CONTAINERS)
dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def drawn(case, rng, *, kind="C", dtype=np.float64, fit_intercept=True, n_samples=101, n_features=17):
    """A problem whose data are mostly zero, some rows entirely, and without weight here and there."""
    problem = draw_problem(case, rng, n_samples, n_features, alpha=0.01, fit_intercept=fit_intercept)
    X = problem.X * (rng.uniform(size=problem.X.shape) < 0.4)
    X[::10] = 0
    weights = problem.weights * (rng.uniform(size=n_samples) < 0.9)
    X = CONTAINERS[kind](X.astype(dtype))
    return replace(problem, X=X, weights=weights / weights.sum())


def ascend(problem, *, n_passes=5, batch_size=8, averaging=True):
    """All that the passes leave."""
    dtype, n_features = problem.X.dtype, problem.X.shape[1]
    dual = np.zeros((len(problem.y), problem.n_scores), dtype)
    coef, intercept = np.zeros((n_features, problem.n_scores), dtype), np.zeros(problem.n_scores, dtype)
    ascent = DualAscent(problem, dual, coef, intercept, batch_size=batch_size, rng=np.random.RandomState(0))
    for n in range(n_passes):
        ascent.run_pass(-np.inf if averaging and n == n_passes - 1 else np.inf)
    # An intercept is the difference of numbers as large as the coefficients, to which its rounding is to be compared.
    coefficients = [np.vstack(pair) for pair in (ascent.coefficients(), ascent.average) if pair is not None]
    return [
        ascent.state.dual,
        *coefficients,
        ascent.state.row_gaps,
        ascent.gap,
        ascent.state.beta,
        ascent.state.t,
        ascent.state.imbalance,
    ]


def ascend_in_numpy(problem, monkeypatch, **options):
    with monkeypatch.context() as patch:
        patch.setattr(door, "_kernels", None)
        return ascend(problem, **options)


def case_of(loss):
    """The first case with more than two classes and this loss."""
    return next(case for case in CASES if type(case.loss) is type(LOSSES[loss]))


def ascend_on(n_threads, problem, monkeypatch, **options):
    monkeypatch.setattr(door, "max_threads", lambda: n_threads)
    return ascend(problem, **options)


def assert_same_bits(first, *others):
    for other in others:
        for ours, theirs in zip(other, first, strict=True):
            assert_array_equal(ours, theirs)


def assert_same_to_rounding(found, expected, dtype):
    rounding = 1e-3 if dtype == np.float32 else 1e-10
    for ours, theirs in zip(found, expected, strict=True):
        assert_allclose(ours, theirs, atol=rounding * np.abs(theirs).max(initial=1e-30), rtol=0)


@needs_kernels
@all_cases
@containers
@dtypes
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_steps_are_those_of_the_specification(case, kind, dtype, fit_intercept, rng, monkeypatch):
    problem = drawn(case, rng, kind=kind, dtype=dtype, fit_intercept=fit_intercept)
    assert_same_to_rounding(ascend(problem), ascend_in_numpy(problem, monkeypatch), dtype)


@needs_kernels
@pytest.mark.parametrize("n_classes", [5, 13, 20, 37, 70])
@pytest.mark.parametrize("kind", ["C", "csr"])
@dtypes
def test_any_number_of_classes_fills_its_vectors(n_classes, kind, dtype, rng, monkeypatch):
    case = case_of("crammer_singer")
    problem = drawn(case, rng, kind=kind, dtype=dtype)
    problem = replace(problem, y=rng.randint(0, n_classes, 101), n_scores=n_classes)
    assert_same_to_rounding(ascend(problem), ascend_in_numpy(problem, monkeypatch), dtype)


@needs_kernels
@small_cases
@pytest.mark.parametrize("scale", [1e-8, 1e8])
@pytest.mark.parametrize("batch_size", [1, 3, 4, 5, 1000])
def test_steps_at_any_scale_and_in_batches_of_any_size(case, scale, batch_size, rng, monkeypatch):
    problem = replace(drawn(case, rng, n_samples=30, n_features=3), alpha=0.01 * scale**2)
    problem.X[:] *= scale
    found = ascend(problem, n_passes=2, batch_size=batch_size)
    expected = ascend_in_numpy(problem, monkeypatch, n_passes=2, batch_size=batch_size)
    assert_same_to_rounding(found, expected, np.float64)


@needs_kernels
@small_cases
@pytest.mark.parametrize("kind", ["C", "csr"])
@dtypes
def test_the_number_of_threads_changes_no_bit(case, kind, dtype, rng, monkeypatch, worthwhile):
    problem = drawn(case, rng, kind=kind, dtype=dtype, n_samples=300, n_features=1500)
    assert_same_bits(*[ascend_on(n, problem, monkeypatch, batch_size=64) for n in (1, 2, 5)])


@needs_kernels
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("fit_intercept", [True, False])
@dtypes
def test_threads_share_classes_and_change_no_bit(loss, fit_intercept, dtype, rng, monkeypatch, worthwhile):
    """Of sparse rows and many classes: of few, one thread has all."""
    case = case_of(loss)
    problem = drawn(case, rng, kind="csr", dtype=dtype, fit_intercept=fit_intercept, n_features=200)
    problem = replace(problem, y=rng.randint(0, 150, 101), n_scores=150)
    assert_same_bits(*[ascend_on(n, problem, monkeypatch, batch_size=64) for n in (1, 2, 3)])


@needs_kernels
@pytest.mark.parametrize("kind", ["C", "csr"])
def test_threads_that_wait_in_vain_give_up_and_change_no_bit(kind, rng, monkeypatch, worthwhile):
    case = case_of("crammer_singer")
    problem = drawn(case, rng, kind=kind, n_samples=300, n_features=1500)
    problem = replace(problem, y=rng.randint(0, 70, 300), n_scores=70)
    rests = []
    monkeypatch.setattr(threads.team, "rest", rests.append)
    models = []
    for n_threads, patience in ((1, 0.0), (2, 0.0), (2, np.inf)):
        monkeypatch.setattr(door, "PATIENCE", patience)
        models.append(ascend_on(n_threads, problem, monkeypatch, n_passes=2))
        # One for the first pass, one for each half of the second, which is averaged, and none more without a limit.
        assert len(rests) == (0 if n_threads == 1 else 3)
    assert min(rests) > 0
    assert_same_bits(*models)


@needs_kernels
def test_a_team_that_lost_time_rests_a_while(monkeypatch):
    now = 1000.0
    monkeypatch.setattr(threads.time, "monotonic", lambda: now)
    monkeypatch.setattr(threads, "_cpu_count", lambda: 2)
    monkeypatch.setattr(door._kernels, "max_threads", lambda: 2)
    monkeypatch.setattr(threads.team, "rests_until", 0.0)
    monkeypatch.setattr(threads.team, "lost", 0.0)
    assert threads.max_threads() == 2
    for _ in range(2):  # a new process may lose so much
        threads.team.rest(threads.GRACE / 2)
        assert threads.max_threads() == 2
    threads.team.rest(0.5)
    now += 49
    assert threads.max_threads() == 1
    now += 2
    assert threads.max_threads() == 2


@needs_kernels
def test_float32_steps_of_sparse_rows_stay_exact_near_the_end():
    """The squared length of a step comes from how much ‖W‖² grows: that of a short step must not drown in rounding."""
    rng = np.random.RandomState(0)
    X = normalize(sp.random(400, 300, density=0.1, format="csr", random_state=rng))
    y = rng.randint(0, 5, 400)
    ends = []
    for dtype in (np.float64, np.float32):
        problem = Problem(X.astype(dtype), y, np.full(400, 1 / 400), CrammerSinger(), 5, 1 / 4000, 1.0, False)
        dual, coef, intercept = np.zeros((400, 5), dtype), np.zeros((300, 5), dtype), np.zeros(5, dtype)
        ascent = DualAscent(problem, dual, coef, intercept, batch_size=16, rng=np.random.RandomState(0))
        for _ in range(100):
            ascent.run_pass()
        ends.append((ascent.state.beta, ascent.gap))
    assert_allclose(ends[1], ends[0], rtol=0.1)


@needs_kernels
def test_pieces_between_which_an_interrupt_is_seen_change_no_bit(rng, monkeypatch):
    problem = drawn(CASES[0], rng)
    whole = ascend(problem)
    monkeypatch.setattr(door, "PIECE", 500)
    assert_same_bits(ascend(problem), whole)


@needs_kernels
def test_batches_that_would_need_memory_like_the_data_are_left_out(rng, monkeypatch):
    problem = drawn(CASES[0], rng, kind="F", n_samples=600)
    monkeypatch.setattr(door._kernels, "sweep", pytest.fail)
    ascend(problem, batch_size=600)


@needs_kernels
def test_few_rows_are_copied_at_once(rng, monkeypatch):
    problem = drawn(CASES[0], rng, kind="F")
    expected = ascend(problem)
    monkeypatch.setattr(door, "FEW_ROWS", 20)
    assert_same_bits(ascend(problem), expected)


@needs_kernels
@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("shape", [(0, 3, 2), (1, 7, 3), (700, 300, 1), (131, 800, 10), (3, 3_000, 20), (40, 1, 41)])
@dtypes
def test_sparse_products_are_those_of_scipy_on_any_number_of_threads(shape, dtype, wide, rng, monkeypatch, worthwhile):
    n_rows, n_features, n_scores = shape
    X = sp.random(n_rows, n_features, density=0.3, format="csr", random_state=rng, dtype=dtype)
    X = with_wide_indices(X) if wide else X
    coef = rng.normal(size=(n_features, n_scores)).astype(dtype)
    dual = rng.normal(size=(n_rows, n_scores)).astype(dtype)
    results = []
    for n_threads in (1, 2, 5):
        monkeypatch.setattr(door, "max_threads", lambda n_threads=n_threads: n_threads)
        results.append((product(X, coef), transposed_product(X, dual)))
    assert_same_to_rounding(results[0], (X @ coef, X.T @ dual), dtype)
    assert_same_bits(*results)


@needs_kernels
def test_few_entries_do_not_make_a_copy_of_all_coefficients(rng):
    X = sp.random(5, 1000, density=0.01, format="csr", random_state=rng)
    assert door.product(X, np.ones((1000, 3))) is None
    assert_allclose(door.product(X, np.ones((1000, 4))), X @ np.ones((1000, 4)))


@needs_kernels
def test_products_of_two_dtypes(rng):
    X = sp.random(9, 7, density=0.5, format="csr", random_state=rng, dtype=np.float32)
    assert door.product(X, np.ones((7, 2))) is None
    assert transposed_product(X, np.ones((9, 2))).dtype == np.float64
    assert_allclose(transposed_product(X, np.ones((9, 2))), X.T @ np.ones((9, 2)), rtol=1e-14)


@needs_kernels
@pytest.mark.parametrize("is_squared", [False, True])
@pytest.mark.parametrize("kind", ["C", "csr", "csr, 64 bits"])
@dtypes
def test_transposed_products_with_few_nonzeros(kind, dtype, is_squared, rng, monkeypatch):
    dense = (rng.normal(size=(70, 200)) * (rng.uniform(size=(70, 200)) < 0.5)).astype(dtype)
    dual = rng.normal(size=(70, 7)) * (rng.uniform(size=(70, 7)) < 0.1)
    expected, X = dense.astype(np.float64) ** (1 + is_squared), CONTAINERS[kind](dense)
    found = door.exact_transposed_product(X, dual, is_squared=is_squared)
    assert found.dtype == np.float64
    assert_allclose(found, expected.T @ dual, atol=1e-12)
    weights = rng.uniform(size=70)
    monkeypatch.setattr(door, "WEIGHTED_ROWS", 30)  # three pieces of sparse rows
    found = door.exact_transposed_product(X, dual.astype(dtype), weights, is_squared=is_squared)
    assert found.dtype == np.float64
    assert_allclose(found, expected.T @ (weights[:, None] * dual.astype(dtype)), atol=1e-12)


@needs_kernels
@pytest.mark.parametrize("is_squared", [False, True])
def test_rows_that_may_lie_in_a_file_are_read_once(is_squared, rng, monkeypatch):
    """The sums of a class, and of a block of columns, visit all rows: they see one block of rows after the other."""
    X, dual = rng.normal(size=(70, 200)), rng.normal(size=(70, 7)) * (rng.uniform(size=(70, 7)) < 0.1)
    weights = rng.uniform(size=70)
    monkeypatch.setattr(batches, "LARGE_BYTES", X.nbytes - 1)
    monkeypatch.setattr(batches, "BLOCK_BYTES", 20 * X[0].nbytes)
    seen, entries = [], door.entries
    monkeypatch.setattr(door, "entries", lambda rows, *others: seen.append(rows) or entries(rows, *others))
    found = door.exact_transposed_product(X, dual, weights, is_squared=is_squared)
    assert [len(rows) for rows in seen] == [20, 20, 20, 10]
    assert_array_equal(np.concatenate(seen), X)
    assert_allclose(found, (X ** (1 + is_squared)).T @ (weights[:, None] * dual), atol=1e-12)


@needs_kernels
def test_transposed_products_that_others_make(rng):
    X, dual = rng.normal(size=(70, 9)), rng.normal(size=(70, 3))
    assert door.exact_transposed_product(X, dual) is None  # no zeros in G
    assert door.exact_transposed_product(np.asfortranarray(X), dual * 0) is None
    assert door.exact_transposed_product(with_duplicates(X), dual, is_squared=True) is None
    assert door.entries(with_duplicates(X), np.arange(70), dual > 0) is None


@needs_kernels
@pytest.mark.parametrize("kind", ["C", "csr", "csr, 64 bits", "csr, duplicates"])
@pytest.mark.parametrize("n_features", [1, 30, 130])
@dtypes
def test_norms_of_rows(n_features, kind, dtype, rng):
    X = (rng.normal(size=(20, n_features)) * (rng.uniform(size=(20, n_features)) < 0.3)).astype(dtype)
    found = door.squared_norms(CONTAINERS[kind](X))
    assert found.dtype == np.float64
    assert_allclose(found, (X.astype(np.float64) ** 2).sum(axis=1), rtol=1e-14)


def with_zero_groups(problem):
    """Dense rows most of whose features are zero, side by side, as in images."""
    n_samples, n_features = problem.X.shape
    groups = np.random.RandomState(0).uniform(size=(n_samples, n_features // 4 + 1)) < 0.3
    return replace(problem, X=problem.X * np.repeat(groups, 4, axis=1)[:, :n_features])


def compiled_losses(problem, coef, intercept, margins):
    data = problem.loss, problem.X, problem.matrix.rows, coef, intercept, problem.y, problem.weights
    return door.mean_losses(*data, margins)


@needs_kernels
@all_cases
@pytest.mark.parametrize("n_features", [18, 300])
@dtypes
def test_steps_and_losses_of_rows_with_many_zeros(case, n_features, dtype, rng, monkeypatch, worthwhile):
    problem = with_zero_groups(drawn(case, rng, dtype=dtype, n_features=n_features))
    found = [ascend_on(n, problem, monkeypatch) for n in (1, 2, 5)]
    assert_same_to_rounding(found[0], ascend_in_numpy(problem, monkeypatch), dtype)
    assert_same_bits(*found)
    coef, intercept = rng.normal(size=(n_features, case.n_scores)).astype(dtype), np.zeros(case.n_scores, dtype)
    expected = case.loss.values(problem.X @ coef, problem.y, 0.7)
    found = [compiled_losses(one, coef, intercept, np.array([0.7]))[0] for one in row_by_row(problem)]
    assert_allclose(found, expected, rtol=1e-5 if dtype == np.float32 else 1e-12, atol=1e-5)


@needs_kernels
@all_cases
@containers
@dtypes
def test_losses_are_those_of_the_specification(case, kind, dtype, rng):
    problem = drawn(case, rng, kind=kind, dtype=dtype)
    coef = rng.normal(size=(17, case.n_scores)).astype(dtype)
    intercept = rng.normal(size=case.n_scores).astype(dtype)
    margins = np.array([0.7, 0.1, 2.0])
    X = problem.X.toarray() if sp.issparse(problem.X) else problem.X
    scores = (X @ coef + intercept).astype(np.float64)
    expected = np.array([case.loss.values(scores, problem.y, margin) for margin in margins])
    for one in (problem, *row_by_row(problem)):
        found = compiled_losses(one, coef, intercept, margins)
        if kind in ("F", "strided"):
            assert found is None
        else:
            assert_allclose(found, expected @ one.weights, rtol=1e-5 if dtype == np.float32 else 1e-12, atol=1e-6)


def row_by_row(problem):
    """The same with all the weight on one of the rows."""
    return [replace(problem, weights=weights) for weights in np.eye(len(problem.y))]


@needs_kernels
@all_cases
def test_mean_losses_have_the_same_bits_on_any_number_of_threads(case, rng, monkeypatch, worthwhile):
    problem = drawn(case, rng, n_samples=400)
    coef, intercept = rng.normal(size=(17, case.n_scores)), rng.normal(size=case.n_scores)
    found = []
    for n_threads in (1, 2, 3):
        monkeypatch.setattr(door, "max_threads", lambda n=n_threads: n)
        found.append(compiled_losses(problem, coef, intercept, np.array([1.0, 0.5])))
    assert_array_equal(found[0], found[1])
    assert_array_equal(found[0], found[2])


@needs_kernels
@all_cases
@pytest.mark.parametrize("curvature", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("n_samples", [1, 700])
@dtypes
def test_prox_steps_are_those_of_the_specification(case, curvature, n_samples, dtype, rng, monkeypatch):
    y = rng.randint(0, case.n_classes, n_samples)
    dual = case.draw_feasible(rng, y).astype(dtype)
    scores = rng.normal(size=(n_samples, case.n_scores)).astype(dtype)
    found = prox_steps(case.loss, dual, scores, y, curvature, 1.3)
    with monkeypatch.context() as patch:
        patch.setattr(door, "_kernels", None)
        expected = prox_steps(case.loss, dual, scores, y, curvature, 1.3)
    assert found[0].dtype == dtype
    assert_same_to_rounding(found, expected, dtype)


@needs_kernels
@all_cases
@dtypes
@pytest.mark.parametrize("fit_intercept", [True, False])
@mostly_slow("kind", ["C", "csr", "F", "strided", "read-only", "csr, 64 bits"], n_quick=2)
@pytest.mark.parametrize("curvature", [1.0, 10.0])
def test_newton_systems_are_those_of_the_specification(case, dtype, fit_intercept, kind, curvature, rng, monkeypatch):
    monkeypatch.setattr(newton_system_module, "LARGEST_GATHERED", 1.0)
    newton = start_newton(
        case,
        rng,
        kind=CONTAINERS[kind],
        dtype=dtype,
        fit_intercept=fit_intercept,
        curvature=curvature,
        n_samples=400,
        n_features=40,
    )
    rhs = -newton._gradient()

    def solved():
        hessian = Hessian(newton.problem, newton.mean, newton.point.dual, newton.curvature, 0.1)
        solution, _ = hessian.solve(rhs, exact=True)
        assert solution.dtype == np.float64
        system, factors = hessian.system, hessian.factors
        found = [system.diagonal, system.apply(rhs), solution, np.tril(factors), solve_blocks(factors, rhs)]
        return type(system), found

    system, found = solved()
    with monkeypatch.context() as patch:
        patch.setattr(door, "_kernels", None)
        other, expected = solved()
    assert (system, other) == (newton_system_module.CompiledSystem, newton_system_module.NumpySystem)
    rounding = 2e-2 if dtype == np.float32 else 1e-8
    for ours, theirs in zip(found, expected, strict=True):
        assert_allclose(ours, theirs, atol=rounding * np.abs(theirs).max(), rtol=0)


@needs_kernels
@small_cases
@pytest.mark.parametrize("kind", ["C", "csr"])
@dtypes
def test_same_newton_steps_on_any_number_of_threads(case, kind, dtype, rng, monkeypatch, worthwhile):
    results = []
    for n_threads in (1, 2, 5):
        monkeypatch.setattr(door._kernels, "max_threads", lambda n_threads=n_threads: n_threads)
        monkeypatch.setattr(threads, "_cpu_count", lambda n_threads=n_threads: n_threads)
        newton = start_newton(
            case, np.random.RandomState(0), kind=CONTAINERS[kind], dtype=dtype, n_samples=600, n_features=30
        )
        for _ in range(3):
            newton.step()
        objective = primal_objective(newton.problem, *newton.coefficients())
        results.append(
            [*newton.coefficients(), newton.point.dual, objective, *best_bound(newton.problem, newton.point.dual)]
        )
    assert_same_bits(*results)


@needs_kernels
def test_a_loss_without_a_compiled_twin_takes_the_steps_of_the_specification(rng, monkeypatch):
    class NewLoss(CrammerSinger):
        pass

    case = case_of("crammer_singer")
    old = drawn(case, rng, kind="F")  # whose norms NumPy computes in any case
    assert_same_bits(ascend(replace(old, loss=NewLoss())), ascend_in_numpy(old, monkeypatch))


@pytest.mark.parametrize(("n_scores", "width"), [(1, 1), (3, 4), (4, 4), (10, 12)])
def test_rows_are_filled_up_with_zeros(n_scores, width, rng):
    coef = rng.normal(size=(6, n_scores))
    memory = padded(coef)
    assert memory.shape == (6, width)
    assert memory.ctypes.data % 64 == 0
    assert_array_equal(memory[:, :n_scores], coef)
    assert not memory[:, n_scores:].any()
    assert padded(coef.astype(np.float32)).shape[1] in (1, 8, 16)


def steps_of_a_new_process(**environment):
    command = "from linear_hinge import show_versions; show_versions()"
    done = subprocess.run(
        [sys.executable, "-c", command], env=os.environ | environment, capture_output=True, text=True, check=True
    )
    return next(line for line in done.stdout.splitlines() if line.startswith("minibatch steps"))


def test_the_compiled_steps_can_be_left_out():
    assert steps_of_a_new_process(LINEAR_HINGE_PURE_PYTHON="1").endswith("NumPy")


@needs_kernels
def test_openmp_tells_how_many_threads():
    shown = steps_of_a_new_process(OMP_NUM_THREADS="1")
    assert shown.endswith("compiled, 1 thread of OpenMP" if door._kernels.has_openmp() else "had no OpenMP")


def test_versions_are_shown(capsys):
    show_versions()
    shown = capsys.readouterr().out
    for name in ("linear_hinge", "minibatch steps", "scikit-learn", "numpy", "scipy", "python", "platform"):
        assert f"{name}:" in shown
    assert ("compiled" in shown) == is_compiled()


FORK = """
import multiprocessing
import numpy as np
from linear_hinge import MulticlassHingeClassifier
from linear_hinge.kernels import threads

def fit(_):
    return MulticlassHingeClassifier(random_state=0, max_iter=20, tol=1).fit(X, y).coef_, threads.max_threads()

rng = np.random.default_rng(0)
X, y = rng.normal(size=(20000, 100)), rng.integers(5, size=20000)
threads._kernels.set_worth_threads(1)
coef, _ = fit(0)
with multiprocessing.get_context("fork").Pool(2) as pool:
    for other, n_threads in pool.map_async(fit, range(2)).get(20):
        assert n_threads == 1
        np.testing.assert_array_equal(other, coef)
"""


@needs_kernels
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_stays_on_one_thread():
    environment = os.environ | {"OMP_NUM_THREADS": "2"}
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORK], check=True, env=environment, timeout=60)


@needs_kernels
def test_fits_in_two_threads_at_once_do_not_meet():
    """Nothing that kernels or their door remember belongs to one fit."""
    rng = np.random.RandomState(0)
    tasks = []
    for seed in range(8):
        X = rng.normal(size=(300, 20))
        y = X[:, :3].argmax(axis=1)
        X = [np.asarray, sp.csr_array][seed % 2](X.astype([np.float32, np.float64][seed // 2 % 2]))
        tasks.append((MulticlassHingeClassifier(list(LOSSES)[seed % 3], alpha=1e-2, random_state=seed), X, y))
    expected = [clone(model).fit(X, y).coef_ for model, X, y in tasks]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda task: task[0].fit(*task[1:]).coef_, 3 * tasks))
    for coef, wanted in zip(found, 3 * expected, strict=True):
        assert_array_equal(coef, wanted)
