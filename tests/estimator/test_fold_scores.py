"""The scores of the folds: those of single fits of each alpha."""

import numpy as np
import pytest
from cases import blobs
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import accuracy_score, get_scorer
from sklearn.model_selection import StratifiedKFold

from linear_hinge import MulticlassHingeClassifier, hinge_path
from linear_hinge.estimator.fold_scores import score_folds

TOL = 1e-6


def scores_of(X, y, folds, alphas, weights=None):
    estimators = [MulticlassHingeClassifier(tol=TOL, random_state=0) for _ in folds]
    weights = np.ones(len(y)) if weights is None else weights
    return score_folds(
        estimators, X, y, weights, folds, np.array(alphas), get_scorer("accuracy"), {}, n_jobs=None, verbose=0
    )


@pytest.mark.parametrize("n_alphas", [1, 4])
def test_each_alpha_has_the_score_and_the_gap_of_its_own_fit(n_alphas):
    X, y = blobs()
    folds = list(StratifiedKFold(3).split(X, y))
    alphas = np.geomspace(1, 1e-3, n_alphas)
    found = scores_of(X, y, folds, alphas)
    assert found.scores.shape == found.gaps.shape == found.converged.shape == (3, n_alphas)
    assert found.converged.dtype == bool and found.converged.all() and (found.gaps <= TOL).all()
    for scores, (train, test) in zip(found.scores, folds, strict=True):
        for score, alpha in zip(scores, alphas, strict=True):
            single = MulticlassHingeClassifier(alpha=alpha, tol=TOL, random_state=1).fit(X[train], y[train])
            # Two models within the gap may differ in the label of a row on the edge.
            assert_allclose(score, accuracy_score(y[test], single.predict(X[test])), atol=1.5 / len(test))


def test_rows_that_a_fold_leaves_out_have_no_weight():
    X, y = blobs()
    fold = np.arange(0, len(y), 2), np.arange(1, len(y), 2)
    alphas = np.array([1.0, 0.1])
    found = scores_of(X, y, [fold], alphas)
    left_out = np.where(np.arange(len(y)) % 2 == 0, 1.0, 0.0)
    path = hinge_path(X, y, alphas, sample_weight=left_out, tol=TOL, random_state=0)
    gaps = (path.objectives - path.dual_objectives) / path.objectives
    assert_array_equal(found.gaps[0], gaps)


def test_a_fold_without_weight_is_an_error():
    X, y = blobs()
    weights = np.where(np.arange(len(y)) < len(y) // 2, 0.0, 1.0)
    fold = np.arange(len(y) // 2), np.arange(len(y) // 2, len(y))
    with pytest.raises(ValueError, match="no training sample has a weight"):
        scores_of(X, y, [fold], [1.0], weights)
