"""The types of the public face: there for everything, resolvable, and what a type checker reads."""

import ast
import inspect
import os
import re
import subprocess
import sys
import typing
from importlib import import_module, util
from pathlib import Path

import numpy as np
import pytest

import linear_hinge
from linear_hinge.estimator import types
from linear_hinge.losses import LOSSES

PACKAGE = Path(linear_hinge.__file__).parent
ON_A_CLUSTER = util.find_spec("distributed") is not None

RIGHT = """
import numpy as np
from linear_hinge import (
    ConvergenceDisplay, GapProgressBar, MulticlassHingeClassifier, MulticlassHingeClassifierCV, PathDisplay, StopFit,
    hinge_path, objective_and_subgradient, show_versions,
)

X, y = np.eye(3), np.array(["a", "b", "c"])
model = MulticlassHingeClassifier("crammer_singer", alpha=0.1, margin=1 - X, class_weight={"a": 2}).fit(X, y)
model.partial_fit(X.tolist(), list(y), classes=["a", "b", "c"], sample_weight=[1, 1, 2])
scores: np.ndarray = model.decision_function(X) + model.coef_.sum()
labels: list[str] = model.predict(X).tolist()
MulticlassHingeClassifier(batch_size=32, average=10, random_state=np.random.RandomState(0), verbose=True)
search = MulticlassHingeClassifierCV(alphas=[1, 0.1], cv=[([0, 1], [2])], scoring="accuracy").fit(X, y, groups=y)
best: float = search.alpha_ * search.score(X, y)
path = hinge_path(X, y, alphas=[1.0, 0.1], loss="one_vs_rest")
objective, in_coef, in_intercept = objective_and_subgradient(path.coefs[0], 0, X, y, loss="weston_watkins", alpha=0.1)
StopFit(seconds=1, validation=(X, y))
GapProgressBar()
ConvergenceDisplay.from_estimator(model, kind="gap").plot().ax_.set_title("gap")
PathDisplay.from_path(path, features=[0]).figure_.tight_layout()
show_versions()
"""
# One fault a line.
WRONG = """
MulticlassHingeClassifier(loss=3)
MulticlassHingeClassifier("hinge")
MulticlassHingeClassifier(learning_rate="auto", step=0.1)
MulticlassHingeClassifier().fit(X)
MulticlassHingeClassifier().fit(X, y).predict(X, y)
MulticlassHingeClassifierCV(cv="five")
MulticlassHingeClassifierCV().fit(X, y).alpha_.lower()
MulticlassHingeClassifierCV().score(X, y).lower()
hinge_path(X, y, [0.1], tol="small")
hinge_path(X, y).alpha
objective_and_subgradient(X, 0, X, y, loss="hinge", alpha=0.1)
StopFit(seconds="1")
ConvergenceDisplay.from_estimator(model, kind="bound")
PathDisplay.from_path(path).plot(3)
show_versions(True)
"""


def public_items():
    """The functions and classes that a user imports, by their names."""
    modules = [linear_hinge, *([import_module("linear_hinge.dask")] if ON_A_CLUSTER else [])]
    items = {name: getattr(module, name) for module in modules for name in module.__all__}
    return {name: item for name, item in items.items() if callable(item)}


def own_bases(item):
    return [base for base in inspect.getmro(item) if base.__module__.startswith("linear_hinge.")]


def public_functions():
    """The functions, and the methods of the classes that stand in this package, by their names."""
    for name, item in public_items().items():
        if not inspect.isclass(item):
            yield name, item
            continue
        for base in reversed(own_bases(item)):
            for part, value in vars(base).items():
                method = getattr(value, "__func__", value)
                if inspect.isfunction(method) and (part == "__init__" or not part.startswith("_")):
                    yield f"{name}.{part}", method


ITEMS, FUNCTIONS = public_items(), dict(public_functions())
every_function = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS.keys())
CLASSES = [item for item in ITEMS.values() if inspect.isclass(item)]
every_class = pytest.mark.parametrize("item", CLASSES, ids=lambda item: item.__name__)


def names_for_checkers(module):
    """What a module imports for type checkers only; the test is skipped without the extra that has it."""
    path = Path(sys.modules[module].__file__)
    guarded = [
        node
        for block in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in block.body
    ]
    try:
        return {alias.name: getattr(import_module(node.module), alias.name) for node in guarded for alias in node.names}
    except ImportError as missing:
        pytest.skip(f"needs an extra: {missing}")


def test_the_public_face_is_seen():
    """Lest the tests below pass because they look at nothing."""
    wanted = {"hinge_path", "MulticlassHingeClassifier.__init__", "MulticlassHingeClassifier.fit"}
    wanted |= {"MulticlassHingeClassifierCV.predict", "StopFit.on_fit_task_begin", "PathDisplay.from_path"}
    assert wanted <= set(FUNCTIONS)
    assert "MulticlassHingeClassifier.score" not in FUNCTIONS  # that of scikit-learn
    assert names_for_checkers("linear_hinge.report.path_display").keys() >= {"Axes", "Line2D"}


@every_function
def test_all_parameters_and_the_result_have_types(function):
    signature = inspect.signature(function)
    untyped = [
        name
        for name, parameter in signature.parameters.items()
        if parameter.annotation is inspect.Parameter.empty and name not in ("self", "cls")
    ]
    assert not untyped
    assert signature.return_annotation is not inspect.Signature.empty


@every_function
def test_types_of_functions_can_be_resolved(function):
    hints = typing.get_type_hints(function, localns=names_for_checkers(function.__module__))
    assert "return" in hints
    assert hints.keys() - {"return"} == inspect.signature(function).parameters.keys() - {"self", "cls"}


@every_class
def test_all_documented_attributes_have_types(item):
    names = {name: value for base in own_bases(item) for name, value in names_for_checkers(base.__module__).items()}
    hints = typing.get_type_hints(item, localns=names)
    section = re.search(r"^Attributes\n-+\n(.*?)(?:\n\n|\Z)", inspect.getdoc(item), re.DOTALL | re.MULTILINE)
    documented = re.findall(r"^(\w+) : ", section[1], re.MULTILINE) if section else []
    assert set(documented) <= hints.keys()
    assert documented or item.__name__ == "GapProgressBar"


@pytest.mark.parametrize("item", [item for item in ITEMS.values() if hasattr(item, "_parameter_constraints")])
def test_choices_are_those_that_are_accepted(item):
    hints = typing.get_type_hints(item.__init__, localns=names_for_checkers(item.__module__))
    n_compared = 0
    for name, constraints in item._parameter_constraints.items():
        accepted = {option for part in constraints for option in getattr(part, "options", ())}
        if len(accepted) > 10:  # scikit-learn's scorers, for which the type is str
            continue
        typed = {value for value in literals(hints[name]) if isinstance(value, str)}
        assert typed == accepted, name
        n_compared += bool(accepted)
    assert n_compared >= 3
    assert set(typing.get_args(types.LossName)) == set(LOSSES)


def literals(hint):
    """The values of `Literal` anywhere in a union."""
    parts = typing.get_args(hint)
    return set(parts) if typing.get_origin(hint) is typing.Literal else {x for part in parts for x in literals(part)}


def test_a_decorator_that_keeps_types_is_the_decorator():
    assert types.keeping_types(np.vectorize) is np.vectorize


def test_the_package_says_that_it_has_types():
    assert (PACKAGE / "py.typed").read_bytes() == b""


def test_a_type_checker_accepts_code_of_users_and_reports_what_is_wrong(tmp_path):
    pytest.importorskip("mypy")
    pytest.importorskip("matplotlib")  # for the types of axes
    code = f"{RIGHT}{WRONG}"
    (tmp_path / "code.py").write_text(code, encoding="utf-8")
    # Away from the repository, so that the package is one that is installed, whose types count only with `py.typed`.
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-error-summary", "code.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)},
        capture_output=True,
        text=True,
    )
    numbers = re.findall(r"^code\.py:(\d+): error: ", done.stdout, re.MULTILINE)
    reported = {code.splitlines()[int(number) - 1] for number in numbers}
    assert reported == set(WRONG.split("\n")[1:-1]), done.stdout + done.stderr
