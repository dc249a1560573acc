"""The problem that is solved.

    P(W, b) = alpha/2 ‖W‖² + Σ_i ω_i ℓ(W x_i + b, y_i)

with ω_i the weights of the samples, summing to one, and the intercept b not regularised.
"""

from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from linear_hinge.kernels.matrix import Matrix
from linear_hinge.kernels.products import product, squared_norms, weighted_sum
from linear_hinge.linalg.accurate import accurate_product
from linear_hinge.linalg.batches import bytes_of_row, normalised, rows_of_block, some_rows
from linear_hinge.linalg.sums import weighted_mean
from linear_hinge.losses import HingeLoss
from linear_hinge.problem.variance import largest_variance

# Of at least twice as many rows, this number, evenly spaced, stands for all in the largest variance: fewer where a copy
# of them would have more than `BYTES_OF_VARIANCE`.
ROWS_OF_VARIANCE, BYTES_OF_VARIANCE = 4096, 2**24


@dataclass(frozen=True)
class Problem:
    """The data and the constants of P.

    The parameters are the attributes, in this order.

    Attributes
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        The rows x_i.
    y : ndarray of shape (n_samples,)
        Integer codes of the classes.
    weights : ndarray of shape (n_samples,), dtype=float64
        The ω_i ≥ 0, which sum to one. Rows of weight zero count as absent.
    loss : HingeLoss
        The loss ℓ.
    n_scores : int
        Number of scores of a row.
    alpha : float
        The strength of the regularisation, positive.
    margin : float
        Δ, positive. Where the loss has costs κ, the distance between two classes is Δ κ(y, j).
    fit_intercept : bool
        Whether there is an intercept; b is zero otherwise.
    shift : ndarray of shape (n_features,), optional
        What was subtracted from the given rows, because they are far from zero: X is what is left of them. Solvers
        know of X only; objectives are those of coefficients and intercepts for the given rows.
    given_X : ndarray or CSR of shape (n_samples, n_features), optional
        The given rows; X by default.
    class_weights : ndarray of shape (n_classes,), optional
        The total weight of every class, for a problem whose rows lie elsewhere.
    """

    X: np.ndarray | sp.csr_array | sp.csr_matrix
    y: np.ndarray
    weights: np.ndarray
    loss: HingeLoss
    n_scores: int
    alpha: float
    margin: float
    fit_intercept: bool
    shift: np.ndarray | None = None
    given_X: np.ndarray | sp.csr_array | sp.csr_matrix | None = None
    class_weights: np.ndarray | None = None

    @property
    def dtype(self):
        """The dtype of the given rows, and so of the coefficients."""
        return self.given.dtype

    @property
    def given(self):
        """The given rows, before any shift."""
        return self.X if self.given_X is None else self.given_X

    def centred_intercept(self, coef, intercept):
        """Convert the intercept of the given rows into that of the shifted rows, b + W c for a shift c.

        Parameters
        ----------
        coef : ndarray of shape (n_features, n_scores)
            Wᵀ.
        intercept : ndarray of shape (n_scores,)
            The intercept of the given rows.

        Returns
        -------
        ndarray of shape (n_scores,)
            The intercept of the shifted rows; the same array if the rows are not shifted.
        """
        if self.shift is None:
            return intercept
        total, rest = accurate_product(self.shift[None, :], coef, intercept)
        return (total + rest)[0]

    def given_intercept(self, coef, intercept):
        """Convert the intercept of the shifted rows into that of the given rows, the inverse of `centred_intercept`.

        Parameters
        ----------
        coef : ndarray of shape (n_features, n_scores)
            Wᵀ.
        intercept : ndarray of shape (n_scores,)
            The intercept of the shifted rows.

        Returns
        -------
        ndarray of shape (n_scores,)
            The intercept of the given rows.
        """
        return intercept if self.shift is None else self.centred_intercept(-coef, intercept)

    @property
    def objective_of_zero(self):
        """P(0, 0), which does not depend on X: equal scores have the same loss in every row, or those of a class."""
        costs = self.loss.costs
        some = np.zeros(1, np.int64) if costs is None else np.arange(len(costs))
        losses = self.loss.values(np.zeros((len(some), self.n_scores)), some, self.margin)
        if costs is None:
            return float(losses[0])
        if self.class_weights is not None:
            return weighted_mean(self.class_weights, losses)
        return weighted_mean(self.weights, losses[self.y])

    @cached_property
    def rows(self):
        """The numbers of the rows with a positive weight."""
        return np.flatnonzero(self.weights)

    @cached_property
    def squared_norms(self):
        """The squared norms ‖x_i‖² of all rows, inf where they overflow."""
        return squared_norms(self.X)

    @cached_property
    def matrix(self):
        """The view of X that the kernels take."""
        return Matrix(self.X)

    @cached_property
    def mean(self):
        """The mean μ = Σ_i ω_i x_i in float64, of shape (n_features,)."""
        return weighted_sum(self.X, self.weights)

    @cached_property
    def variance(self):
        """The largest variance of the rows in any direction; of some of them where they are many."""
        mean, n_of_block = self.mean.astype(self.X.dtype), rows_of_block(self.X)
        step = len(self.rows) // ROWS_OF_VARIANCE
        if n_of_block is None and step <= 1:
            return largest_variance(self.X, self.weights, mean)
        # Ten power iterations over all rows would take as long as ten passes.
        if n_of_block is None:
            rows = self.rows[:: max(step, int(bytes_of_row(self.X) * len(self.rows) / BYTES_OF_VARIANCE))]
        else:
            rows = some_rows(self.X, n_of_block)
        return largest_variance(self.X[rows], normalised(self.weights[rows]), mean)

    @cached_property
    def on_mean(self):
        """⟨x_i, μ⟩ of all rows, in float64."""
        return product(self.X, self.mean.astype(self.X.dtype)[:, None])[:, 0].astype(np.float64)

    def with_alpha(self, alpha):
        """Return the same problem with another alpha; what is known of X, y and the weights stays known.

        Parameters
        ----------
        alpha : float
            The strength of the regularisation, positive.

        Returns
        -------
        Problem
            The problem with this alpha.
        """
        other = replace(self, alpha=alpha)
        given = {field.name for field in fields(self)}
        vars(other).update({name: value for name, value in vars(self).items() if name not in given})
        return other
