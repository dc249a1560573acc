"""Data as they come: timestamps, revenues, float32. A useful model or a plain word, never a crash or a silent zero."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from cases import LOSSES
from sklearn.datasets import load_digits, load_wine
from sklearn.exceptions import ConvergenceWarning

from linear_hinge import MulticlassHingeClassifier
from linear_hinge.solvers import certified_fit as certified_fit_module

all_losses = pytest.mark.parametrize("loss", LOSSES)


def wine_with(column):
    X, y = load_wine(return_X_y=True)
    return np.c_[X, column(np.random.RandomState(0), len(y))], y


RAW_COLUMNS = {
    "timestamps": lambda rng, n: 1.7e9 + rng.randint(0, 10**7, n),
    "revenues": lambda rng, n: np.exp(rng.normal(15, 3, n)),
    "identifiers": lambda rng, n: rng.randint(10**11, 10**12, n),
    "constant": lambda rng, n: np.full(n, 1e9),
    "tiny": lambda rng, n: 1e-12 * rng.normal(size=n),
}


def fit(model, X, y):
    """The model, fitted, and what it warned of: an open gap, or a model of one class; other warnings are errors."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("error")
        warnings.simplefilter("always", ConvergenceWarning)
        warnings.filterwarnings("always", "The model predicts")
        model.fit(X, y)
    return model, [str(warning.message) for warning in caught]


def is_honest(model, words):
    """Whether the gap is closed, or a warning says that it is not and what to scale."""
    return model.duality_gap_ <= model.tol or any("StandardScaler" in word for word in words)


@all_losses
@pytest.mark.parametrize("container", [np.asarray, sp.csr_array])
@pytest.mark.parametrize("column", RAW_COLUMNS)
def test_a_raw_column_beside_others(column, container, loss):
    X, y = wine_with(RAW_COLUMNS[column])
    model, words = fit(MulticlassHingeClassifier(loss, random_state=0), container(X), y)
    assert is_honest(model, words)
    assert 0 <= model.duality_gap_ <= 1
    assert model.coef_.any()
    assert model.score(X, y) > (
        0.9 if column in ("timestamps", "constant", "tiny") and container is np.asarray else 0.3
    )


@all_losses
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("offset", [1e4, 1.7e9, 1e15])
@pytest.mark.parametrize("seed", range(5))
def test_an_offset_common_to_all_rows(seed, offset, dtype, loss):
    rng = np.random.RandomState(seed)
    X, y = (rng.normal(size=(60, 2)) + offset).astype(dtype), np.arange(60) % 3
    model, words = fit(MulticlassHingeClassifier(loss, random_state=0), X, y)
    assert is_honest(model, words)
    assert model.coef_.dtype == dtype


@all_losses
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_offset_of_sparse_rows_is_solved_as_in_float64(dtype, loss):
    """They cannot be centred."""
    rng = np.random.RandomState(0)
    X, y = (rng.normal(size=(40, 2)) + 1e4).astype(np.float32), np.arange(40) % 3
    sparse = sp.csr_array(X.astype(dtype))
    model, words = fit(MulticlassHingeClassifier(loss, alpha=1e-6, max_iter=30, random_state=0), sparse, y)
    wide, _ = fit(MulticlassHingeClassifier(loss, alpha=1e-6, max_iter=30, random_state=0), sparse.astype(float), y)
    assert is_honest(model, words)
    assert model.coef_.dtype == dtype
    assert model.dual_objective_ == pytest.approx(wide.dual_objective_, rel=1e-6)


@all_losses
def test_an_offset_does_not_change_the_model(loss):
    X, y = wine_with(RAW_COLUMNS["tiny"])
    X = X / np.abs(X).max(axis=0)
    near, far = (MulticlassHingeClassifier(loss, alpha=1e-2, tol=1e-6, random_state=0) for _ in range(2))
    shift = np.ldexp(1.0, 24)  # X loses digits by it, and gets them back
    X = (X + shift) - shift
    near.fit(X, y), far.fit(X + shift, y)
    np.testing.assert_allclose(far.coef_, near.coef_, atol=1e-4)
    assert far.objective_ == pytest.approx(near.objective_, rel=2e-6)


@pytest.mark.parametrize("scale", [1e100, 1e150])
@pytest.mark.parametrize("learning_rate", ["auto", "optimal"])
def test_below_the_overflow_nothing_is_silent(scale, learning_rate):
    X, y = load_wine(return_X_y=True)
    try:
        model, words = fit(MulticlassHingeClassifier(learning_rate=learning_rate, random_state=0), scale * X, y)
    except ValueError as error:
        assert "Scaling input data" in str(error)
    else:
        assert words or model.duality_gap_ <= model.tol


@all_losses
@pytest.mark.parametrize("alpha", [1e-5, 1e-6])
def test_float32_reaches_what_float64_reaches(alpha, loss):
    """Raw digits with a small alpha: the optimum lies far below the margin."""
    X, y = (part[:600] for part in load_digits(return_X_y=True))
    single, double = (
        MulticlassHingeClassifier(loss, alpha=alpha, random_state=0).fit(X.astype(dtype), y)
        for dtype in (np.float32, np.float64)
    )
    assert single.coef_.dtype == single.intercept_.dtype == np.float32
    assert single.duality_gap_ <= 1e-3
    assert single.n_iter_ < 1.5 * double.n_iter_
    assert single.objective_ == pytest.approx(double.objective_, rel=2e-3)


def test_losses_below_the_precision_of_float32_are_seen():
    X = np.array([[384 / 7], [-384 / 7]], np.float32)
    model = MulticlassHingeClassifier(alpha=1e-7, fit_intercept=False).fit(X, [0, 1])
    w, x = float(model.coef_[0, 0]), float(X[0, 0])
    exact = 0.5e-7 * w**2 + max(0, 1 + w * x)
    assert model.objective_ == pytest.approx(exact, rel=1e-9)
    assert 0 <= model.duality_gap_ <= 1e-3


@pytest.mark.filterwarnings("ignore:Not converged:sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("scales", "words"),
    [(255, "Scale the features"), ([1e9] + 199 * [1], "go up to"), (1, "weakly. A larger alpha is faster.$")],
)
def test_a_long_fit_that_gets_nowhere_says_so_early(scales, words, rng, monkeypatch):
    monkeypatch.setattr(certified_fit_module, "LARGE", 1)
    X, y = scales * rng.normal(size=(1000, 200)), rng.randint(3, size=1000)
    with pytest.warns(UserWarning, match=words) as caught:
        MulticlassHingeClassifier(alpha=1e-8, max_iter=40, random_state=0).fit(X, y)
    early = [warning for warning in caught if "After 32 passes" in str(warning.message)]
    assert [warning.category for warning in early] == [UserWarning]


@all_losses
def test_newton_steps_that_take_long_and_get_nowhere_end_the_fit(loss, rng, monkeypatch):
    X, y = 255 * rng.normal(size=(1000, 20)), rng.randint(3, size=1000)
    model = MulticlassHingeClassifier(loss, alpha=1e-8, max_iter=20, random_state=0)
    with pytest.warns(ConvergenceWarning, match="Not converged after 20 passes: .* Scale the features"):
        model.fit(X, y)
    objective = model.objective_
    monkeypatch.setattr(certified_fit_module, "LARGE", 1)
    words = r"after \d+ passes: Newton steps brought the work to that of \d+, and .* Scale the features with"
    with pytest.warns(ConvergenceWarning, match=words):
        model.fit(X, y)
    assert model.n_iter_ < 20 <= model.history_["pass"][-1]
    assert model.objective_ >= objective
    words = fit(model.set_params(max_iter=100), X, y)[1]  # there is time until they get somewhere
    assert not any("Not converged" in word for word in words)
