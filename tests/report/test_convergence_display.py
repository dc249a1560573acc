"""`ConvergenceDisplay`: the curves that it draws, the pictures with several estimators, and what it refuses."""

import sys

import numpy as np
import pytest
from cases import blobs
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from linear_hinge import MulticlassHingeClassifier
from linear_hinge.report.convergence_display import GAP_FLOOR, MARKERS, MARKERS_ON_A_CURVE, ConvergenceDisplay

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")

X_LABELS = {"pass": "passes over the data", "seconds": "time (s)"}
Y_LABELS = {"objective": "objective", "gap": "relative duality gap"}

every_x = pytest.mark.parametrize("x", X_LABELS)
every_kind = pytest.mark.parametrize("kind", Y_LABELS)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def make_history(n_passes=12, bound=True, gap=None):
    """A history as `fit` leaves it, of a fit whose gap closes at a constant rate."""
    passes = 1.5 * np.arange(1, n_passes + 1)
    error = np.exp(-passes / 3)
    objective = 0.3 * (1 + error)
    dual_objective = 0.3 * (1 - error) if bound else np.full(n_passes, np.nan)
    return {
        "pass": passes,
        "seconds": passes / 100,
        "objective": objective,
        "dual_objective": dual_objective,
        "gap": (objective - dual_objective) / objective if gap is None else np.array(gap),
    }


class Fitted(BaseEstimator):
    """An estimator that was fitted with a given history."""

    def __init__(self, history=None):
        self.history = history
        self.fit()

    def fit(self):
        self.history_ = self.history
        return self


def draw(history=None, *, name="ours", ax=None, **options):
    """A display on its figure, which is rendered: much that is wrong with a picture only shows then."""
    history = make_history() if history is None else history
    display = ConvergenceDisplay(history=history, estimator_name=name).plot(ax, **options)
    display.figure_.canvas.draw()
    return display


def legend(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def data(line):
    return [np.asarray(values) for values in line.get_data()]


# The curves


@every_x
def test_objective_and_its_bound(x):
    history = make_history()
    display = draw(history, x=x, kind="objective")
    for line, key in zip(display.lines_, ["objective", "dual_objective"], strict=True):
        np.testing.assert_array_equal(data(line), [history[x], history[key]])
    assert display.ax_.get_yscale() == "linear"
    assert legend(display) == ["ours", "ours (dual)"]


def test_the_region_of_the_optimum_is_shaded():
    history = make_history()
    display = draw(history, kind="objective")
    corners = display.fill_between_.get_paths()[0].vertices
    for key in ("objective", "dual_objective"):  # in steps, the last of which has no length
        assert set(zip(history["pass"][:-1], history[key][:-1], strict=True)) <= set(map(tuple, corners))
    color = matplotlib.colors.to_rgb(display.lines_[0].get_color())
    np.testing.assert_array_equal(display.fill_between_.get_facecolor()[0, :3], color)


@every_x
def test_gap(x):
    history = make_history()
    display = draw(history, kind="gap", x=x)
    (line,) = display.lines_
    np.testing.assert_array_equal(data(line), [history[x], history["gap"]])
    assert display.fill_between_ is None
    assert display.ax_.get_yscale() == "log"
    assert legend(display) == ["ours"]


@every_kind
@every_x
def test_axes_say_what_they_show(kind, x):
    display = draw(kind=kind, x=x)
    assert display.ax_.get_xlabel() == X_LABELS[x]
    assert display.ax_.get_ylabel() == Y_LABELS[kind]
    assert display.ax_.get_title() == ""


def test_without_a_bound_there_is_the_objective_alone():
    display = draw(make_history(bound=False))
    assert len(display.lines_) == 1
    assert display.fill_between_ is None
    assert legend(display) == ["ours"]


@every_x
def test_gap_and_bound_begin_with_the_first_proof(x):
    history = make_history()
    history["dual_objective"][:3], history["gap"][:3] = 0, 1
    (gap,) = draw(history, kind="gap", x=x).lines_
    objective, bound = draw(history, kind="objective", x=x).lines_
    for line, n_hidden in [(gap, 3), (bound, 3), (objective, 0)]:
        assert np.ma.getmaskarray(line.get_ydata(orig=True)).tolist() == [True] * n_hidden + [False] * (12 - n_hidden)
    history["dual_objective"][:], history["gap"][:] = 0, 1
    assert not np.ma.is_masked(draw(history, kind="gap", x=x).lines_[0].get_ydata(orig=True))


@every_kind
def test_curves_have_steps(kind):
    assert {line.get_drawstyle() for line in draw(kind=kind).lines_} == {"steps-post"}


def test_by_default_the_gap_where_there_is_one():
    assert draw().ax_.get_ylabel() == Y_LABELS["gap"]
    assert draw(make_history(bound=False)).ax_.get_ylabel() == Y_LABELS["objective"]


@pytest.mark.parametrize("rounded", [0.0, -1e-17, 1e-300])
def test_gaps_that_rounding_closed_stay_in_the_picture(rounded):
    display = draw(make_history(3, gap=[0.5, 1e-3, rounded]), kind="gap")
    np.testing.assert_array_equal(display.lines_[0].get_ydata(), [0.5, 1e-3, GAP_FLOOR])
    assert display.ax_.get_ylim()[0] < GAP_FLOOR


@every_kind
def test_one_pass_can_be_seen(kind):
    display = draw(make_history(1), kind=kind)
    assert all(line.get_marker() in MARKERS and line.get_markevery() == [0] for line in display.lines_)


@every_kind
def test_the_history_stays_as_it_was(kind):
    history, before = make_history(3, gap=[0.5, 0.1, 0.0]), make_history(3, gap=[0.5, 0.1, 0.0])
    draw(history, kind=kind)
    for key, values in before.items():
        np.testing.assert_array_equal(history[key], values)


# Several estimators


@every_kind
def test_estimators_differ_with_and_without_colours(kind):
    ax = plt.figure().add_subplot()
    displays = [draw(ax=ax, kind=kind, name=str(n)) for n in range(len(MARKERS))]
    assert len({display.lines_[0].get_color() for display in displays}) == len(displays)
    assert {display.lines_[0].get_marker() for display in displays} == set(MARKERS)
    assert all(display.ax_ is ax and display.figure_ is ax.figure for display in displays)
    assert plt.get_fignums() == [ax.figure.number]


def test_a_bound_is_dashed_and_looks_like_its_objective_otherwise():
    for line, bound in [draw(kind="objective").lines_, draw(kind="objective", linestyle=":", c="k", lw=3).lines_]:
        assert bound.get_linestyle() == "--" != line.get_linestyle()
        for what in ("color", "marker", "linewidth"):
            assert plt.getp(bound, what) == plt.getp(line, what)


def test_legend_of_two_estimators():
    display = draw(name="auto", kind="objective")
    assert legend(draw(make_history(bound=False), name="optimal", ax=display.ax_)) == ["auto", "auto (dual)", "optimal"]


def test_long_histories_are_not_hidden_under_markers():
    (line,) = draw(make_history(500), kind="gap").lines_
    assert len(line.get_markevery()) == MARKERS_ON_A_CURVE
    assert line.get_markevery()[-1] == 499


# Names and arguments


def test_names():
    display = ConvergenceDisplay(history=make_history(), estimator_name="ours")
    assert legend(display.plot(kind="objective")) == ["ours", "ours (dual)"]
    assert legend(display.plot(kind="objective", name="theirs")) == ["theirs", "theirs (dual)"]
    assert legend(display.plot(kind="objective", label="label")) == ["label", "label (dual)"]
    assert legend(draw(name=None, kind="objective")) == ["objective", "objective (dual)"]
    assert draw(name=None, kind="gap").ax_.get_legend() is None
    assert draw(label=None).ax_.get_legend() is None


def test_arguments_of_the_curves():
    (line,) = draw(kind="gap", color="red", linewidth=5, marker="x", ms=9).lines_
    assert (line.get_color(), line.get_linewidth(), line.get_marker(), line.get_markersize()) == ("red", 5, "x", 9)


def test_plot_returns_the_display():
    display = ConvergenceDisplay(history=make_history())
    assert display.plot() is display
    assert display.figure_ is display.ax_.figure


# Estimators


@every_kind
@every_x
def test_from_a_fitted_classifier(kind, x):
    model = MulticlassHingeClassifier(alpha=0.1, random_state=0).fit(*blobs())
    display = ConvergenceDisplay.from_estimator(model, kind=kind, x=x)
    display.figure_.canvas.draw()
    np.testing.assert_array_equal(display.lines_[0].get_xdata(), model.history_[x])
    assert len(display.lines_) == {"objective": 2, "gap": 1}[kind]
    assert legend(display)[0] == "MulticlassHingeClassifier"


def test_from_estimator_hands_everything_on():
    ax = plt.figure().add_subplot()
    display = ConvergenceDisplay.from_estimator(Fitted(make_history()), ax=ax, kind="gap", name="ours", color="red")
    assert display.ax_ is ax
    assert display.estimator_name == "ours"
    assert display.lines_[0].get_color() == "red"


def test_a_pipeline_shows_its_last_step():
    history = make_history()
    display = ConvergenceDisplay.from_estimator(make_pipeline(StandardScaler(), make_pipeline(Fitted(history))))
    assert display.history is history
    assert display.estimator_name == "Fitted"


# What it refuses


@pytest.mark.parametrize("estimator", [MulticlassHingeClassifier(), make_pipeline(MulticlassHingeClassifier())])
def test_an_estimator_that_is_not_fitted(estimator):
    with pytest.raises(NotFittedError, match="This MulticlassHingeClassifier instance is not fitted yet"):
        ConvergenceDisplay.from_estimator(estimator)


def test_an_estimator_whose_history_a_chunk_has_ended():
    X, y = blobs()
    model = MulticlassHingeClassifier(alpha=0.1, random_state=0).fit(X, y).partial_fit(X, y)
    with pytest.raises(ValueError, match=r"This MulticlassHingeClassifier has no history_, .*partial_fit.*call fit"):
        ConvergenceDisplay.from_estimator(model)


@pytest.mark.parametrize("around", [lambda model: model, make_pipeline])
def test_another_estimator(around):
    with pytest.raises(ValueError, match=r"This SGDClassifier has no history_, .* of linear_hinge's estimators"):
        ConvergenceDisplay.from_estimator(around(SGDClassifier()).fit(*blobs()))


def test_a_search_around_the_estimator():
    search = GridSearchCV(MulticlassHingeClassifier(random_state=0), {"alpha": [0.1, 1.0]}).fit(*blobs())
    with pytest.raises(ValueError, match=r"This GridSearchCV has no history_, .*the estimator itself"):
        ConvergenceDisplay.from_estimator(search)
    ConvergenceDisplay.from_estimator(search.best_estimator_)


@pytest.mark.parametrize(("name", "named"), [(None, "Fitted"), ("ours", "ours")])
def test_no_gap_without_a_bound(name, named):
    estimator = Fitted(make_history(bound=False))
    with pytest.raises(ValueError, match=f'no duality gap of {named} to draw.*fit with learning_rate="auto"'):
        ConvergenceDisplay.from_estimator(estimator, kind="gap", name=name)
    assert plt.get_fignums() == []  # no empty figure


@pytest.mark.parametrize("value", ["time", None, 1, ["gap"]])
@pytest.mark.parametrize(("parameter", "allowed"), [("kind", "'auto', 'objective', 'gap'"), ("x", "'pass', 'seconds'")])
def test_choices(parameter, allowed, value):
    with pytest.raises(ValueError) as error:
        draw(**{parameter: value})
    assert str(error.value) == f"{parameter} must be one of [{allowed}], but is {value!r}."
    assert plt.get_fignums() == []


def test_matplotlib_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"ConvergenceDisplay\.from_estimator requires matplotlib"):
        ConvergenceDisplay.from_estimator(Fitted(make_history()))
    with pytest.raises(ImportError, match=r"ConvergenceDisplay\.plot requires matplotlib"):
        ConvergenceDisplay(history=make_history()).plot()
