"""The pictures of a path show its numbers."""

import numpy as np
import pytest
from cases import blobs
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from linear_hinge import MulticlassHingeClassifier, MulticlassHingeClassifierCV, PathDisplay, hinge_path

matplotlib = pytest.importorskip("matplotlib")
ALPHAS = [1.0, 0.1, 0.01]


@pytest.fixture(autouse=True)
def closed_figures():
    matplotlib.use("Agg")
    from matplotlib import pyplot

    yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def searched():
    return MulticlassHingeClassifierCV(alphas=ALPHAS, cv=3, random_state=0).fit(*blobs())


def test_scores_with_their_spread_and_the_best(searched):
    display = PathDisplay.from_estimator(searched)
    (line,) = display.lines_
    assert_array_equal(line.get_xdata(), ALPHAS)
    assert_allclose(line.get_ydata(), searched.scores_.mean(axis=0))
    heights = display.fill_between_.get_paths()[0].vertices[:, 1]
    top, bottom = ((searched.scores_.mean(axis=0) + s * searched.scores_.std(axis=0)) for s in (1, -1))
    assert heights.max() == pytest.approx(top.max())
    assert heights.min() == pytest.approx(bottom.min())
    assert display.ax_.lines[-1].get_xdata()[0] == searched.alpha_
    assert (display.ax_.get_xscale(), display.ax_.get_ylabel()) == ("log", "accuracy")
    assert display.ax_.get_legend() is None


def test_several_searches_on_the_same_axes(searched):
    first = PathDisplay.from_estimator(searched, name="first")
    pipeline = make_pipeline(StandardScaler(), searched).fit(*blobs())
    second = PathDisplay.from_estimator(pipeline, name="second", ax=first.ax_, color="k")
    assert second.figure_ is first.figure_
    assert [text.get_text() for text in first.ax_.get_legend().get_texts()] == ["first", "second"]
    assert second.lines_[0].get_color() == "k"


@pytest.mark.parametrize(("scoring", "label"), [("balanced_accuracy", "balanced accuracy"), (lambda *_: 1.0, "score")])
def test_the_axis_names_the_score(scoring, label):
    model = MulticlassHingeClassifierCV(alphas=[1.0], cv=2, scoring=scoring).fit(*blobs())
    assert PathDisplay.from_estimator(model).ax_.get_ylabel() == label
    assert PathDisplay.from_estimator(model, score_name="costs").ax_.get_ylabel() == "costs"


def test_coefficients_of_a_score():
    path = hinge_path(*blobs(), ALPHAS, random_state=0)
    display = PathDisplay.from_path(path, score=2, features=[3, 0], feature_names=list("abcde"))
    for line, feature in zip(display.lines_, (3, 0), strict=True):
        assert_array_equal(line.get_ydata(), path.coefs[:, 2, feature])
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == ["d", "a"]
    assert display.ax_.get_ylabel() == "coefficient"
    assert len(PathDisplay.from_path(path).lines_) == 5


def test_many_features_have_no_legend():
    rng = np.random.RandomState(0)
    path = hinge_path(rng.normal(size=(40, 30)), np.arange(40) % 2, [1.0, 0.1])
    display = PathDisplay.from_path(path)
    assert display.ax_.get_legend() is None
    assert len({(line.get_color(), line.get_linestyle()) for line in display.lines_}) == 30


def test_wrong_input(searched):
    with pytest.raises(NotFittedError):
        PathDisplay.from_estimator(MulticlassHingeClassifierCV())
    with pytest.raises(ValueError, match="This MulticlassHingeClassifier has no scores_ and alphas_"):
        PathDisplay.from_estimator(MulticlassHingeClassifier().fit(*blobs()))
    path = hinge_path(*blobs(), ALPHAS)
    with pytest.raises(ValueError, match="score must be at least 0 and less than 3, the number of scores, but is 3"):
        PathDisplay.from_path(path, score=3)
    with pytest.raises(ValueError, match="feature_names has 1 names, but the path has 5 features"):
        PathDisplay.from_path(path, feature_names=["a"])
    with pytest.raises(ValueError, match="either scores or coefs"):
        PathDisplay(alphas=np.array(ALPHAS)).plot()
