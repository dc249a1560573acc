"""An orthonormal basis of few rows, in which they have as many coordinates as there are rows."""

import numpy as np

ROUNDING = 64  # of a row that lies in the span of others, in units of the precision


def row_space(X):
    """The space of few dense rows, by Gram and Schmidt.

    Returns
    -------
    coordinates : ndarray of shape (n_samples, rank)
    basis : ndarray of shape (n_features, rank)
        Orthonormal columns Q, with X = ``coordinates`` Qᵀ.
    """
    basis, coordinates = np.empty(X.shape), np.zeros((len(X), len(X)))
    rank = 0
    for row, along in zip(X.astype(np.float64, copy=False), coordinates, strict=True):
        rest, before, norm = row, np.inf, _norm(row)
        negligible = ROUNDING * np.finfo(float).eps * norm
        while negligible < norm < before / 2:  # what is much shorter than before has lost digits: once more
            part = np.einsum("kj,j->k", basis[:rank], rest)
            along[:rank] += part
            rest = rest - np.einsum("kj,k->j", basis[:rank], part)
            before, norm = norm, _norm(rest)
        if norm > negligible:
            basis[rank], along[rank] = rest / norm, norm
            rank += 1
    return np.ascontiguousarray(coordinates[:, :rank]), np.ascontiguousarray(basis[:rank].T)


def _norm(row):
    """‖x‖, the same on any number of threads."""
    return np.sqrt(np.einsum("j,j->", row, row))
