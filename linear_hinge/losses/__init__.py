"""The hinge losses, one class each, and their names."""

from linear_hinge.losses.base import HingeLoss
from linear_hinge.losses.pairwise import CrammerSinger, WestonWatkins
from linear_hinge.losses.signed import BinaryHinge, OneVsRest

__all__ = ["LOSSES", "BinaryHinge", "CrammerSinger", "HingeLoss", "OneVsRest", "WestonWatkins", "get_loss"]

LOSSES = {
    "crammer_singer": CrammerSinger(),
    "weston_watkins": WestonWatkins(),
    "one_vs_rest": OneVsRest(),
}


def get_loss(name, n_classes, costs=None):
    """Return the loss of a name; with two classes each of them is the binary hinge.

    Parameters
    ----------
    name : str
        A key of `LOSSES`. It is ignored with two classes.
    n_classes : int
        Number of classes, at least 2.
    costs : ndarray of shape (n_classes, n_classes), optional
        The costs κ, where not all are one.

    Returns
    -------
    HingeLoss
        The loss with these costs.

    Raises
    ------
    KeyError
        If there is no loss of that name for more than two classes.
    ValueError
        If there are costs, and the loss compares no pairs of classes.
    """
    kind = BinaryHinge if n_classes == 2 else type(LOSSES[name])
    return kind(costs)
