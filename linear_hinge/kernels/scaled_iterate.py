"""Coefficients that shrink and average without cost: the iterate of the methods for streams."""

import numpy as np

from linear_hinge.kernels.direction import add_product
from linear_hinge.kernels.products import product
from linear_hinge.linalg.batches import cached_chunks

# The coefficients are kept as scale · unscaled. The scale returns to one when it has moved that far: the average is a
# difference of numbers that much larger than itself, and float32 has seven digits.
LARGEST_SCALE = 1e3


class Iterate:
    """W_t, b_t and their averages.

    Shrinking W in every step would touch all n_features · n_scores entries. W is therefore kept as a product,
    W_t = scale · unscaled, and the average of the iterates as

        Σ_{s≤t} p_s W_s = scale_sum · unscaled − lag,
        lag = Σ_{r≤t} (scale_sum before step r) · (change of unscaled in step r),

    where the iterate s counts p_s = 1, 2, 3, … times, so that a step changes only the features that occur in its batch.

    Parameters
    ----------
    coef : ndarray of shape (n_features, n_scores)
        W_0ᵀ, which is taken over and changed in place.
    intercept : ndarray of shape (n_scores,)
        The intercept b_0, which is taken over and changed in place.

    References
    ----------
    Xu, Towards optimal one pass large scale learning with averaged stochastic gradient descent, 2011, section 5.
    Lacoste-Julien, Schmidt and Bach, A simpler approach to obtaining an O(1/t) convergence rate for the
    projected stochastic subgradient method, 2012: averages with p_s proportional to s.
    """

    def __init__(self, coef, intercept):
        self.unscaled = coef
        self.scale = 1.0
        self.intercept = intercept
        self.lag = None
        self.scale_sum = 0.0
        self.n_averaged = 0
        self.average_intercept = np.zeros_like(intercept)

    def go_on_from(self, coef, intercept):
        """Let these be W_t and b_t and their averages; the number of iterates in the averages stays the same.

        Parameters
        ----------
        coef : ndarray of shape (n_features, n_scores)
            W_tᵀ, which is taken over.
        intercept : ndarray of shape (n_scores,)
            The intercept b_t, which is taken over.
        """
        self.unscaled, self.scale, self.intercept = coef, 1.0, intercept
        self.average_intercept, self.scale_sum = intercept.copy(), 0.0
        if self.lag is not None:
            self.lag = self.dtype.type(-self._total()) * coef

    @property
    def dtype(self):
        """The dtype of the coefficients."""
        return self.unscaled.dtype

    def scores(self, X_batch):
        """Compute the scores of some rows.

        Parameters
        ----------
        X_batch : ndarray or CSR of shape (n_rows, n_features)
            The rows x_i.

        Returns
        -------
        ndarray of shape (n_rows, n_scores)
            The scores W x_i + b.
        """
        return self.dtype.type(self.scale) * product(X_batch, self.unscaled) + self.intercept

    def shrink(self, factor):
        """Shrink W.

        Parameters
        ----------
        factor : float
            What W is multiplied by.
        """
        self.scale *= factor
        if not 1 / LARGEST_SCALE < abs(self.scale) < LARGEST_SCALE:
            self._renew()

    def move(self, X_batch, dual, length):
        """Add length · Σ_i g_i x_iᵀ, over the rows of a batch, to W.

        Parameters
        ----------
        X_batch : ndarray or CSR of shape (n_rows, n_features)
            The rows x_i.
        dual : ndarray of shape (n_rows, n_scores)
            The g_i.
        length : float
            The multiple.
        """
        add_product(self.unscaled, X_batch, dual, length / self.scale)
        if self.lag is not None:
            add_product(self.lag, X_batch, dual, length / self.scale * self.scale_sum)

    def begin_average(self):
        """Let later iterates take part in the average, if none does yet."""
        if self.lag is None:
            self.lag = np.zeros_like(self.unscaled)

    def add_to_average(self):
        """Let the current iterate take part; it counts p = 1, 2, 3, … times."""
        self.begin_average()
        self.n_averaged += 1
        self.scale_sum += self.n_averaged * self.scale
        share = self.dtype.type(2 / (self.n_averaged + 1))  # p_t / Σ_{s≤t} p_s
        self.average_intercept += share * (self.intercept - self.average_intercept)

    def coefficients(self):
        """Return Wᵀ, of shape (n_features, n_scores), and b: the averages if there are any, else the last iterate."""
        return self._coef(slice(None)), self._model_intercept.copy()

    def has(self, coef, intercept):
        """Return whether these are its coefficients, whatever their dtype, without another array of their size.

        Parameters
        ----------
        coef : ndarray of shape (n_features, n_scores)
            The transposed coefficients.
        intercept : ndarray of shape (n_scores,)
            The intercept.

        Returns
        -------
        bool
            Whether they equal what `coefficients` returns.
        """
        return np.array_equal(intercept, self._model_intercept) and all(
            np.array_equal(coef[features], self._coef(features)) for features in cached_chunks(*self.unscaled.shape)
        )

    @property
    def _model_intercept(self):
        return self.intercept if self.n_averaged == 0 else self.average_intercept

    def _coef(self, features):
        """Return the rows of Wᵀ of some features."""
        if self.n_averaged == 0:
            return self.dtype.type(self.scale) * self.unscaled[features]
        total = self._total()
        part = self.dtype.type(self.scale_sum / total) * self.unscaled[features]
        part -= self.dtype.type(1 / total) * self.lag[features]
        return part

    def _total(self):
        """Return Σ_{s≤t} p_s."""
        return self.n_averaged * (self.n_averaged + 1) / 2

    def _renew(self):
        """Start again from scale = 1 and scale_sum = 0, with the same W and the same average."""
        if self.lag is not None:
            self.lag -= self.dtype.type(self.scale_sum) * self.unscaled
        self.unscaled *= self.dtype.type(self.scale)
        self.scale = 1.0
        self.scale_sum = 0.0
