"""The classes that scores predict."""


def predicted_codes(scores):
    """Find the class with the highest score of every row.

    Parameters
    ----------
    scores : ndarray of shape (n_samples, n_scores)
        The scores; the only one of two classes is that of the second.

    Returns
    -------
    ndarray of shape (n_samples,), dtype=int
        The codes of the classes; of equal scores the first.
    """
    return (scores[:, 0] > 0).astype(int) if scores.shape[1] == 1 else scores.argmax(axis=1)
