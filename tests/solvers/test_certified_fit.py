"""`learning_rate="auto"`: what a fit claims about itself is so, and it is what other solvers find."""

import re
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from cases import JOINT_LOSSES, LOSSES, blobs, calm_classifier, objective
from independent_solvers import solve_binary_with_intercept
from numpy.testing import assert_allclose, assert_array_equal
from problems import SMALL_CASES, draw_problem
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from linear_hinge import MulticlassHingeClassifier
from linear_hinge.problem import objective as objective_module
from linear_hinge.problem.certificate import best_bound
from linear_hinge.solvers import bracket as bracket_module
from linear_hinge.solvers import incumbent as incumbent_module
from linear_hinge.solvers import takeover
from linear_hinge.solvers.certified_fit import FEW_PASSES, CertifiedFit
from linear_hinge.solvers.takeover import EARLY_PASSES, NEAR

ignore_convergence = pytest.mark.filterwarnings("ignore:Not converged:sklearn.exceptions.ConvergenceWarning")
all_losses = pytest.mark.parametrize("loss", LOSSES)


def dual_objective(model, X, y, sample_weight=None):
    """Δ Σ_i ω_i c(g_i) − alpha/2 ‖W(G)‖² of ``dual_coef_``, from the formulas."""
    dual = model.dual_coef_.toarray().astype(float)
    weights = np.ones(len(y)) if sample_weight is None else sample_weight
    weights = weights / np.sum(weights)
    truth = y[:, None] == model.classes_
    if len(model.classes_) == 2:
        linear = np.abs(dual[:, 0])
    elif model.loss == "one_vs_rest":
        linear = np.abs(dual).sum(axis=1)
    else:
        linear = -dual[truth]
    return model.margin * weights @ linear - model.alpha / 2 * (coef_of_dual(model, X, weights) ** 2).sum()


def coef_of_dual(model, X, weights):
    """−(1/alpha) Σ_i ω_i g_i x_iᵀ."""
    return -(weights[:, None] * model.dual_coef_.toarray()).T @ X / model.alpha


def assert_certified(model, X, y, sample_weight=None, rtol=1e-10):
    """The gap is closed, and it is the gap."""
    assert model.objective_ == pytest.approx(objective(model, X, y, sample_weight), rel=rtol)
    assert model.dual_objective_ == pytest.approx(dual_objective(model, X, y, sample_weight), rel=rtol)
    assert model.duality_gap_ == (model.objective_ - model.dual_objective_) / model.objective_
    assert -rtol <= model.duality_gap_ <= model.tol
    if model.fit_intercept:
        weights = np.ones(len(y)) if sample_weight is None else sample_weight
        assert np.abs(weights / weights.sum() @ model.dual_coef_.toarray()).max() <= max(rtol, 1e-12)


# What converged means


@all_losses
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("tol", [1e-2, 1e-3, 1e-5])
def test_a_fit_without_a_warning_is_certified(loss, n_classes, fit_intercept, tol):
    X, y = blobs(n_classes=n_classes)
    model = calm_classifier(loss=loss, fit_intercept=fit_intercept, tol=tol).fit(X, y)
    assert_certified(model, X, y)


@all_losses
@pytest.mark.parametrize("n_classes", [2, 4])
def test_coefficients_are_close_to_those_of_the_dual(loss, n_classes):
    """P is strongly convex: alpha/2 ‖W − W(G)‖² is at most the gap."""
    X, y = blobs(n_classes=n_classes)
    for tol in (1e-2, 1e-4):
        model = calm_classifier(loss=loss, tol=tol).fit(X, y)
        distance = model.coef_ - coef_of_dual(model, X, np.full(len(y), 1 / len(y)))
        gap = model.objective_ - model.dual_objective_
        assert model.alpha / 2 * (distance**2).sum() <= gap + 1e-12


@all_losses
@pytest.mark.parametrize("n_classes", [2, 4])
def test_support_vectors_are_the_rows_with_a_subgradient(loss, n_classes):
    X, y = blobs(n_classes=n_classes)
    model = calm_classifier(loss=loss, tol=1e-5).fit(X, y)
    assert sp.issparse(model.dual_coef_)
    assert model.dual_coef_.shape == (90, n_classes if n_classes > 2 else 1)
    assert_array_equal(model.support_, np.flatnonzero(model.dual_coef_.toarray().any(axis=1)))
    assert 0 < len(model.support_) < 90


def test_without_the_other_rows_the_model_is_the_same():
    X, y = blobs(n_classes=2)
    model = calm_classifier(tol=1e-6, alpha=0.01).fit(X, y)
    kept = model.support_
    alone = calm_classifier(tol=1e-6, alpha=0.01 * 90 / len(kept)).fit(X[kept], y[kept])
    assert_allclose(alone.coef_, model.coef_, atol=0.02 * np.abs(model.coef_).max())


@all_losses
@pytest.mark.parametrize("margin", [0.01, 30.0])
def test_margins(loss, margin):
    X, y = blobs()
    assert_certified(calm_classifier(loss=loss, margin=margin).fit(X, y), X, y)


@all_losses
@pytest.mark.parametrize("n_classes", [2, 3])
def test_weighted_rows(loss, n_classes, rng):
    X, y = blobs(n_classes=n_classes)
    weights = rng.exponential(size=90) * (rng.uniform(size=90) > 0.2)
    model = calm_classifier(loss=loss).fit(X, y, weights)
    assert_certified(model, X, y, weights)
    assert weights[model.support_].all()


@all_losses
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("container", [np.asarray, sp.csr_array])
def test_float32_is_certified_too(loss, n_classes, container):
    X, y = blobs(n_classes=n_classes)
    X = X.astype(np.float32)
    model = calm_classifier(loss=loss).fit(container(X), y)
    assert model.coef_.dtype == model.dual_coef_.dtype == np.float32
    assert_certified(model, X.astype(float), y, rtol=1e-5)


@all_losses
def test_sparse_data_give_the_model_of_dense_data(loss):
    X, y = blobs()
    X *= np.abs(X) > 1
    dense, sparse = (calm_classifier(loss=loss).fit(container(X), y) for container in (np.asarray, sp.csr_array))
    assert_allclose(sparse.coef_, dense.coef_, atol=1e-8)
    assert sparse.dual_objective_ == pytest.approx(dense.dual_objective_, rel=1e-9)


@all_losses
@ignore_convergence
def test_the_history_keeps_the_best_of_both_sides(loss):
    X, y = blobs()
    model = calm_classifier(loss=loss, alpha=1e-3, tol=1e-7).fit(X, y)
    history = model.history_
    assert {len(column) for column in history.values()} == {model.n_iter_}
    assert model.n_iter_ > 5
    for name in ("pass", "seconds", "dual_objective"):
        assert (np.diff(history[name]) >= 0).all(), name
    assert (np.diff(history["objective"]) <= 0).all()
    assert (np.diff(history["pass"]) > 0).all()
    assert_array_equal(history["gap"], (history["objective"] - history["dual_objective"]) / history["objective"])
    for name in ("objective", "dual_objective"):
        assert history[name][-1] == getattr(model, f"{name}_")


@all_losses
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_proofs_are_made_where_the_end_or_a_tenth_of_the_gap_is_in_sight(loss, fit_intercept, monkeypatch):
    X, y = blobs(n_samples=300)
    proofs, looks = [], []

    def counted_bound(problem, dual, *objective):
        proofs.append(best_bound(problem, dual, *objective)[0])
        return best_bound(problem, dual, *objective)

    def counted_objective(problem, coef, intercept, scales):
        objective, scale = objective_module.scaled_objective(problem, coef, intercept, scales)
        looks.append(objective)
        return objective, scale

    monkeypatch.setattr(bracket_module, "best_bound", counted_bound)
    monkeypatch.setattr(incumbent_module, "scaled_objective", counted_objective)
    model = calm_classifier(loss=loss, fit_intercept=fit_intercept, alpha=0.1, tol=1e-3).fit(X, y)
    assert max(proofs) == model.dual_objective_
    assert min(looks) == model.objective_
    assert len(proofs) < len(looks) < model.n_iter_
    if not fit_intercept:  # nothing to balance: a look sees what a proof would
        assert len(proofs) <= 4


@pytest.mark.parametrize("loss", JOINT_LOSSES)
@pytest.mark.parametrize("n_features", [2, 120])
def test_rows_of_coef_sum_to_zero_where_newton_ends_the_fit(loss, n_features, rng):
    """Also where it does so in the space of the rows."""
    X, y = blobs(n_samples=60, n_features=n_features)
    model = calm_classifier(loss=loss, alpha=1e-3, tol=1e-4).fit(X, y)
    assert np.abs(model.coef_.sum(axis=0)).max() <= 1e-12 * np.abs(model.coef_).max()


@pytest.mark.parametrize("alpha", [1e-3, 1e-5])
@pytest.mark.parametrize(("n_samples", "n_features"), [(60, 20), (60, 120), (300, 120)])
def test_an_optimum_far_below_the_margin_is_reached(n_samples, n_features, alpha):
    """The objective of separable data is a small difference of large terms, the gap all the smaller."""
    X, y = blobs(n_samples=n_samples, n_features=n_features)
    model = calm_classifier(alpha=alpha, tol=1e-6).fit(X, y)
    assert model.objective_ < 1e-4
    assert model.duality_gap_ <= 1e-6


@pytest.mark.parametrize("case", SMALL_CASES, ids=str)
@pytest.mark.parametrize("n_passes", [1, 3, 4, 5])
def test_a_fit_that_is_stopped_proves_where_it_is(case, n_passes, rng):
    """After a pass that was looked at without a proof (1 and 4), and after one that was not."""
    problem = draw_problem(case, rng)
    start, intercept = np.zeros((len(problem.y), problem.n_scores)), np.zeros(problem.n_scores)
    solver = CertifiedFit(problem, start, intercept, tol=0.0, batch_size=4, rng=rng)
    for _ in range(n_passes):
        solver.run_pass(is_last=False)
    before = solver.bracket.dual_objective
    bound, _ = best_bound(problem, solver.ascent.state.dual)
    assert solver.certify().dual_objective == pytest.approx(max(bound, before), rel=1e-10)


# Other solvers


def cancer():
    X, y = load_breast_cancer(return_X_y=True)
    return StandardScaler().fit_transform(X), y


@pytest.fixture(scope="module", params=[0.01, 1, 10], ids="C={}".format)
def solved_cancer(request):
    """Breast cancer, alpha, and the least objective as libsvm finds it."""
    X, y = cancer()
    model = MulticlassHingeClassifier(alpha=1 / (request.param * len(y)))
    coef, intercept = solve_binary_with_intercept(X, y, alpha=model.alpha)
    model.classes_, model.coef_, model.intercept_ = np.array([0, 1]), coef, intercept
    return X, y, model.alpha, objective(model, X, y)


@pytest.mark.parametrize(("tol", "close"), [(1e-3, 1e-3), (1e-7, 1e-6)])
@pytest.mark.filterwarnings("default:Not converged:sklearn.exceptions.ConvergenceWarning")
def test_breast_cancer_is_that_of_libsvm(solved_cancer, tol, close):
    X, y, alpha, least = solved_cancer
    model = MulticlassHingeClassifier(alpha=alpha, tol=tol, random_state=0).fit(X, y)
    assert model.objective_ <= (1 + close) * least
    assert model.dual_objective_ <= (1 + 1e-9) * least
    assert_certified(model, X, y)


def separable(n_features):
    X, y = blobs(n_samples=60, n_features=n_features, n_classes=2)
    X[y == 1] += 12
    return X, y


@pytest.mark.parametrize("n_features", [2, 5])
def test_hard_margin_is_the_limit_of_small_alpha(n_features):
    X, y = separable(n_features)
    hard = SVC(kernel="linear", C=1e6, tol=1e-8).fit(X, y)
    widest = 1 / np.linalg.norm(hard.coef_)
    off = []
    for alpha in (10, 0.1, 1e-6):
        model = MulticlassHingeClassifier(alpha=alpha, tol=1e-4, random_state=0).fit(X, y)
        off.append(abs(1 / np.linalg.norm(model.coef_) / widest - 1))
    w, best = model.coef_[0], hard.coef_[0]
    assert off[0] > 0.1
    assert off[-1] <= 1e-3
    assert w @ best / np.linalg.norm(w) / np.linalg.norm(best) >= 1 - 1e-4
    assert (model.decision_function(X) * (2 * y - 1)).min() >= 1 - 1e-2


@pytest.mark.parametrize("load", [load_wine, load_breast_cancer])
@all_losses
@pytest.mark.parametrize("alpha", [1.0, 1e-4])
def test_raw_features_converge_or_say_how_far_it_got_and_to_scale(load, loss, alpha):
    """Neither is an exception: a fit ends within its tolerance or with a gap that it tells."""
    X, y = load(return_X_y=True)
    model = MulticlassHingeClassifier(loss, alpha=alpha, max_iter=100, random_state=0)
    with np.errstate(all="raise", under="ignore"):
        message = fit_and_catch(model, X, y)
    assert np.isfinite(model.coef_).all()
    assert np.isfinite(model.intercept_).all()
    assert model.objective_ == pytest.approx(objective(model, X, y), rel=1e-9)
    assert 0 <= model.dual_objective_ <= model.objective_
    if message is None:
        assert model.duality_gap_ <= model.tol
    else:
        assert f"the relative duality gap is {model.duality_gap_:.2g}" in message
        assert re.search(r"[Ss]cale the features", message)


def fit_and_catch(model, X, y):
    """Fit; the text of the ConvergenceWarning, or None."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y)
    assert [warning.category for warning in caught] in ([], [ConvergenceWarning])
    return str(caught[0].message) if caught else None


# Warm starts


@all_losses
@pytest.mark.parametrize("n_classes", [2, 4])
def test_a_warm_start_with_another_alpha_takes_fewer_passes(loss, n_classes):
    X, y = blobs(n_classes=n_classes, n_samples=300)
    path = calm_classifier(loss=loss, warm_start=True, alpha=0.03).fit(X, y)
    warm = path.set_params(alpha=0.02).fit(X, y)
    assert_certified(warm, X, y)
    cold = calm_classifier(loss=loss, alpha=0.02).fit(X, y)
    assert warm.history_["pass"][-1] < cold.history_["pass"][-1]


@all_losses
@pytest.mark.parametrize("n_classes", [2, 4])
def test_a_warm_start_with_other_rows_is_certified(loss, n_classes):
    X, y = blobs(n_classes=n_classes, n_samples=300)
    model = calm_classifier(loss=loss, warm_start=True).fit(X[:200], y[:200])
    model.fit(X, y)
    assert_certified(model, X, y)
    model.fit(X[100:], y[100:])  # of the number of rows there has been
    assert_certified(model, X[100:], y[100:])


@all_losses
def test_a_warm_start_with_more_rows_takes_fewer_passes(loss):
    """In sum: how many a single fit takes is chance."""
    warm, cold = [], []
    for seed in range(6):
        X, y = blobs(n_classes=4, n_samples=300, seed=seed)
        model = calm_classifier(loss=loss, warm_start=True).fit(X[:280], y[:280])
        warm.append(model.fit(X, y).history_["pass"][-1])
        cold.append(calm_classifier(loss=loss).fit(X, y).history_["pass"][-1])
    assert sum(warm) < sum(cold)


@all_losses
def test_a_warm_start_with_another_loss_weights_or_permuted_rows_is_certified(loss, rng):
    X, y = blobs(n_classes=4)
    weights = rng.exponential(size=90)
    model = calm_classifier(loss="weston_watkins", warm_start=True).fit(X, y)
    model.set_params(loss=loss).fit(X, y, weights)
    assert_certified(model, X, y, weights)
    order = rng.permutation(90)
    assert_certified(model.fit(X[order], y[order]), X[order], y[order])


def test_a_warm_start_without_an_intercept_forgets_it():
    X, y = blobs()
    model = calm_classifier(warm_start=True).fit(X, y)
    model.set_params(fit_intercept=False).fit(X, y)
    assert not model.intercept_.any()
    assert_certified(model, X, y)
    assert_certified(model.set_params(fit_intercept=True).fit(X, y), X, y)


@all_losses
def test_a_warm_start_of_a_certified_model_is_soon_certified_again(loss):
    X, y = blobs()
    model = calm_classifier(loss=loss, warm_start=True).fit(X, y)
    objective = model.objective_
    assert model.fit(X, y).n_iter_ == 1
    assert model.objective_ <= objective
    assert_certified(model, X, y)


# Order and chance


@all_losses
@pytest.mark.parametrize("n_classes", [2, 4])
def test_permuted_rows_or_classes_have_the_same_optimum(loss, n_classes, rng):
    X, y = blobs(n_classes=n_classes)
    order, names = rng.permutation(90), rng.permutation(n_classes)
    model = calm_classifier(loss=loss).fit(X, y)
    for other in (calm_classifier(loss=loss).fit(X[order], y[order]), calm_classifier(loss=loss).fit(X, names[y])):
        assert other.dual_objective_ <= model.objective_ * (1 + 1e-12)
        assert model.dual_objective_ <= other.objective_ * (1 + 1e-12)


@all_losses
@pytest.mark.parametrize(("n_samples", "n_features", "alpha"), [(300, 40, 0.01), (5000, 20, 1e-6)])
def test_the_number_of_threads_changes_no_bit(loss, n_samples, n_features, alpha):
    """In fits by minibatches, and in those whose Newton steps begin early."""
    X, y = blobs(n_samples, n_features, n_classes=4)
    models = []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads):
            models.append(calm_classifier(loss=loss, alpha=alpha).fit(X, y))
    for name in ("coef_", "intercept_", "objective_", "dual_objective_"):
        assert_array_equal(getattr(models[0], name), getattr(models[1], name))


# Fits that end early


def test_one_pass_is_certified_and_tells_its_gap():
    X, y = blobs()
    model = calm_classifier(max_iter=1, tol=1e-6)
    with pytest.warns(ConvergenceWarning, match=r"Not converged after 1 pass: the relative duality gap is") as caught:
        model.fit(X, y)
    advice = (
        f"gap is {model.duality_gap_:.2g}, but tol=1e-06. Scale the features with StandardScaler, or increase max_iter"
    )
    assert advice in str(caught[0].message)
    assert model.n_iter_ == 1
    assert model.objective_ == pytest.approx(objective(model, X, y), rel=1e-12)
    assert model.dual_objective_ == pytest.approx(dual_objective(model, X, y), rel=1e-10)
    assert 0 < model.dual_objective_ < model.objective_


@pytest.mark.parametrize(("max_iter", "earlier"), [(3, 2), (7, 4), (15, 8)])
@ignore_convergence
def test_the_last_pass_is_certified_whatever_its_number(max_iter, earlier):
    """No pass is made for nothing: every one that the fit makes can be seen in what it returns."""
    X, y = blobs(n_samples=300)
    gaps = [calm_classifier(alpha=1e-4, max_iter=n, tol=1e-9).fit(X, y).duality_gap_ for n in (max_iter, earlier)]
    assert gaps[0] < gaps[1]


@all_losses
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("features", ["scaled", "of different sizes", "more than samples"])
@ignore_convergence
@pytest.mark.filterwarnings("ignore:The model predicts one class")
def test_more_passes_are_never_worse(features, n_classes, loss):
    """A search takes `max_iter` for a resource, and must not rank alphas by the pass where a fit happened to end."""
    X, y = blobs(n_samples=60, n_features=100 if features == "more than samples" else 6, n_classes=n_classes)
    X = X * 10.0 ** np.arange(-3, 3) if features == "of different sizes" else X
    model = calm_classifier(loss=loss, alpha=1e-4, tol=1e-6)
    objectives = [model.set_params(max_iter=n).fit(X, y).objective_ for n in [*range(1, 20), 40, FEW_PASSES]]
    assert (np.diff(objectives) <= 0).all()
    # Without a limit worth mentioning it looks less often, and comes as far.
    assert model.set_params(max_iter=1000).fit(X, y).objective_ <= (1 + 1e-6) * objectives[-1]


def test_where_the_precision_ends_the_fit_ends_and_says_so():
    X, y = blobs()
    model = calm_classifier(tol=0)
    with pytest.warns(
        ConvergenceWarning, match=r"The precision of float32 ends here: scale the features .* or use float64 data"
    ):
        model.fit(X.astype(np.float32), y)
    assert model.n_iter_ < model.max_iter
    assert model.duality_gap_ < 1e-4


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("alpha", [1.0, 0.01])
@all_losses
def test_float64_proves_a_gap_of_1e_8(loss, alpha, n_classes):
    X, y = blobs(n_classes=n_classes)
    assert_certified(calm_classifier(loss=loss, alpha=alpha, tol=1e-8).fit(X, y), X, y)


@all_losses
@pytest.mark.parametrize("alpha", [1e-6, 1e6])
def test_alphas_far_from_one(loss, alpha):
    X, y = blobs()
    assert_certified(calm_classifier(loss=loss, alpha=alpha).fit(X, y), X, y, rtol=1e-8)


@pytest.mark.parametrize("seed", range(20))
@all_losses
def test_few_rows_have_one_solution_whatever_their_order_or_repetition(loss, seed):
    """`check_estimator` asks this of one draw; rounding must not grow on any."""
    rng = np.random.RandomState(seed)
    X, weights = rng.rand(15, 30), rng.randint(1, 5, size=15)
    y = np.append([0, 1, 2], rng.randint(0, 3, size=12))
    order = rng.permutation(15)
    repeated = MulticlassHingeClassifier(loss, random_state=0).fit(X.repeat(weights, axis=0), y.repeat(weights))
    weighted = MulticlassHingeClassifier(loss, random_state=1).fit(X[order], y[order], weights[order])
    assert_allclose(weighted.decision_function(X), repeated.decision_function(X), rtol=1e-7, atol=1e-9)


@all_losses
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_few_rows_with_many_features_are_solved_in_their_own_space(loss, n_classes, fit_intercept):
    X, y = blobs(n_samples=40, n_features=300, n_classes=n_classes)
    options = {"loss": loss, "alpha": 10.0, "fit_intercept": fit_intercept, "tol": 1e-8, "batch_size": 64}
    dense, sparse = (calm_classifier(**options).fit(container(X), y) for container in (np.asarray, sp.csr_array))
    assert_certified(dense, X, y)
    assert dense.n_iter_ > 8
    assert_allclose(dense.coef_, sparse.coef_, atol=1e-4 * np.abs(sparse.coef_).max())


def test_warnings_point_to_the_line_of_the_user():
    X, y = blobs()
    with pytest.warns(ConvergenceWarning) as caught:
        calm_classifier(max_iter=1, tol=1e-9).fit(X, y)
    assert caught[0].filename == __file__


# Newton steps at the mean of the first iterates


def first_newton_step(X, y, monkeypatch, **params):
    """A model, the pass after which Newton steps began (None if none did), and their ρ."""
    began = []
    begin = CertifiedFit._begin_newton

    def spy(self, coef, intercept, curvature):
        began.append((self.n_passes, curvature))
        begin(self, coef, intercept, curvature)

    monkeypatch.setattr(CertifiedFit, "_begin_newton", spy)
    model = MulticlassHingeClassifier(random_state=0, **params).fit(X, y)
    return model, *(began[0] if began else (None, None))


@all_losses
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_newton_steps_begin_early_at_the_mean_of_many_noisy_rows(loss, n_classes, dtype, monkeypatch):
    X, y = blobs(n_samples=2000, n_classes=n_classes)
    X = X.astype(dtype)
    model, n_passes, curvature = first_newton_step(X, y, monkeypatch, loss=loss, alpha=1e-5, margin=2.0)
    assert (n_passes, curvature) == (EARLY_PASSES, 2.0 * NEAR)
    assert_certified(model, X, y, rtol=1e-8 if dtype == np.float64 else 1e-4)
    monkeypatch.setattr(takeover, "EARLY_PASSES", 0)
    late, n_passes, _ = first_newton_step(X, y, monkeypatch, loss=loss, alpha=1e-5, margin=2.0)
    assert n_passes > EARLY_PASSES
    assert late.n_iter_ > model.n_iter_
    assert late.objective_ == pytest.approx(model.objective_, rel=1e-3)


@all_losses
def test_newton_steps_wait_where_the_mean_says_little(loss, monkeypatch):
    """Of rows that can be fitted, of a few rows that are far longer than all others, and of easy problems."""
    X, y = blobs(n_samples=2000)
    long = X.copy()
    long[:3] *= 1000
    fitted = X + 20 * np.eye(X.shape[1])[y]
    for rows, alpha in ((long, 1e-5), (fitted, 1e-5), (X, 0.1)):
        _, n_passes, _ = first_newton_step(rows, y, monkeypatch, loss=loss, alpha=alpha)
        assert n_passes is None or n_passes > EARLY_PASSES
