"""The house: a folder is a floor, imports run downward, and every file says what it is for."""

import ast
import inspect
import re
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest

import linear_hinge

# From the top down. A module imports from its own folder and from those further down this list.
FLOORS = ("report", "estimator", "solvers", "problem", "losses", "kernels", "linalg")
LONGEST_FILE = 400
# What the compiled parts must not know: who calls them.
ABOVE_THE_KERNELS = {"ascent", "problem", "hessian"}

PACKAGE = Path(linear_hinge.__file__).parent
FILES = {path.relative_to(PACKAGE).with_suffix("").as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in FILES.items()}
COMPILED = sorted(path for suffix in ("pyx", "pxi", "h") for path in (PACKAGE / "kernels").glob(f"*.{suffix}"))

every_module = pytest.mark.parametrize("name", FILES)
every_compiled_part = pytest.mark.parametrize("path", COMPILED, ids=lambda path: path.name)


def floor_of(name):
    """How far below the roof a module stands; what lies in no folder is the roof."""
    folder, _, module = name.rpartition("/")
    return FLOORS.index(folder) if module and folder else -1


def imports_of(name):
    """The modules of the package that a module imports, anywhere in its text."""
    imported = set()
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            imported |= {found(alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            imported |= {found(f"{node.module}.{alias.name}") or found(node.module) for alias in node.names}
    return imported - {None, name}


def found(dotted):
    """The module that a dotted name stands for, None if it is none of the package."""
    package, *rest = dotted.split(".")
    path = "/".join(rest)
    return next(
        (name for name in (path, f"{path}/__init__".lstrip("/")) if package == "linear_hinge" and name in FILES), None
    )


def test_every_folder_is_a_floor():
    folders = {path.relative_to(PACKAGE).parts[0] for path in FILES.values() if path.parent != PACKAGE}
    assert folders == set(FLOORS)


@every_module
def test_imports_are_absolute(name):
    relative = [ast.unparse(node) for node in ast.walk(TREES[name]) if isinstance(node, ast.ImportFrom) and node.level]
    assert not relative, f"{name}.py: {relative}"


@every_module
def test_nobody_imports_from_a_higher_floor(name):
    higher = [other for other in imports_of(name) if floor_of(other) < floor_of(name) and other != "_version"]
    assert not higher, f"{name}.py imports from above: {higher}"


def test_imports_make_no_circle():
    TopologicalSorter({name: imports_of(name) for name in FILES}).prepare()  # raises CycleError


def test_the_graph_of_imports_is_seen():
    """Lest the tests above pass because they look at nothing."""
    assert imports_of("__init__") >= {"estimator/classifier", "_version"}
    assert imports_of("losses/pairwise") == {
        "linalg/accurate",
        "linalg/sums",
        *(f"losses/{m}" for m in ("balancing", "base", "constant_scores", "projections")),
    }
    assert imports_of("solvers/dual_ascent") >= {"kernels/dual_step", "linalg/batches", "problem/certificate"}
    assert floor_of("__main__") < floor_of("report/comparison") < floor_of("linalg/sums")


@every_module
def test_only_kernels_ask_whether_something_is_compiled(name):
    if not name.startswith("kernels/"):
        assert imports_of(name).isdisjoint({"kernels/door", "kernels/compiled"})
        assert "_kernels" not in {node.attr for node in ast.walk(TREES[name]) if isinstance(node, ast.Attribute)}


@every_module
def test_every_module_says_what_it_is_for(name):
    assert ast.get_docstring(TREES[name]), f"{name}.py has no docstring"


@every_module
def test_what_other_modules_can_call_has_a_docstring(name):
    """A method that overrides another has the docstring of that one."""
    try:
        module = import_module(f"linear_hinge.{name.replace('/', '.')}".removesuffix(".__init__"))
    except ImportError as missing:
        pytest.skip(f"needs an extra: {missing}")
    assert not [what for what, item in public_parts(module) if not inspect.getdoc(item)]


NOUNS = {"The", "A", "An", "All", "Those", "What", "Which", "Whether", "How", "Where", "Scores", "Seconds"}


@every_module
def test_the_docstring_of_a_function_begins_with_a_verb(name):
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.FunctionDef) and (text := ast.get_docstring(node)):
            is_property = any("property" in ast.unparse(decorator) for decorator in node.decorator_list)
            assert is_property or not (text.startswith("`") or text.split()[0] in NOUNS), f"{node.name}: {text}"


def public_parts(module):
    """The functions and classes that a module defines, and the methods and properties of the classes."""
    for name, item in vars(module).items():
        if name.startswith("_") or getattr(item, "__module__", None) != module.__name__:
            continue
        if inspect.isfunction(item) or inspect.isclass(item):
            yield name, item
        if inspect.isclass(item):
            for part, value in vars(item).items():
                if not part.startswith("_") and (callable(value) or isinstance(value, property)):
                    yield f"{name}.{part}", getattr(item, part)


@every_module
def test_no_module_imports_a_private_name_of_another(name):
    imported = {
        alias.name
        for node in ast.walk(TREES[name])
        if isinstance(node, ast.ImportFrom) and found(node.module)
        for alias in node.names
    }
    assert {name for name in imported if name.startswith("_")} <= {"__version__", "_kernels"}


@every_module
def test_no_file_is_long(name):
    assert n_lines(FILES[name]) <= LONGEST_FILE


@every_compiled_part
def test_no_compiled_part_is_long(path):
    assert n_lines(path) <= LONGEST_FILE


@every_compiled_part
def test_a_compiled_part_says_what_it_is_for(path):
    assert path.read_text(encoding="utf-8").lstrip().startswith(('"""', "#", "/*"))


@every_compiled_part
def test_kernels_do_not_know_who_calls_them(path):
    known = ABOVE_THE_KERNELS & set(re.findall(r"\w+", path.read_text(encoding="utf-8")))
    assert not known


@pytest.mark.parametrize("path", [*FILES.values(), *COMPILED], ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_words_say_what_is_meant(path):
    assert not re.search(r"\b(so many|hears? of|tells)\b", path.read_text(encoding="utf-8"))


def n_lines(path):
    return len(path.read_text(encoding="utf-8").splitlines())
