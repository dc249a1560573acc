"""The state that minibatch steps read and change, the same for compiled code and for NumPy."""

from dataclasses import dataclass

import numpy as np


@dataclass
class AscentState:
    """The state of a dual ascent over some rows: plain arrays and numbers, which can be pickled.

    Attributes
    ----------
    y : ndarray of shape (n_samples,), dtype=int64
        Codes of the classes.
    weights : ndarray of shape (n_samples,)
        The ω_i.
    norms : ndarray of shape (n_samples,)
        ‖x_i − μ‖² + σ².
    on_mean : ndarray of shape (n_samples,)
        ⟨x_i, μ⟩.
    dual : ndarray of shape (n_samples, n_scores)
        G.
    row_gaps : ndarray of shape (n_samples,)
        The gap of every row at its last visit.
    memory : ndarray of shape (n_features, width)
        Vᵀ in its first n_scores columns, filled up with zeros to whole vectors, as `padded` returns it.
    imbalance : ndarray of shape (n_scores,)
        v = Σ_i ω_i g_i.
    raw_on_mean : ndarray of shape (n_scores,)
        Vᵀ μ.
    centre : ndarray of shape (n_scores,)
        The centre c, which the intercept of the centred rows is pulled towards.
    alpha, margin : float
        The strength of the regularisation, and Δ.
    mean_norm : float
        ‖μ‖².
    sigma2 : float
        σ², the squared length of the feature whose coefficient is the intercept.
    fit_intercept : bool
        Whether there is an intercept.
    batch_size : int
        Rows of a step.
    beta : float or None
        The resemblance β of the rows of a batch; None before the first step.
    beta_memory : float
        The share of β that is kept where a batch has less resemblance.
    t : int
        Number of steps so far.
    """

    y: np.ndarray
    weights: np.ndarray
    norms: np.ndarray
    on_mean: np.ndarray
    dual: np.ndarray
    row_gaps: np.ndarray
    memory: np.ndarray
    imbalance: np.ndarray
    raw_on_mean: np.ndarray
    centre: np.ndarray
    alpha: float
    margin: float
    mean_norm: float
    sigma2: float
    fit_intercept: bool
    batch_size: int
    beta: float | None = None
    beta_memory: float = 1.0
    t: int = 0

    @property
    def raw(self):
        """The coefficients Vᵀ of the rows as they are, of shape (n_features, n_scores)."""
        return self.memory[:, : self.dual.shape[1]]

    def centred_intercept(self):
        """Compute the intercept b = c − (σ²/alpha) v of the centred rows, in float64."""
        return self.centre - (self.sigma2 / self.alpha) * self.imbalance

    def common_offset(self):
        """Compute the part of `offsets` that all rows have in common."""
        return self.centred_intercept() - self.raw_on_mean - self.mean_norm / self.alpha * self.imbalance

    def offsets(self, batch):
        """Compute the difference of the scores W (x_i − μ) + b and the raw scores V x_i.

        Parameters
        ----------
        batch : ndarray of shape (n_rows,)
            Row numbers.

        Returns
        -------
        ndarray of shape (n_rows, n_scores), dtype=float64
            The differences.
        """
        return self.common_offset() + np.multiply.outer(self.on_mean[batch], self.imbalance / self.alpha)

    def quadratic(self, squared, total, on_mean):
        """Compute (‖U‖² + σ² ‖s‖²) / alpha, the quadratic term of the dual along a step.

        Parameters
        ----------
        squared : float
            ‖U‖² of the rows as they are.
        total : ndarray of shape (n_scores,)
            The sum s.
        on_mean : ndarray of shape (n_scores,)
            U μ of the rows as they are.

        Returns
        -------
        float
            The quadratic term, not negative.
        """
        squared = squared - 2 * (total @ on_mean) + (self.mean_norm + self.sigma2) * (total @ total)
        return max(squared, 0.0) / self.alpha

    def follow(self, resemblance):
        """Let β follow the resemblance r of the rows of a batch: at once where r is greater, slowly where it is less.

        Parameters
        ----------
        resemblance : float
            The measured r.
        """
        if self.beta is None or resemblance > self.beta:
            self.beta = resemblance
        else:
            self.beta = self.beta_memory * self.beta + (1 - self.beta_memory) * resemblance
