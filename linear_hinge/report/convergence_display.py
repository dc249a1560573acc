"""`ConvergenceDisplay`: a picture of the objective, its lower bound and the duality gap during a fit."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils._optional_dependencies import check_matplotlib_support
from sklearn.utils.validation import check_is_fitted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

X_LABELS = {"pass": "passes over the data", "seconds": "time (s)"}
Y_LABELS = {"objective": "objective", "gap": "relative duality gap"}

# A logarithmic axis has no place for a gap that rounding made zero or negative. A relative difference below the
# resolution of a float is no difference, and such gaps are drawn here, at the foot of the picture.
GAP_FLOOR = float(np.finfo(np.float64).eps)

# Estimators differ by their markers as well, so that they can be distinguished without colours.
MARKERS = "os^Dv"
MARKERS_ON_A_CURVE = 8


class ConvergenceDisplay:
    """Visualization of the convergence of a fit.

    It is recommended to use `from_estimator` to create a display. All parameters are stored as attributes.

    Parameters
    ----------
    history : dict of ndarray
        ``history_`` of a fitted estimator: arrays of one length under "pass", "seconds", "objective",
        "dual_objective" and "gap", the last two being nan where the learning rate gives no bound.
    estimator_name : str, default=None
        Name of the estimator in the legend. If None, the legend does not name it.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        The objective and, if there is one, the dual objective; or the gap.
    fill_between_ : matplotlib PolyCollection or None
        The region between objective and dual objective, where the optimum is.
    ax_ : matplotlib Axes
        The axes with the curves.
    figure_ : matplotlib Figure
        The figure with the axes.

    See Also
    --------
    MulticlassHingeClassifier : The estimator whose convergence is shown.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from linear_hinge import ConvergenceDisplay, MulticlassHingeClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> strong = MulticlassHingeClassifier(alpha=0.1, random_state=0).fit(X, y)
    >>> weak = MulticlassHingeClassifier(alpha=0.01, random_state=0).fit(X, y)
    >>> display = ConvergenceDisplay.from_estimator(strong, name="alpha=0.1")
    >>> display = ConvergenceDisplay.from_estimator(weak, name="alpha=0.01", ax=display.ax_)
    >>> display.ax_.get_xlabel(), display.ax_.get_ylabel()
    ('passes over the data', 'relative duality gap')
    """

    lines_: "list[Line2D]"
    fill_between_: "PolyCollection | None"
    ax_: "Axes"
    figure_: "Figure"

    def __init__(self, *, history: Mapping[str, ArrayLike], estimator_name: str | None = None) -> None:
        self.history = history
        self.estimator_name = estimator_name

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        *,
        kind: Literal["auto", "objective", "gap"] = "auto",
        x: Literal["pass", "seconds"] = "pass",
        name: str | None = None,
        ax: "Axes | None" = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the convergence of a fitted estimator.

        Parameters
        ----------
        estimator : estimator instance
            A fitted estimator with ``history_``, or a `Pipeline` that ends in one.
        kind : {"auto", "objective", "gap"}, default="auto"
            What to draw, see `plot`.
        x : {"pass", "seconds"}, default="pass"
            What to draw it against, see `plot`.
        name : str, default=None
            Name of the estimator in the legend. If None, the name of its class.
        ax : matplotlib Axes, default=None
            The axes to draw on. If None, a new figure is made.
        **kwargs : dict
            Arguments of matplotlib's `plot`, see `plot`.

        Returns
        -------
        display : ConvergenceDisplay
            The display, drawn.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        while isinstance(estimator, Pipeline):
            estimator = estimator[-1]
        check_is_fitted(estimator)
        if not hasattr(estimator, "history_"):
            raise ValueError(
                f"This {type(estimator).__name__} has no history_, the record that fit of linear_hinge's estimators"
                " leaves and partial_fit removes: call fit, and pass the estimator itself, not one that holds it."
            )
        name = type(estimator).__name__ if name is None else name
        display = cls(history=estimator.history_, estimator_name=name)
        return display.plot(ax, kind=kind, x=x, **kwargs)

    def plot(
        self,
        ax: "Axes | None" = None,
        *,
        kind: Literal["auto", "objective", "gap"] = "auto",
        x: Literal["pass", "seconds"] = "pass",
        name: str | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the curves.

        Curves have steps, because objective and bound are computed now and then only, and those of the gap and
        of the bound begin with the first proof.
        Calls with the same ``ax`` add estimators to a picture, every one with a colour and a marker of its own.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            The axes to draw on. If None, a new figure is made.
        kind : {"auto", "objective", "gap"}, default="auto"
            The curves to draw:

            - "auto": the gap, or the objective where the learning rate gives no bound.
            - "objective": the objective and, dashed, the dual objective. The region between them, where the
              optimum is, is shaded. Without a bound there is the objective alone.
            - "gap": the relative duality gap, on a logarithmic axis.
        x : {"pass", "seconds"}, default="pass"
            What to draw it against: passes over the data, or the time since the fit began.
        name : str, default=None
            Name of the estimator in the legend. If None, ``estimator_name``.
        **kwargs : dict
            Arguments of matplotlib's `plot`. The dual objective takes them over, but stays dashed.

        Returns
        -------
        display : ConvergenceDisplay
            This display.

        Raises
        ------
        ValueError
            If ``kind="gap"`` and the learning rate gave no bound.
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        import matplotlib.pyplot as plt

        _check_choice("kind", kind, ["auto", *Y_LABELS])
        _check_choice("x", x, X_LABELS)
        name = self.estimator_name if name is None else name
        bound = self._curve("dual_objective")
        if kind == "auto":
            kind = "objective" if bound.mask.all() else "gap"
        values = self._curve(kind)
        if kind == "gap" and values.mask.all():
            raise ValueError(
                f"There is no duality gap of {name or 'this fit'} to draw, because its learning rate gives no bound:"
                ' fit with learning_rate="auto", or draw kind="objective".'
            )
        # The figure is made only here, so that an error above leaves no empty figure behind.
        self.ax_ = plt.subplots()[1] if ax is None else ax
        self.figure_ = self.ax_.figure
        label = "objective" if name is None and kind == "objective" else name
        style = _style(self.ax_, len(values), {"label": label} | kwargs)
        self.lines_ = self.ax_.plot(self.history[x], values, **style)
        self.fill_between_ = None
        if kind == "objective" and not bound.mask.all():
            self._draw_bound(self.history[x], values, bound, style)
        if kind == "gap":
            self.ax_.set_yscale("log")
        self.ax_.set(xlabel=X_LABELS[x], ylabel=Y_LABELS[kind])
        if self.ax_.get_legend_handles_labels()[1]:
            self.ax_.legend(handlelength=3)  # room for the dashes on both sides of the marker
        return self

    def _curve(self, key):
        """Return the values of a curve, masked where they are not finite, and where nothing is proven yet."""
        values = np.asarray(self.history[key], dtype=np.float64)
        values = np.ma.array(values, mask=~np.isfinite(values))
        if key != "objective":
            values[: self._first_proof()] = np.ma.masked
        return np.ma.maximum(values, GAP_FLOOR) if key == "gap" else values

    def _first_proof(self):
        """Return the number of passes before the first bound above zero, which bounds any objective; 0 without one."""
        bound = np.asarray(self.history["dual_objective"])
        return int(np.argmax(np.isfinite(bound) & (bound > 0)))

    def _draw_bound(self, x, objective, bound, style):
        color = self.lines_[0].get_color()
        label = style["label"] and f"{style['label']} (dual)"
        style = style | {"color": color, "linestyle": "--", "label": label}
        self.lines_ += self.ax_.plot(x, bound, **style)
        self.fill_between_ = self.ax_.fill_between(
            x, bound, objective, step="post", color=color, alpha=0.15, linewidth=0
        )


def _style(ax, n_points, kwargs):
    """Return arguments for the solid line of one more estimator on the axes."""
    from matplotlib.cbook import normalize_kwargs
    from matplotlib.lines import Line2D

    n_estimators = sum(not line.is_dashed() for line in ax.lines)
    marked = np.unique(np.linspace(0, n_points - 1, MARKERS_ON_A_CURVE).round().astype(int))
    default = {"marker": MARKERS[n_estimators % len(MARKERS)], "markersize": 4, "markevery": marked.tolist()}
    default["drawstyle"] = "steps-post"
    return default | normalize_kwargs(kwargs, Line2D)


def _check_choice(parameter, value, allowed):
    if value not in list(allowed):
        raise ValueError(f"{parameter} must be one of {list(allowed)}, but is {value!r}.")
