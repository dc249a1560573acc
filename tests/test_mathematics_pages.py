"""The pages on the mathematics name code that exists, and for every numbered equation."""

import re
from importlib import import_module
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"
PAGES = {path.stem: path for path in sorted((DOCS / "mathematics").glob("*.rst"))} | {"gradient": DOCS / "gradient.rst"}
NAME = re.compile(r"``(linear_hinge(?:\.\w+)+)``")

pytestmark = pytest.mark.skipif(not DOCS.exists(), reason="the tests run away from the repository")
every_page = pytest.mark.parametrize("page", PAGES)


def text(page):
    return PAGES[page].read_text(encoding="utf-8")


def resolve(name):
    """The object of a dotted name; ImportError or AttributeError if there is none."""
    package, *parts = name.split(".")
    found = import_module(package)
    for part in parts:
        if not hasattr(found, part):
            import_module(f"{found.__name__}.{part}")
        found = getattr(found, part)
    return found


@every_page
def test_every_name_exists(page):
    names = set(NAME.findall(text(page)))
    assert len(names) >= 4 or page == "index", "the page names the functions that compute what it says"
    for name in names:
        resolve(name)


@every_page
def test_every_numbered_equation_names_the_code_that_computes_it(page):
    _, *equations = re.split(r":label: (\w+)", text(page))
    for label, what_follows in zip(equations[::2], equations[1::2], strict=True):
        assert NAME.search(what_follows), f"no code is named between equation {label} and the next"


def test_every_reference_is_cited_and_every_citation_is_listed():
    everything = "".join(map(text, PAGES))
    cited = set(re.findall(r"\[(\w+)\]_", everything))
    listed = re.findall(r"^\.\. \[(\w+)\]", everything, flags=re.MULTILINE)
    assert sorted(cited) == sorted(listed)


def test_the_gradient_has_its_eight_steps_in_order():
    steps = re.findall(r"^(\d)\. .*\n=+$", text("gradient"), flags=re.MULTILINE)
    assert steps == list("12345678")
    labels = re.findall(r"^\.\. _(gradient_\w+):$", text("gradient"), flags=re.MULTILINE)
    listed = re.findall(r"^- :ref:`(\w+)`", text("gradient"), flags=re.MULTILINE)
    assert listed == labels
