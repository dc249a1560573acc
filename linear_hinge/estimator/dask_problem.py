"""The problem of rows that lie on a cluster, from what the client knows of their parts."""

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from linear_hinge.estimator.cluster import Recipe
from linear_hinge.estimator.margins import split_margin
from linear_hinge.estimator.starting import overflow
from linear_hinge.estimator.targets import encode_for_fit
from linear_hinge.estimator.weighted_classes import WeightedClasses
from linear_hinge.losses import get_loss
from linear_hinge.problem.problem import Problem


class RowlessProblem(Problem):
    """The constants of a problem whose rows lie elsewhere, and the length of the longest of them."""

    @property
    def squared_norms(self):
        return np.array([self.longest])


class EncodedParts(NamedTuple):
    """The labels and weights of all parts.

    Attributes
    ----------
    classes : WeightedClasses
        The classes, and those that have a weight.
    codes : ndarray of shape (n_classes,)
        The codes of the labels.
    factors : ndarray of shape (n_classes,)
        The factors of the sample weights of each class.
    class_weights : ndarray of shape (n_weighted,)
        The total weights of the classes that have one, which sum to one.
    shares : ndarray of shape (n_parts,)
        The total weights of the parts, which sum to one.
    """

    classes: WeightedClasses
    codes: np.ndarray
    factors: np.ndarray
    class_weights: np.ndarray
    shares: np.ndarray


def encode_parts(summaries, class_weight):
    """Return the `EncodedParts` of some `Summary`; raise ValueError if no sample has a weight."""
    all_labels = np.unique(np.concatenate([part.labels for part in summaries]))
    sums = np.zeros(len(all_labels))
    for part in summaries:
        sums[np.searchsorted(all_labels, part.labels)] += part.weights
    if not sums.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    # A class is as good as one row with its whole weight.
    labels, weighted, codes, of_class, _ = encode_for_fit(all_labels, sums, class_weight)
    factors = of_class / np.where(sums > 0, sums, 1)
    shares = [float((part.weights * factors[np.searchsorted(labels, part.labels)]).sum()) for part in summaries]
    return EncodedParts(WeightedClasses(labels, weighted), codes, factors, of_class[weighted], np.array(shares))


def rowless_problem(summaries, parts, *, loss, alpha, margin, fit_intercept):
    """Make the `RowlessProblem` of all parts; raise ValueError if squared norms of rows overflow."""
    n_classes = len(parts.classes.weighted)
    margin, costs = split_margin(margin, parts.classes)
    loss = get_loss(loss, n_classes, costs)
    kind = sp.csr_array if summaries[0].is_sparse else np.zeros
    X = kind((0, summaries[0].n_features), dtype=np.result_type(*(part.dtype for part in summaries)))
    constants = loss, loss.n_scores(n_classes), float(alpha), margin, fit_intercept
    problem = RowlessProblem(X, np.zeros(0, np.int64), np.zeros(0), *constants, class_weights=parts.class_weights)
    longest = max(part.longest for part in summaries)
    if not np.isfinite(longest):
        raise overflow(1)
    vars(problem)["longest"] = longest
    return problem


def make_recipes(problem, parts, used, options):
    """Make the `Recipe` of every part that is used, with the same options of `Partition`."""
    constants = problem, parts.classes.labels, parts.codes, parts.factors
    return [Recipe(*constants, number, float(parts.shares[place]), options) for number, place in enumerate(used)]
