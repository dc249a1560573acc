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


def get_loss(name, n_classes):
    """The loss of that name; with two classes every one of them is the binary hinge."""
    return BinaryHinge() if n_classes == 2 else LOSSES[name]
