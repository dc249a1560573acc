"""Types of what a user passes and gets; they say no more than the docstrings, in the words of type checkers."""

from collections.abc import Callable, Iterable
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

Scores: TypeAlias = NDArray[np.floating[Any]]
MatrixLike: TypeAlias = ArrayLike | sp.sparray | sp.spmatrix

LossName: TypeAlias = Literal["weston_watkins", "crammer_singer", "one_vs_rest"]
LearningRate: TypeAlias = Literal["auto", "optimal", "constant", "invscaling", "adaptive"]
Margin: TypeAlias = float | ArrayLike
BatchSize: TypeAlias = int | Literal["auto"]
# Any, because a dict of ints is not a dict of floats for a type checker.
ClassWeight: TypeAlias = dict[Any, Any] | Literal["balanced"] | None
RandomState: TypeAlias = int | np.random.RandomState | None
Scoring: TypeAlias = str | Callable[..., float] | None


class Splitter(Protocol):
    """A cross-validation generator, which need not be one of scikit-learn's."""

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterable[tuple[Any, Any]]:
        """Yield the indices for training and for testing of every fold."""
        ...

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds."""
        ...


Folds: TypeAlias = int | Splitter | Iterable[tuple[ArrayLike, ArrayLike]] | None

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def keeping_types(decorator: Any) -> Callable[[Decorated], Decorated]:
    """Return the decorator itself, with the types that scikit-learn does not state.

    For a type checker, what a decorator without types returns has no types either.
    """
    return decorator
