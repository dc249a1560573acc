"""An orthonormal basis of few rows, in which they have as many coordinates as there are rows."""

import numpy as np

ROUNDING = 64  # what rounding leaves of a row in the span of others, in units of the precision


def row_space(X):
    """Compute an orthonormal basis of few dense rows, by the Gram-Schmidt process with reorthogonalisation.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The rows.

    Returns
    -------
    coordinates : ndarray of shape (n_samples, rank)
        The coordinates of the rows.
    basis : ndarray of shape (n_features, rank)
        Orthonormal columns Q, with X = ``coordinates`` Qᵀ.

    References
    ----------
    Daniel, Gragg, Kaufman and Stewart, Reorthogonalization and stable algorithms for updating the Gram-Schmidt QR
    factorization, Mathematics of Computation 1976.
    """
    basis, coordinates = np.empty(X.shape), np.zeros((len(X), len(X)))
    rank = 0
    for row, along in zip(X.astype(np.float64, copy=False), coordinates, strict=True):
        rest, before, norm = row, np.inf, _norm(row)
        negligible = ROUNDING * np.finfo(float).eps * norm
        while negligible < norm < before / 2:  # a rest that is much shorter than before has lost digits
            part = np.einsum("kj,j->k", basis[:rank], rest)
            along[:rank] += part
            rest = rest - np.einsum("kj,k->j", basis[:rank], part)
            before, norm = norm, _norm(rest)
        if norm > negligible:
            basis[rank], along[rank] = rest / norm, norm
            rank += 1
    return np.ascontiguousarray(coordinates[:, :rank]), np.ascontiguousarray(basis[:rank].T)


def _norm(row):
    """Compute ‖x‖, with the same bits on any number of threads."""
    return np.sqrt(np.einsum("j,j->", row, row))
