"""The methods of every fitted linear classifier, and the promise that a failed fit leaves it as it was."""

from contextlib import contextmanager
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import SGDClassifier
from sklearn.utils.extmath import safe_sparse_dot
from sklearn.utils.validation import check_is_fitted, validate_data

from linear_hinge.estimator.types import MatrixLike, Scores
from linear_hinge.kernels.layout import checked_sparse
from linear_hinge.problem.predictions import predicted_codes

# Scores that differ by less than this number of units of the precision may be equal.
TIE = 1000
ROWS_AT_ONCE = 4096  # rows with such scores that are copied at a time


class LinearClassifier(ClassifierMixin, BaseEstimator):
    """A classifier that predicts from ``classes_``, ``coef_`` and ``intercept_``."""

    classes_: NDArray[Any]
    coef_: Scores  # a CSR matrix between `sparsify` and `densify`
    intercept_: Scores
    n_iter_: int
    t_: int
    objective_: float
    dual_objective_: float
    duality_gap_: float
    dual_coef_: sp.csr_array
    support_: NDArray[np.intp]
    history_: dict[str, NDArray[np.float64]]
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]

    def decision_function(self, X: MatrixLike) -> Scores:
        """Compute the scores of the classes, X Wᵀ + b.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        scores : ndarray of shape (n_samples, n_classes), or (n_samples,) with two classes
            The higher, the more likely the class. With two classes, the score of ``classes_[1]``: positive where
            it is predicted, and divided by ‖w‖ the signed distance to the separating hyperplane.
        """
        self._check_fitted()
        X = validate_data(self, checked_sparse(X), accept_sparse="csr", reset=False)
        scores = safe_sparse_dot(X, self.coef_.T, dense_output=True) + self.intercept_
        if scores.shape[1] == 1:
            return scores.ravel()
        # Rows on the margins of two classes have equal scores, and the rounding of a product depends on the number of
        # its rows. Such scores are computed row by row, so that a prediction does not depend on the other rows.
        if not sp.issparse(X) and not sp.issparse(self.coef_):
            tied = np.flatnonzero(_is_tied(scores))
            for start in range(0, len(tied), ROWS_AT_ONCE):
                rows = tied[start : start + ROWS_AT_ONCE]
                scores[rows] = _products_row_by_row(X[rows], self.coef_) + self.intercept_
        return scores

    def predict(self, X: MatrixLike) -> NDArray[Any]:
        """Predict the class with the highest score.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels out of ``classes_``.
        """
        scores = self.decision_function(X)
        return self.classes_[predicted_codes(scores.reshape(len(scores), -1))]

    def sparsify(self) -> Self:
        """Store ``coef_`` as a CSR matrix, which saves memory where most coefficients are zero.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        self._check_fitted("Estimator, %(name)s, must be fitted before sparsifying.")
        self.coef_ = sp.csr_matrix(self.coef_)
        return self

    def densify(self) -> Self:
        """Store ``coef_`` as an ndarray again.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        self._check_fitted("Estimator, %(name)s, must be fitted before densifying.")
        if sp.issparse(self.coef_):
            self.coef_ = self.coef_.toarray()
        return self

    def to_sklearn(self) -> SGDClassifier:
        """Make a fitted estimator of scikit-learn that predicts the same.

        For tools that know scikit-learn's estimators only, as converters to ONNX or PMML do, and for places without
        this package.

        Returns
        -------
        model : SGDClassifier
            A :class:`sklearn.linear_model.SGDClassifier` of the hinge loss with copies of ``classes_``, ``coef_`` and
            ``intercept_``, whose decisions are the same but for rounding. It is for predictions: fitting it would
            solve its own problem.
        """
        self._check_fitted()
        alpha = self.alpha if hasattr(self, "alpha") else self.alpha_
        model = SGDClassifier("hinge", alpha=alpha, fit_intercept=self.fit_intercept, class_weight=self.class_weight)
        coef = self.coef_.toarray() if sp.issparse(self.coef_) else np.array(self.coef_)
        model.classes_, model.coef_, model.intercept_ = self.classes_.copy(), coef, np.array(self.intercept_)
        for name in ("n_iter_", "n_features_in_", "feature_names_in_"):
            if hasattr(self, name):
                setattr(model, name, getattr(self, name))
        return model

    def _check_fitted(self, msg=None):
        check_is_fitted(self, msg=msg)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


@contextmanager
def all_or_nothing(estimator):
    """Give an estimator its fitted attributes back if the code inside fails or is interrupted.

    Inside, the function that it gives removes them.

    Parameters
    ----------
    estimator : BaseEstimator
        The estimator. Its fitted attributes are those whose names end with an underscore.
    """
    before = _fitted_attributes(estimator)

    def forget():
        for name in before:
            delattr(estimator, name)

    try:
        yield forget
    except BaseException:
        for name in _fitted_attributes(estimator):
            delattr(estimator, name)
        vars(estimator).update(before)
        raise


def _fitted_attributes(estimator):
    return {name: value for name, value in vars(estimator).items() if name.endswith("_") and not name.endswith("__")}


def _is_tied(scores):
    """Return whether the two highest scores of a row may be equal up to rounding."""
    second, first = np.partition(scores, -2, axis=1)[:, -2:].T
    return first - second <= TIE * np.finfo(scores.dtype).eps * np.abs(scores).max(axis=1)


def _products_row_by_row(X, coef):
    """Compute X Wᵀ as a stack of products of one row each, whose rounding does not depend on the other rows."""
    return (np.ascontiguousarray(X)[:, None] @ coef.T)[:, 0]
