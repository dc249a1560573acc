"""What a fit says of itself is true in rational arithmetic: known optima, and random problems with all that rounds."""

import warnings
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse as sp
from cases import LOSSES, blobs
from exact import as_fractions, exact_balance, exact_dual, exact_primal, exact_shares, is_exactly_feasible
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import SMALL_CASES, name_of
from sklearn.exceptions import ConvergenceWarning

from linear_hinge import MulticlassHingeClassifier

every_loss = pytest.mark.parametrize("loss", LOSSES)
every_case = pytest.mark.parametrize("case", SMALL_CASES, ids=str)
every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def exact_objective(model, X, y, sample_weight=None):
    """P at ``coef_`` and ``intercept_``; y holds codes."""
    params = {"loss": model.loss, "alpha": model.alpha, "margin": model.margin}
    return exact_primal(X, y, exact_shares(y, sample_weight), model.coef_, model.intercept_, **params)


def quiet_fit(X, y, weights=None, **params):
    """A fit that may end where it has not converged."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "The model predicts", UserWarning)
        return MulticlassHingeClassifier(random_state=0, **params).fit(X, y, weights)


def assert_encloses(model, optimum, X, y, sample_weight=None):
    """The optimum lies between the bound and P."""
    bound, primal = Fraction(float(model.dual_objective_)), exact_objective(model, X, y, sample_weight)
    assert 0 <= bound <= optimum <= primal
    assert 0 <= model.duality_gap_ <= 1


def assert_solves(model, optimum, X, y, sample_weight=None):
    """Bound and P are also not farther from each other than ``tol``."""
    assert_encloses(model, optimum, X, y, sample_weight)
    assert model.duality_gap_ <= model.tol
    assert exact_objective(model, X, y, sample_weight) <= optimum * (1 + Fraction(2 * model.tol))


# Known optima


def hinge_of_one_number(quadratic, slope, count, margin):
    """min_u quadratic/2 u² + count max(0, margin − slope u)."""
    u = min(count * slope / quadratic, margin / slope)
    return quadratic * u**2 / 2 + count * (margin - slope * u)


def two_points_optimum(left, right, lighter, alpha, margin):
    """The optimum of two classes, each of them one point, with an intercept; ``lighter`` is the smaller share.

    A flow f goes from each point to the other, and D = 2 Δ f − f² ‖right − left‖²/(2 alpha) is greatest at an f that
    is at most the lighter share.
    """
    squared = sum((Fraction(there) - Fraction(here)) ** 2 for here, there in zip(left, right, strict=True))
    flow = min(lighter, 2 * alpha * margin / squared)
    return 2 * margin * flow - flow**2 * squared / (2 * alpha)


def two_points(offset, weights, alpha, dtype):
    """Three rows, the last two alike, and what is optimal."""
    X = np.array([[offset - 128, 1], [offset + 256, -3], [offset + 256, -3]], dtype=dtype)
    y = np.array([0, 1, 1])
    share = exact_shares(y, weights)[0]
    optimum = two_points_optimum(*X[:2].tolist(), min(share, 1 - share), Fraction(alpha), Fraction(1, 2))
    return X, y, optimum


@every_dtype
@pytest.mark.parametrize("offset", [0, 1000])
@pytest.mark.parametrize("alpha", [2.0**-20, 2.0**-5, 8.0])
@pytest.mark.parametrize("weights", [(1, 1, 1), (100, 1, 3)])
def test_two_points(offset, alpha, weights, dtype):
    X, y, optimum = two_points(offset, weights, alpha, dtype)
    model = MulticlassHingeClassifier(alpha=alpha, margin=0.5, random_state=0).fit(X, y, weights)
    assert_solves(model, optimum, X, y, weights)


@every_dtype
@pytest.mark.parametrize("offset", [0, 1e6, 2.0**30])
@pytest.mark.parametrize("alpha", [2.0**-20, 8.0])
@pytest.mark.parametrize("weights", [(1, 1, 1), (2.0**60, 1, 3), (1, 2.0**-80, 2.0**-80), (2.0**-200, 1, 1)])
def test_two_points_out_of_reach(offset, alpha, weights, dtype):
    """Where the numbers do not let coefficients of this dtype come close to the optimum, nothing false is said."""
    X, y, optimum = two_points(offset, weights, alpha, dtype)
    assert_encloses(quiet_fit(X, y, weights, alpha=alpha, margin=0.5), optimum, X, y, weights)


@every_dtype
@pytest.mark.parametrize("length", [1 / 128, 1.0, 384 / 7])
@pytest.mark.parametrize("alpha", [1e-7, 1e-3, 10.0])
def test_two_opposite_points_without_an_intercept(length, alpha, dtype):
    X, y = np.array([[length], [-length]], dtype=dtype), np.array([1, 0])
    model = MulticlassHingeClassifier(alpha=alpha, fit_intercept=False, random_state=0).fit(X, y)
    optimum = hinge_of_one_number(Fraction(alpha), Fraction(float(X[0, 0])), 1, Fraction(1))
    assert_solves(model, optimum, X, y)


def corners_optimum(loss, n_classes, length, alpha):
    """The optimum of the points length · e_k, one a class.

    W that is optimal can be chosen as symmetric as the problem. For losses of differences only u = w_kk − w_jk
    counts, and the shortest W with it has ‖W‖² = (K − 1) u². In one-vs-rest every entry of W is a problem of its own.
    """
    if loss == "one_vs_rest":
        return n_classes * hinge_of_one_number(n_classes * alpha, length, 1, 1)
    count = 1 if loss == "crammer_singer" else n_classes - 1
    return hinge_of_one_number((n_classes - 1) * alpha, length, count, 1)


@every_loss
@every_dtype
@pytest.mark.parametrize("n_classes", [3, 5])
@pytest.mark.parametrize(("length", "alpha"), [(3.0, 1e-6), (1.0, 0.3), (2.0**20, 1e-3)])
def test_corners(loss, n_classes, length, alpha, dtype):
    X, y = (length * np.eye(n_classes)).astype(dtype), np.arange(n_classes)
    model = MulticlassHingeClassifier(loss, alpha=alpha, fit_intercept=False, random_state=0).fit(X, y)
    assert_solves(model, corners_optimum(loss, n_classes, Fraction(length), Fraction(alpha)), X, y)


@every_dtype
@pytest.mark.parametrize("loss", ["crammer_singer", "weston_watkins"])
@pytest.mark.parametrize("offset", [1e4, 2.0**24, 2.0**28])
def test_an_offset_does_not_change_the_optimum_of_corners(loss, offset, dtype):
    length, alpha = 64.0, 1e-2
    X = np.repeat(offset + length * np.eye(4), 2, axis=0).astype(dtype)
    y = np.repeat(np.arange(4), 2)
    model = quiet_fit(X, y, loss=loss, alpha=alpha)
    compare = assert_solves if offset < 1e5 else assert_encloses
    compare(model, corners_optimum(loss, 4, Fraction(length), Fraction(alpha)), X, y)


# Random problems


@st.composite
def problems(draw):
    """X, codes, weights and parameters: a few rows with large offsets, all scales, and weights of any ratio."""
    n_classes = draw(st.integers(2, 4))
    n_samples, n_features = draw(st.integers(n_classes, 12)), draw(st.integers(1, 4))
    rng = np.random.RandomState(draw(st.integers(0, 2**32 - 1)))
    X = rng.normal(size=(n_samples, n_features))
    X = X * 10.0 ** draw(st.integers(-6, 6)) + 10.0 ** draw(st.integers(0, 9)) * draw(st.sampled_from([0, 0, 1]))
    X = X.astype(draw(st.sampled_from([np.float32, np.float64])))
    y = rng.permutation(np.arange(n_samples) % n_classes)
    ratio = draw(st.sampled_from([0, 0, 3, 12, 30, 60]))
    weights = None if ratio == 0 else 10 ** rng.uniform(-ratio / 2, ratio / 2, n_samples)
    loss, margin = draw(st.sampled_from(LOSSES)), 1.0
    if draw(st.booleans()) and (loss != "one_vs_rest" or n_classes == 2):
        margin = draw_distances(n_classes, rng, draw(st.sampled_from([0, 1, 6])))
    params = {
        "loss": loss,
        "margin": margin,
        "alpha": 10.0 ** draw(st.integers(-8, 2)),
        "fit_intercept": draw(st.booleans()),
    }
    return X, y, weights, params


def draw_distances(n_classes, rng, decades):
    """A distance for every pair of classes, some of them zero."""
    distances = 10 ** rng.uniform(-decades / 2, decades / 2, (n_classes, n_classes))
    distances *= (rng.uniform(size=distances.shape) > 0.2) & ~np.eye(n_classes, dtype=bool)
    distances[0, 1] = 0.7
    return distances


def known_objectives(model, X, y, weights):
    """P at the model, at multiples of it, and at the model of another fit, centred: no bound may exceed any of them."""
    params = {"loss": model.loss, "alpha": model.alpha, "margin": model.margin}
    center = X[0].astype(np.float64) * model.fit_intercept
    other = quiet_fit(X - center, y, weights, fit_intercept=model.fit_intercept, tol=1e-8, max_iter=200, **params)
    moved = as_fractions(other.intercept_)
    if model.fit_intercept:
        moved = moved - as_fractions(other.coef_) @ as_fractions(center)
    shares = exact_shares(y, weights)
    yield exact_primal(X, y, shares, other.coef_, moved, **params)
    for factor in (0, 0.5, 0.999, 1, 1.001):
        yield exact_primal(X, y, shares, model.coef_ * factor, model.intercept_ * factor, **params)


def size_of_terms(model, X, y, weights):
    """What is added up in P, taken without signs: rounding is a part of this."""
    weights = np.ones(len(y)) if weights is None else weights / weights.max()
    coef, X = model.coef_.astype(float), X.astype(float)
    scores = np.abs(X) @ np.abs(coef).T + np.abs(model.intercept_.astype(float)) + np.max(model.margin)
    return model.alpha * (coef**2).sum() + 2 * weights @ scores.sum(axis=1) / weights.sum()


@settings(max_examples=60)
@given(problems())
def test_nothing_false_is_said_of_a_fit(problem):
    X, y, weights, params = problem
    model = quiet_fit(X, y, weights, max_iter=200, **params)
    bound = Fraction(float(model.dual_objective_))
    assert 0 <= bound <= min(known_objectives(model, X, y, weights))
    assert 0 <= model.duality_gap_ <= 1
    error = abs(Fraction(float(model.objective_)) - exact_objective(model, X, y, weights))
    assert error <= 1e-12 * size_of_terms(model, X, y, weights)


@every_loss
@every_dtype
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array])
def test_the_subgradients_prove_the_bound(loss, n_classes, kind, dtype):
    """`dual_coef_` has the dual objective that is claimed, up to rounding and what is subtracted for it."""
    X, y = blobs(60, n_classes=n_classes)
    X = X.astype(dtype)
    model = MulticlassHingeClassifier(loss, alpha=1e-2, random_state=0).fit(kind(X), y)
    shares, dual = exact_shares(y), model.dual_coef_.toarray()
    exact = exact_dual(X, y, shares, dual, loss=loss, alpha=model.alpha)
    rounding = 8 * float(np.finfo(dual.dtype).eps)
    assert abs(exact - Fraction(float(model.dual_objective_))) <= max(rounding, 1e-9) * exact
    assert max(map(abs, exact_balance(shares, dual))) <= rounding


# The rational arithmetic itself


def exact_margin(case):
    """Δ = 0.3, times the costs."""
    return Fraction(0.3) * (1 if case.loss.costs is None else as_fractions(case.loss.costs))


def draw_binary_fractions(case, rng, n_samples=8):
    """Rows, codes and shares, and a model: all of few binary digits, so that loops over fractions are quick."""
    y = rng.permutation(np.arange(n_samples) % case.n_classes)
    X, weights = rng.randint(-40, 40, (n_samples, 3)) / 8, 2.0 ** rng.randint(-3, 3, n_samples)
    coef, intercept = rng.randint(-9, 9, (case.n_scores, 3)) / 4, rng.randint(-9, 9, case.n_scores) / 2
    return X, y, exact_shares(y, weights), coef, intercept


@every_case
def test_the_exact_objective_is_that_of_the_loops(case, rng):
    X, y, shares, coef, intercept = draw_binary_fractions(case, rng)
    primal = exact_primal(X, y, shares, coef, intercept, loss=name_of(case), alpha=0.1, margin=exact_margin(case))
    expected = Fraction(0.1) / 2 * Fraction((coef**2).sum())
    for share, row, label in zip(shares, X @ coef.T + intercept, y.tolist(), strict=True):
        expected += share * case.reference.value([*map(Fraction, row)], label, Fraction(0.3))
    assert primal == expected


@every_case
def test_the_exact_bound_is_the_lagrangian_at_its_coefficients(case, rng):
    """D(G) = alpha/2 ‖W‖² + Σ_i ω_i (⟨g_i, W x_i⟩ + Δ c(g_i)) at W = W(G), which minimises this: no P is below it."""
    X, y, shares, coef, intercept = draw_binary_fractions(case, rng)
    params = {"loss": name_of(case), "alpha": 0.25, "margin": exact_margin(case)}
    dual = as_fractions(np.array([case.vertices(label)[[0, -1]].mean(axis=0) for label in y]))
    minimiser = -4 * (shares[:, None] * dual).T @ as_fractions(X)
    expected = Fraction(1, 8) * (minimiser**2).sum()
    for share, row, label, g in zip(shares, as_fractions(X), y.tolist(), dual, strict=True):
        gain = Fraction(case.reference.dual_value(g, label))
        expected += share * (sum(minimiser @ row * g) + Fraction(0.3) * gain)
    bound = exact_dual(X, y, shares, dual, **params)
    assert bound == expected
    for model in (coef, minimiser):
        assert bound <= exact_primal(X, y, shares, model, 0 * intercept, **params)
    assert exact_balance(shares, dual) == list(shares @ dual)


@every_case
@pytest.mark.parametrize("ulps", [-1, 1])
def test_feasibility_is_exact(case, ulps):
    y = np.arange(case.n_classes)
    dual = np.array([case.vertices(label)[-1] for label in y], dtype=float)
    assert is_exactly_feasible(dual, y, loss=name_of(case))
    largest = np.unravel_index(np.abs(dual).argmax(), dual.shape)
    dual[largest] *= 1 + ulps * 2.0**-52
    stays = ulps < 0 and not case.loss.sums_to_zero
    assert is_exactly_feasible(dual, y, loss=name_of(case)) is stays


def test_shares_are_exact():
    y, weights = np.array([0, 1, 1]), [0.1, 0.2, 2.0**-80]
    total = sum(map(Fraction, weights))
    assert exact_shares(y, weights).tolist() == [Fraction(w) / total for w in weights]
    assert exact_shares(y, None, {1: 0.5}).tolist() == [Fraction(1, 2), Fraction(1, 4), Fraction(1, 4)]
    assert exact_shares(y, None, "balanced").tolist() == [Fraction(1, 2), Fraction(1, 4), Fraction(1, 4)]
