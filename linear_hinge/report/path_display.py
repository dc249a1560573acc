"""`PathDisplay`: scores or coefficients against alpha, as a picture."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils._optional_dependencies import check_matplotlib_support
from sklearn.utils.validation import check_is_fitted

from linear_hinge.estimator.path import HingePath

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

# Curves of coefficients differ by their line styles where the colours begin anew.
LINE_STYLES = ["-", "--", ":", "-."]
MOST_IN_LEGEND = 20


class PathDisplay:
    """Visualization of a path of alphas: scores in cross-validation, or coefficients.

    It is recommended to use `from_estimator` or `from_path` to create a display. All parameters are stored as
    attributes.

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,)
        The strengths of the regularisation.
    scores : ndarray of shape (n_folds, n_alphas), default=None
        The score of every fold.
    coefs : ndarray of shape (n_alphas, n_features), default=None
        The coefficients of one score. Either these or ``scores`` are given.
    alpha : float, default=None
        The alpha that is marked.
    score_name : str, default=None
        What the scores are, for the axis.
    feature_names : list of str, default=None
        The names in the legend of the coefficients. If None, they are "x0", "x1" and so on.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        The mean score, or one line for each feature.
    fill_between_ : matplotlib PolyCollection or None
        One standard deviation of the folds on both sides of the mean score.
    ax_ : matplotlib Axes
        The axes with the curves.
    figure_ : matplotlib Figure
        The figure with the axes.

    See Also
    --------
    MulticlassHingeClassifierCV : The cross-validation whose scores are shown.
    hinge_path : The path whose coefficients are shown.
    sklearn.model_selection.ValidationCurveDisplay : The same for any parameter of any estimator.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from linear_hinge import MulticlassHingeClassifierCV, PathDisplay, hinge_path
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MulticlassHingeClassifierCV(random_state=0).fit(X, y)
    >>> display = PathDisplay.from_estimator(model)
    >>> display.ax_.get_xlabel(), display.ax_.get_ylabel()
    ('alpha', 'accuracy')
    >>> path = hinge_path(X, y, random_state=0)
    >>> display = PathDisplay.from_path(path, score=2)
    >>> len(display.lines_)
    4
    """

    lines_: "list[Line2D]"
    fill_between_: "PolyCollection | None"
    ax_: "Axes"
    figure_: "Figure"

    def __init__(
        self,
        *,
        alphas: NDArray[Any],
        scores: NDArray[Any] | None = None,
        coefs: NDArray[Any] | None = None,
        alpha: float | None = None,
        score_name: str | None = None,
        feature_names: Sequence[str] | None = None,
    ) -> None:
        self.alphas = alphas
        self.scores = scores
        self.coefs = coefs
        self.alpha = alpha
        self.score_name = score_name
        self.feature_names = feature_names

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        *,
        score_name: str | None = None,
        name: str | None = None,
        ax: "Axes | None" = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the mean score against alpha, with the spread of the folds and a mark at the best.

        Parameters
        ----------
        estimator : MulticlassHingeClassifierCV
            A fitted one, or a `Pipeline` that ends in one.
        score_name : str, default=None
            The label of the axis. If None, the name of the estimator's scoring.
        name : str, default=None
            Name in the legend, see `plot`.
        ax : matplotlib Axes, default=None
            The axes to draw on. If None, a new figure is made.
        **kwargs : dict
            Arguments of matplotlib's `plot`.

        Returns
        -------
        display : PathDisplay
            The display, drawn.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        while isinstance(estimator, Pipeline):
            estimator = estimator[-1]
        check_is_fitted(estimator)
        if not hasattr(estimator, "scores_") or not hasattr(estimator, "alphas_"):
            raise ValueError(
                f"This {type(estimator).__name__} has no scores_ and alphas_, which MulticlassHingeClassifierCV finds;"
                " draw the coefficients of a path with PathDisplay.from_path."
            )
        if score_name is None:
            scoring = estimator.scoring or "accuracy"
            score_name = scoring.replace("_", " ") if isinstance(scoring, str) else "score"
        display = cls(alphas=estimator.alphas_, scores=estimator.scores_, alpha=estimator.alpha_, score_name=score_name)
        return display.plot(ax, name=name, **kwargs)

    @classmethod
    def from_path(
        cls,
        path: HingePath,
        *,
        score: int = 0,
        features: ArrayLike | None = None,
        feature_names: Iterable[str] | None = None,
        ax: "Axes | None" = None,
        **kwargs: Any,
    ) -> Self:
        """Draw coefficients of one score against alpha.

        Parameters
        ----------
        path : HingePath
            What `hinge_path` returned.
        score : int, default=0
            Which row of the coefficients: the number of the class, 0 with two classes.
        features : array-like of int, default=None
            Which features; if None, all.
        feature_names : array-like of str, default=None
            Names of all features.
        ax : matplotlib Axes, default=None
            The axes to draw on. If None, a new figure is made.
        **kwargs : dict
            Arguments of matplotlib's `plot`.

        Returns
        -------
        display : PathDisplay
            The display, drawn.
        """
        check_matplotlib_support(f"{cls.__name__}.from_path")
        n_scores, n_features = path.coefs.shape[1:]
        if not 0 <= score < n_scores:
            raise ValueError(
                f"score must be at least 0 and less than {n_scores}, the number of scores, but is {score}."
            )
        features = np.arange(n_features) if features is None else np.asarray(features)
        names = [f"x{j}" for j in range(n_features)] if feature_names is None else list(feature_names)
        if len(names) != n_features:
            raise ValueError(f"feature_names has {len(names)} names, but the path has {n_features} features.")
        display = cls(
            alphas=path.alphas, coefs=path.coefs[:, score][:, features], feature_names=[names[j] for j in features]
        )
        return display.plot(ax, **kwargs)

    def plot(self, ax: "Axes | None" = None, *, name: str | None = None, **kwargs: Any) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            The axes to draw on. If None, a new figure is made.
        name : str, default=None
            Name of the mean score in the legend; without one there is no legend of scores.
        **kwargs : dict
            Arguments of matplotlib's `plot`.

        Returns
        -------
        display : PathDisplay
            This display.
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        import matplotlib.pyplot as plt

        if (self.scores is None) == (self.coefs is None):
            raise ValueError("A PathDisplay needs either scores or coefs.")
        self.ax_ = plt.subplots()[1] if ax is None else ax
        self.figure_ = self.ax_.figure
        self.fill_between_ = None
        if self.scores is None:
            self._draw_coefs(kwargs)
        else:
            self._draw_scores({"label": name} | kwargs)
        self.ax_.set(xscale="log", xlabel="alpha")
        handles = self.ax_.get_legend_handles_labels()[1]
        if 0 < len(handles) <= MOST_IN_LEGEND:
            self.ax_.legend()
        return self

    def _draw_scores(self, kwargs):
        mean, spread = np.mean(self.scores, axis=0), np.std(self.scores, axis=0)
        self.lines_ = self.ax_.plot(self.alphas, mean, **{"marker": "o", "markersize": 4} | kwargs)
        color = self.lines_[0].get_color()
        self.fill_between_ = self.ax_.fill_between(
            self.alphas, mean - spread, mean + spread, color=color, alpha=0.15, linewidth=0
        )
        if self.alpha is not None:
            self.ax_.axvline(self.alpha, color=color, linestyle=":", linewidth=1)
        self.ax_.set(ylabel=self.score_name or "score")

    def _draw_coefs(self, kwargs):
        from matplotlib import rcParams

        n_colors = len(rcParams["axes.prop_cycle"])
        names = self.feature_names or [f"x{j}" for j in range(self.coefs.shape[1])]
        self.lines_ = []
        for j, (name, values) in enumerate(zip(names, np.transpose(self.coefs), strict=True)):
            style = {"linestyle": LINE_STYLES[j // n_colors % len(LINE_STYLES)], "label": name}
            self.lines_ += self.ax_.plot(self.alphas, values, **style | kwargs)
        self.ax_.axhline(0, color="0.7", linewidth=0.8, zorder=0)
        self.ax_.set(ylabel="coefficient")
