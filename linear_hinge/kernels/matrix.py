"""The view of X that the kernels take."""

from linear_hinge.kernels import door


class Matrix:
    """A view of X, which copies nothing.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        The data.
    occupied : ndarray of shape (n_samples, n_features / 128), dtype=uint32, optional
        For dense rows with many zeros, a bit for every four features, set if one of them is not zero.

    Attributes
    ----------
    rows : compiled.Rows or None
        X as compiled code reads it; None where it cannot.
    """

    def __init__(self, X, occupied=None):
        self.X, self.occupied = X, occupied
        self.rows = door.rows_of(X, occupied)
