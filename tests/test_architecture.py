"""The house: imports run one way, from the upper floors down, and every module says what it is for."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import linear_hinge

# A module imports from its own floor and from those below. New modules are entered here.
FLOORS = {
    "_advice": 1,
    "_balancing": 0,
    "_callbacks": 0,
    "_compiled": 0,
    "_iterate": 0,
    "_layout": 0,
    "_linear_model": 0,
    "_losses": 0,
    "_progress": 0,
    "_products": 0,
    "_projections": 0,
    "_rows": 0,
    "_step_sizes": 0,
    "_targets": 0,
    "_version": 0,
    "_weighted_classes": 0,
    "_certificate": 1,
    "_class_blocks": 1,
    "_hessian": 1,
    "_incumbent": 1,
    "_objective": 1,
    "_certified": 2,
    "_dual_steps": 2,
    "_extrapolation": 2,
    "_newton": 2,
    "_stream": 2,
    "_subgradient": 2,
    "_warm_start": 2,
    "_classifier": 3,
    "_display": 3,
    "_training": 3,
    "__init__": 4,
    "__main__": 4,
    "_comparison": 4,
    "_datasets": 4,
    "_show_versions": 3,
}
COMPILED = {"_kernels"}  # on the lowest floor, and not Python
LONGEST_FILE = 400

PACKAGE = Path(linear_hinge.__file__).parent
FILES = {".".join(path.relative_to(PACKAGE).with_suffix("").parts): path for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in FILES.items()}

every_module = pytest.mark.parametrize("name", FILES)
every_module_with_a_floor = pytest.mark.parametrize("name", [name for name in FILES if name in FLOORS])


def imports_of(name):
    """The modules of the package that a module imports, anywhere in its text."""
    imported = set()
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            imported |= {of_package(alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            if node.module == "linear_hinge":
                names = {alias.name for alias in node.names} - COMPILED
                imported |= {name if name in FILES else "__init__" for name in names}
            else:
                imported.add(of_package(node.module))
    return imported - {None}


def of_package(dotted):
    package, _, module = dotted.partition(".")
    return (module or "__init__") if package == "linear_hinge" else None


@every_module
def test_every_module_has_a_floor(name):
    assert name in FLOORS, f"{name}.py stands on no floor: enter it in FLOORS of {Path(__file__).name}"


@every_module
def test_imports_are_absolute(name):
    relative = [ast.unparse(node) for node in ast.walk(TREES[name]) if isinstance(node, ast.ImportFrom) and node.level]
    assert not relative, f"{name}.py: {relative}"


@every_module_with_a_floor
def test_nobody_imports_from_a_higher_floor(name):
    higher = [other for other in imports_of(name) if FLOORS.get(other, 0) > FLOORS[name]]
    assert not higher, f"{name}.py, floor {FLOORS[name]}, imports from above: {higher}"


def test_imports_make_no_circle():
    TopologicalSorter({name: imports_of(name) for name in FILES}).prepare()  # raises CycleError


def test_the_graph_of_imports_is_seen():
    """Lest the tests above pass because they look at nothing."""
    assert imports_of("__init__") >= {"_classifier", "_version"}
    assert imports_of("_losses") == {"_balancing", "_products", "_projections"}
    assert imports_of("_subgradient") >= {"_objective", "_rows"}


@every_module
def test_every_module_says_what_it_is_for(name):
    docstring = ast.get_docstring(TREES[name])
    assert docstring, f"{name}.py has no docstring"


@every_module
def test_no_file_is_long(name):
    n_lines = len(FILES[name].read_text(encoding="utf-8").splitlines())
    assert n_lines <= LONGEST_FILE, f"{name}.py has {n_lines} lines"
