"""X as the kernels take it."""

from linear_hinge.kernels import door


class Matrix:
    """A view of X: nothing is copied.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
    occupied : ndarray of shape (n_samples, n_features / 128), dtype=uint32, optional
        Of dense rows with many zeros, a bit for each four features that are not all zero.

    Attributes
    ----------
    rows : compiled.Rows or None
        X as compiled code reads it, where it can.
    """

    def __init__(self, X, occupied=None):
        self.X, self.occupied = X, occupied
        self.rows = door.rows_of(X, occupied)
