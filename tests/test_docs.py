"""The pages keep their word: their code runs, the reference is complete, and what stands in two places agrees."""

import doctest
import re
import runpy
from importlib import import_module
from pathlib import Path

import pytest

import linear_hinge
from linear_hinge.kernels import is_compiled
from linear_hinge.losses import LOSSES
from linear_hinge.report.command_line import make_parser

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
GENERATED = {"_build", "api", "auto_examples"}
LONGEST_LINE = 75  # of code, on a screen that shows a page with its margins
PAGES = sorted(
    str(path.relative_to(DOCS))
    for path in DOCS.rglob("*.rst")
    if path.relative_to(DOCS).parts[0] not in GENERATED | {"_templates", "_backreferences"}
)

needs_pages = pytest.mark.skipif(not PAGES, reason="the tests run away from the repository")
every_page = pytest.mark.parametrize("page", PAGES)
# Minutes without compiled code.
SLOW_IN_NUMPY = ("guide/tuning.rst",)
every_page_with_code = pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=pytest.mark.slow if page in SLOW_IN_NUMPY and not is_compiled() else ())
        for page in PAGES
        if ">>>" in (DOCS / page).read_text(encoding="utf-8")
    ],
)


@pytest.fixture(autouse=True)
def figures():
    """Where matplotlib is there, figures are drawn without a screen, and closed."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    yield
    import_module("matplotlib.pyplot").close("all")


class Roughly(doctest.OutputChecker):
    """Lets numbers in a printed sentence be a tenth off: other versions and compilers lead to slightly other models."""

    NUMBER = re.compile(r"\d+(?:\.\d+)?")

    def check_output(self, want, got, optionflags):
        if super().check_output(want, got, optionflags):
            return True
        is_sentence = re.match(r"[A-Za-z]+ ", want)
        words = [self.NUMBER.sub("#", text).split() for text in (want, got)]
        numbers = [list(map(float, self.NUMBER.findall(text))) for text in (want, got)]
        return is_sentence and words[0] == words[1] and numbers[1] == pytest.approx(numbers[0], rel=0.1)


@pytest.mark.parametrize(
    ("want", "got", "expected"),
    [
        ("test accuracy 0.96", "test accuracy 0.95", True),
        ("total cost 114, 11 missed", "total cost 105, 12 missed", True),
        ("test accuracy 0.96", "test accuracy 0.86", False),
        ("test accuracy 0.96", "training accuracy 0.96", False),
        ("array([1.25, 0.])", "array([1.24, 0.])", False),
        ("0.96", "0.95", False),
    ],
)
def test_only_numbers_in_a_sentence_are_compared_roughly(want, got, expected):
    assert bool(Roughly().check_output(want, got, 0)) == expected


@every_page_with_code
def test_the_code_of_a_page_runs(page):
    text = (DOCS / page).read_text(encoding="utf-8")
    if "sklearn.callback" in text:
        pytest.importorskip("sklearn.callback", reason="scikit-learn has callbacks from 1.9 on")
    if "linear_hinge.dask" in text:
        pytest.importorskip("distributed")
        pytest.importorskip("pyarrow")
    code = doctest.DocTestParser().get_doctest(text, {"__name__": "__main__"}, page, page, 0)
    results = doctest.DocTestRunner(Roughly(), False, doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).run(code)
    assert results.attempted > 0
    assert results.failed == 0


@pytest.mark.parametrize(
    "name",
    [
        "estimator.classifier",
        "estimator.classifier_cv",
        "estimator.objective",
        "estimator.path",
        "estimator.stop_fit",
        "report.convergence_display",
        "report.path_display",
    ],
)
def test_the_examples_of_the_docstrings_run(name):
    if name == "estimator.stop_fit":
        pytest.importorskip("sklearn.callback", reason="scikit-learn has callbacks from 1.9 on")
    results = doctest.testmod(import_module(f"linear_hinge.{name}"))
    assert results.attempted > 0
    assert results.failed == 0


def test_the_example_of_the_cluster_runs():
    pytest.importorskip("distributed")
    results = doctest.testmod(import_module("linear_hinge.dask"))
    assert results.attempted > 0
    assert results.failed == 0


@every_page
def test_all_python_in_a_page_is_code_that_runs(page):
    languages = re.findall(r"^ *\.\. code-block:: *(\w*)", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE)
    assert set(languages) <= {"sh", "text"}


@every_page
def test_code_of_a_page_fits_into_its_column(page):
    text = (DOCS / page).read_text(encoding="utf-8")
    lines = [line.strip() for line in text.splitlines()]
    assert not [line for line in lines if line.startswith((">>> ", "... ")) and len(line) > LONGEST_LINE]


@pytest.mark.parametrize("path", sorted((DOCS / "examples").glob("*.py")), ids=lambda path: path.name)
def test_code_of_the_gallery_fits_into_its_column(path):
    code = path.read_text(encoding="utf-8").split('"""', 2)[-1]
    assert not [line for line in code.splitlines() if len(line) > LONGEST_LINE and not line.startswith("#")]


# The reference


def reference():
    return (DOCS / "api.rst").read_text(encoding="utf-8")


@needs_pages
def test_the_reference_lists_what_the_package_exports():
    for name in linear_hinge.__all__:
        assert re.search(rf"^   {name}$|``linear_hinge.{name}``", reference(), re.MULTILINE), name


@needs_pages
def test_the_reference_lists_the_options_of_the_command_line():
    described = set(re.findall(r"\.\. option:: (\S+)", reference()))
    actions = make_parser()._actions
    assert described == {action.option_strings[-1] if action.option_strings else "FILE" for action in actions}
    assert ", ".join(LOSSES) in reference()
    assert f"Default: {make_parser().get_default('alpha'):g}" in reference().replace("1e-4", "0.0001")


@needs_pages
def test_the_estimator_links_to_its_page():
    link = linear_hinge.MulticlassHingeClassifier()._get_doc_link()
    assert link.endswith("/stable/api/linear_hinge.MulticlassHingeClassifier.html")
    assert ":toctree: api\n" in reference()


@needs_pages
def test_the_citation_has_the_version_of_the_package():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(r"^version: (\S+)$", citation, re.MULTILINE)[1] == linear_hinge.__version__
    changes = (DOCS / "changes.rst").read_text(encoding="utf-8")
    assert f"Version {linear_hinge.__version__}".removesuffix(".0") in changes


# The check of the links


@needs_pages
def test_broken_links_are_found(tmp_path, capsys):
    broken_links = runpy.run_path(str(DOCS / "check_links.py"))["broken_links"]
    (tmp_path / "sub").mkdir()
    (tmp_path / "picture.png").touch()
    (tmp_path / "index.html").write_text(
        '<h1 id="a b">x</h1> <a href="#a%20b">y</a> <a href="sub/page.html#there">y</a> <img src="picture.png">'
        '<a href="https://example.org/nowhere">y</a> <img srcset="picture.png, missing.png 2x"> <a href="#nowhere">'
    )
    (tmp_path / "sub" / "page.html").write_text('<p id="there"> <a href="../index.html#gone"> <a href="gone.html">')
    assert list(broken_links(tmp_path)) == [
        "index.html: #nowhere: no such anchor",
        "index.html: missing.png: no such file",
        "sub/page.html: ../index.html#gone: no such anchor",
        "sub/page.html: gone.html: no such file",
    ]
