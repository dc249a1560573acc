"""Classes with and without weight: a fit is concerned with the former, but its model has scores for the latter as well.

Among three or more classes, one without weight gets a row of zeros in ``coef_`` and a very low intercept. Where only
two classes have a weight, the problem is binary: the first of them scores 0 and the second s = w·x + b, so that the
sign of s decides, and ``objective_`` is that of these scores.
"""

import numpy as np
import scipy.sparse as sp


class WeightedClasses:
    """The translation between the scores of a problem and those of the model.

    Parameters
    ----------
    labels : ndarray of shape (n_classes,)
        All classes.
    weighted : ndarray of shape (n_weighted,), optional
        The numbers of those that have a weight; by default all.
    """

    def __init__(self, labels, weighted=None):
        self.labels = labels
        self.weighted = np.arange(len(labels)) if weighted is None else weighted

    @property
    def are_all(self):
        """Whether all classes have a weight."""
        return len(self.weighted) == len(self.labels)

    @property
    def n_scores(self):
        """The number of scores of the model."""
        return 1 if len(self.labels) == 2 else len(self.labels)

    @property
    def columns(self):
        """The places of the scores of the problem among those of the model."""
        if len(self.labels) == 2:
            return np.zeros(1, np.intp)
        return self.weighted[1:] if len(self.weighted) == 2 else self.weighted

    def lowest_score(self, problem, coef, intercept):
        """Return the intercept of classes without weight; None if there are none.

        It is −2 (Δ + s), where s is the largest score that any point as long as the longest row can have.
        """
        if self.are_all:
            return None
        with np.errstate(over="ignore"):
            longest = np.sqrt(float(problem.squared_norms.max()) * np.square(coef, dtype=np.float64).sum(axis=0).max())
            lowest = -2 * (problem.margin + longest + np.abs(problem.centred_intercept(coef, intercept)).max())
        return coef.dtype.type(max(lowest, np.finfo(coef.dtype).min / 4))

    def expand(self, coef, intercept, lowest):
        """Return Wᵀ and b of the model, given those of the problem and the lowest score."""
        if self.are_all:
            return coef, intercept
        full = np.zeros((len(coef), self.n_scores), coef.dtype)
        if len(self.labels) == 2:
            return full, np.where(self.weighted == 1, -lowest, lowest)
        full[:, self.columns] = coef
        full_intercept = np.full(self.n_scores, lowest, coef.dtype)
        full_intercept[self.weighted] = 0
        full_intercept[self.columns] = intercept
        return full, full_intercept

    def contract(self, coef, intercept):
        """Return Wᵀ and b of the problem, given those of the model."""
        if self.are_all:
            return coef, intercept
        first = self.weighted[0]
        if len(self.weighted) == 2:  # out of more classes
            return coef[:, self.columns] - coef[:, [first]], intercept[self.columns] - intercept[first]
        return coef[:, self.columns], intercept[self.columns]

    def expand_dual(self, dual):
        """Return a sparse G with the scores of the model, given one with the scores of the problem."""
        if self.are_all:
            return dual
        indices = self.columns[dual.indices].astype(dual.indices.dtype)
        return sp.csr_array((dual.data, indices, dual.indptr), shape=(dual.shape[0], self.n_scores))

    def contract_dual(self, dual):
        """Invert `expand_dual`."""
        return dual if self.are_all or dual.shape[1] != self.n_scores else dual[:, self.columns]


def with_usual_intercepts(intercept, lowest, margin):
    """Return b to start from: classes that had no weight are one margin below the others, not at the lowest score."""
    if lowest is None:
        return intercept
    without, against = intercept == lowest, intercept == -lowest
    usual = min(0, intercept[~without].min(initial=0)) - margin
    return np.where(without, usual, np.where(against, margin, intercept))
