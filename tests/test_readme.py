"""The README keeps its word: its code runs, top to bottom, as one notebook would, and prints what it says."""

import re
from pathlib import Path

import numpy as np
import pytest

from linear_hinge import objective_and_subgradient

README = Path(__file__).parent.parent / "README.md"

pytestmark = pytest.mark.skipif(not README.exists(), reason="the tests run away from the repository")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)


def test_the_code_of_the_readme_prints_what_stands_below_it(capsys):
    names = {}
    exec("\n".join(blocks("python")), names)
    assert capsys.readouterr().out == "".join(blocks("text"))
    assert names["model"][-1].duality_gap_ <= 1e-3


def test_the_gradient_in_five_lines_is_that_of_the_package():
    names = {}
    exec("\n".join(blocks("python")), names)
    wanted = objective_and_subgradient(
        names["W"], names["b"], names["X"], names["y"], loss="weston_watkins", alpha=names["alpha"]
    )
    np.testing.assert_allclose(names["dW"], wanted[1], atol=1e-12)
    np.testing.assert_allclose(names["db"], wanted[2], atol=1e-12)
    code = blocks("python")[-1].split("\n\n")[2]
    assert len(code.strip().splitlines()) == 5


def test_the_readme_is_no_longer_than_two_screens():
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 110


def test_what_the_readme_links_to_exists():
    links = re.findall(r"\]\(([^)#]+)\)", README.read_text(encoding="utf-8"))
    paths = [link for link in links if "://" not in link]
    assert len(paths) > 8
    assert not [path for path in paths if not (README.parent / path).exists()]
