"""`GapProgressBar`: where the bar stands."""

import re
import sys

import pytest
from cases import blobs

from linear_hinge import GapProgressBar, MulticlassHingeClassifier
from linear_hinge.estimator.callbacks import HAS_CALLBACKS
from linear_hinge.report.gap_progress_bar import progress

needs_callbacks = pytest.mark.skipif(not HAS_CALLBACKS, reason="scikit-learn has callbacks from 1.9 on")


@pytest.mark.parametrize(
    ("gap", "tol", "expected"),
    [(1, 1e-3, 0), (0.1, 1e-3, 1 / 3), (1e-3, 1e-3, 1), (1e-6, 1e-3, 1), (2, 1e-3, 0), (1e-8, 0, 0.511), (0.5, 2, 1)],
)
def test_the_bar_stands_at_the_logarithm_of_the_gap(gap, tol, expected):
    assert progress(gap, tol) == pytest.approx(expected, abs=1e-3)


@needs_callbacks
@pytest.mark.parametrize("learning_rate", ["auto", "optimal"])
def test_what_is_left_on_the_screen(capsys, learning_rate):
    pytest.importorskip("rich")
    model = MulticlassHingeClassifier(alpha=0.1, learning_rate=learning_rate, random_state=0)
    model.set_callbacks(GapProgressBar()).fit(*blobs())
    printed = capsys.readouterr().out
    assert "MulticlassHingeClassifier ━" in printed
    shown = re.findall(r"gap (\S+)", printed)
    assert shown == ([f"{model.duality_gap_:.1e}"] if learning_rate == "auto" else [])
    assert not hasattr(model._skl_callbacks[0], "_progress")


def test_rich_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "rich.progress", None)
    with pytest.raises(ImportError, match="GapProgressBar needs the package rich: pip install rich"):
        GapProgressBar()
