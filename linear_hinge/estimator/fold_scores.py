"""The scores of the fits of a cross-validation: one path of alphas a fold."""

from typing import NamedTuple

import numpy as np
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import _check_method_params

from linear_hinge.estimator.path import fits_along


class FoldScores(NamedTuple):
    """What is known of the fits, as arrays of shape (n_folds, n_alphas).

    Attributes
    ----------
    scores : ndarray
        The scores of the samples that the folds left out.
    gaps : ndarray
        The relative duality gaps.
    converged : ndarray of bool
        Whether the gap is at most ``tol``.
    """

    scores: np.ndarray
    gaps: np.ndarray
    converged: np.ndarray


def score_folds(estimators, X, y, weights, folds, alphas, scorer, score_params, *, n_jobs, verbose):
    """Fit all alphas in all folds, and score the models.

    Parameters
    ----------
    estimators : list of MulticlassHingeClassifier
        One for every fold, whose parameters are those of its fits.
    X : ndarray or CSR of shape (n_samples, n_features)
        The samples.
    y : ndarray of shape (n_samples,)
        The labels.
    weights : ndarray of shape (n_samples,)
        The weights of the samples, not negative.
    folds : list of tuple (train, test)
        The rows for training and for the score.
    alphas : ndarray of shape (n_alphas,)
        From the largest to the smallest.
    scorer : callable
        ``scorer(estimator, X, y, **score_params)`` returns a score.
    score_params : dict
        Arrays with one entry for every sample, and other parameters of the scorer.
    n_jobs : int or None
        The number of processes, as in scikit-learn.
    verbose : int
        How much is printed.

    Returns
    -------
    FoldScores
        The scores, gaps, and whether the fits converged.

    Raises
    ------
    ValueError
        If no training sample of a fold has a weight.
    """
    of_folds = Parallel(n_jobs=n_jobs, verbose=verbose)(
        delayed(_scores_of_fold)(estimator, X, y, weights, *fold, alphas, scorer, score_params)
        for estimator, fold in zip(estimators, folds, strict=True)
    )
    return FoldScores(*(np.array(rows) for rows in zip(*of_folds, strict=True)))


def _scores_of_fold(estimator, X, y, weights, train, test, alphas, scorer, score_params):
    """Scores, gaps, and whether they converged, of all alphas. Samples that are not in ``train`` have no weight."""
    n_samples = len(y)
    weights = weights * np.bincount(np.arange(n_samples)[train], minlength=n_samples)
    if not weights.any():
        raise ValueError("In one of the folds of cv no training sample has a weight.")
    X_test, y_test = X[test], y[test]
    score_params = _check_method_params(X, score_params, test)
    estimator.n_features_in_ = X.shape[1]
    scores, gaps, converged = [], [], []
    for step in fits_along(estimator, X, y, weights, alphas):
        vars(estimator).update(step.model)
        scores.append(float(scorer(estimator, X_test, y_test, **score_params)))
        gaps.append(step.gap)
        converged.append(step.converged)
    return scores, gaps, converged
