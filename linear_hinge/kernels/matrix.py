"""The view of X that the kernels take."""

from linear_hinge.kernels import door


class Matrix:
    """A view of X, which copies nothing.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        The data.

    Attributes
    ----------
    rows : compiled.Rows or None
        X as compiled code reads it; None where it cannot.
    """

    def __init__(self, X):
        self.X, self.rows = X, door.rows_of(X)
