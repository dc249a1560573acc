"""What a fit keeps: the best coefficients looked at, useful whenever it ends, and their true objective."""

from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse as sp
from cases import LOSSES, blobs, calm_classifier
from problems import SMALL_CASES, draw_problem
from sklearn.datasets import make_classification
from sklearn.preprocessing import StandardScaler, normalize

from linear_hinge import MulticlassHingeClassifier, objective_and_subgradient
from linear_hinge.problem.objective import ALL_SCALES, FAR_SCALES, SCALES, primal_objective
from linear_hinge.solvers.incumbent import Incumbent

small_cases = pytest.mark.parametrize("case", SMALL_CASES, ids=str)
ignore_convergence = pytest.mark.filterwarnings("ignore:Not converged:sklearn.exceptions.ConvergenceWarning")


@small_cases
def test_zero_is_known_and_replaced_by_whatever_is_offered(case, rng):
    problem = draw_problem(case, rng)
    incumbent = Incumbent(problem)
    zero = primal_objective(problem, incumbent.coef, incumbent.intercept)
    assert incumbent.objective == incumbent.least == pytest.approx(zero)
    incumbent.offer(100 * rng.normal(size=incumbent.coef.shape), np.zeros(case.n_scores), FAR_SCALES)
    assert incumbent.coef.any()
    assert incumbent.objective == pytest.approx(primal_objective(problem, incumbent.coef, incumbent.intercept))
    assert incumbent.least == pytest.approx(min(zero, incumbent.objective))
    incumbent.become_zero()
    assert incumbent.objective == pytest.approx(zero)
    assert not incumbent.coef.any()


@small_cases
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_only_what_is_better_is_kept(case, dtype, rng):
    problem = draw_problem(case, rng, dtype=dtype)
    incumbent, lowest = Incumbent(problem), np.inf
    for scales in 20 * [FAR_SCALES, SCALES]:
        incumbent.offer(rng.normal(size=incumbent.coef.shape), rng.normal(size=case.n_scores), scales)
        assert incumbent.objective <= lowest
        lowest = incumbent.objective
    incumbent.settle()
    assert incumbent.coef.dtype == incumbent.intercept.dtype == dtype
    exact = primal_objective(problem, incumbent.coef, incumbent.intercept)
    assert incumbent.objective == (exact if dtype == np.float32 else pytest.approx(exact, rel=1e-14))


@small_cases
def test_where_rounding_matters_the_rounded_coefficients_are_compared(case, rng):
    """Scores near Δ: float32 turns a loss of zero into one of 1e-7, far above the rest of the objective."""
    problem = draw_problem(case, rng, 6, 12, dtype=np.float32, alpha=1e-12, fit_intercept=False)
    target = (
        np.where(np.arange(case.n_scores) == problem.y[:, None], 1, -1)
        if case.n_scores > 1
        else 2 * problem.y[:, None] - 1
    )
    coef = np.linalg.lstsq(problem.X.astype(float), target * (0.5 if case.loss.sums_to_zero else 1.0), rcond=None)[0]
    incumbent = Incumbent(problem)
    for _ in range(3):
        incumbent.offer(coef, np.zeros(case.n_scores))
        incumbent.settle()
    rounded = coef.astype(np.float32)
    assert incumbent.objective == primal_objective(problem, incumbent.coef, incumbent.intercept)
    assert incumbent.objective < primal_objective(problem, rounded, np.zeros(case.n_scores, np.float32))


@pytest.fixture(scope="module")
def hard_problem():
    """Many noisy features: the dual is far from its optimum for dozens of passes."""
    X, y = make_classification(
        2000, 200, n_informative=20, n_classes=5, n_clusters_per_class=2, flip_y=0.1, random_state=0
    )
    return StandardScaler().fit_transform(X), y


@ignore_convergence
@pytest.mark.parametrize("loss", LOSSES)
def test_a_fit_that_ends_early_is_as_accurate_as_the_optimal_schedule(loss, hard_problem):
    objectives = []
    for max_iter in (1, 3, 10, 30):
        ours, schedule = (
            MulticlassHingeClassifier(loss, learning_rate=rate, max_iter=max_iter, random_state=0).fit(*hard_problem)
            for rate in ("auto", "optimal")
        )
        assert ours.score(*hard_problem) >= schedule.score(*hard_problem) - 0.02
        assert ours.objective_ < schedule.objective_
        objectives.append(ours.objective_)
    # The same to two per cent while nothing is gained: a look at the coefficients costs half a pass.
    assert all(later <= 1.02 * earlier for earlier, later in pairwise(objectives))


@ignore_convergence
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("max_iter", [1, 2, 5])
def test_few_passes_over_easy_data_are_enough_to_predict(loss, max_iter):
    X, y = blobs(n_samples=500)
    model = calm_classifier(loss=loss, alpha=1e-4, max_iter=max_iter).fit(X, y)
    assert model.score(X, y) > calm_classifier(loss=loss, alpha=1e-4).fit(X, y).score(X, y) - 0.05


@ignore_convergence
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("alpha", [1e-2, 1e-3])
@pytest.mark.parametrize("max_iter", [1, 2, 3])
def test_no_multiple_of_a_model_that_ends_early_is_much_better(loss, alpha, max_iter):
    """Few words a text and unequal classes: what a pass has found is too long or too short, and the bound is near."""
    rng = np.random.RandomState(0)
    y = (rng.uniform(size=600) > 0.85).astype(int) + (rng.uniform(size=600) > 0.9)
    words = sp.random(600, 300, density=0.03, random_state=0) + sp.csr_array(0.3 * np.eye(3)[y] @ np.eye(3, 300))
    X = normalize(sp.csr_array(words))
    model = MulticlassHingeClassifier(loss, alpha=alpha, max_iter=max_iter, fit_intercept=False, random_state=0).fit(
        X, y
    )
    objectives = [
        objective_and_subgradient(scale * model.coef_, np.zeros(3), X, y, loss=loss, alpha=alpha)[0]
        for scale in ALL_SCALES
    ]
    assert min(objectives) >= 0.97 * model.objective_
