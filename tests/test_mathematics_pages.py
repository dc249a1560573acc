"""The page on the mathematics names code that exists, and for every numbered equation."""

import re
from importlib import import_module
from pathlib import Path

import pytest

PAGE = Path(__file__).parent.parent / "docs" / "mathematics.rst"
NAME = re.compile(r"``(linear_hinge(?:\.\w+)+)``")

pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="the tests run away from the repository")


def text():
    return PAGE.read_text(encoding="utf-8")


def resolve(name):
    """The object of a dotted name; ImportError or AttributeError if there is none."""
    package, *parts = name.split(".")
    found = import_module(package)
    for part in parts:
        if not hasattr(found, part):
            import_module(f"{found.__name__}.{part}")
        found = getattr(found, part)
    return found


def test_every_name_exists():
    names = set(NAME.findall(text()))
    assert len(names) > 20, "the page names the functions that compute its equations"
    for name in names:
        resolve(name)


def test_every_numbered_equation_names_the_code_that_computes_it():
    _, *equations = re.split(r":label: (\w+)", text())
    for label, what_follows in zip(equations[::2], equations[1::2], strict=True):
        assert NAME.search(what_follows), f"no code is named between equation {label} and the next"


def test_every_reference_is_cited_and_every_citation_is_listed():
    cited = set(re.findall(r"\[(\w+)\]_", text()))
    listed = set(re.findall(r"^\.\. \[(\w+)\]", text(), flags=re.MULTILINE))
    assert cited == listed
