"""The report of a solver after every pass over the data."""

from typing import NamedTuple

import numpy as np


class Progress(NamedTuple):
    """The coefficients that `fit` would return if it stopped now, and how good they are.

    Attributes
    ----------
    coef : ndarray of shape (n_features, n_scores)
        Wᵀ.
    intercept : ndarray of shape (n_scores,)
        The intercept b.
    objective : float
        P at these coefficients.
    dual_objective : float
        A lower bound of the optimum; nan where none is computed.
    work : float
        The cost of the pass, in passes over the data (two products with X each).
    """

    coef: np.ndarray
    intercept: np.ndarray
    objective: float
    dual_objective: float
    work: float


def relative_gap(objective, dual_objective):
    """Compute (P − D)/P; zero where P is zero, as with a single class that has a weight.

    Parameters
    ----------
    objective, dual_objective : float or ndarray
        The objective P and its lower bound D.

    Returns
    -------
    float or ndarray
        The relative gap; nan without a bound.
    """
    return (objective - dual_objective) / np.where(objective > 0, objective, 1)
