"""Validate the docstrings that `[tool.numpydoc_validation]` in pyproject.toml is about.

They are those of the public face and of the folders `kernels`, `losses` and `problem`. Compiled code has no syntax tree
of Python: it is imported, and its functions and classes are validated with the same checks.
"""

import inspect
import sys
from pathlib import Path

from numpydoc.hooks.validate_docstrings import parse_config, run_hook
from numpydoc.validate import validate

import linear_hinge
from linear_hinge.kernels import _kernels

ROOT = Path(__file__).parent.parent
FOLDERS = ("kernels", "losses", "problem")


def files():
    """The files of the folders, and those of what a user imports and of its base classes."""
    found = {path for folder in FOLDERS for path in (ROOT / "linear_hinge" / folder).glob("*.py")}
    for name in linear_hinge.__all__:
        item = getattr(linear_hinge, name)
        for part in inspect.getmro(item) if inspect.isclass(item) else [item]:
            if getattr(part, "__module__", "").startswith("linear_hinge."):
                found.add(ROOT / (part.__module__.replace(".", "/") + ".py"))
    return sorted(str(path) for path in found)


def compiled_names():
    """The functions, classes and methods of compiled code that have a docstring and are not private."""
    for name, item in vars(_kernels).items():
        if getattr(item, "__module__", None) == _kernels.__name__ and not name.startswith("_"):
            yield name
            if inspect.isclass(item):
                yield from (f"{name}.{method}" for method in vars(item) if not method.startswith("_"))


def compiled_faults():
    """A line for every fault of a docstring of compiled code."""
    config = parse_config(ROOT)
    for name in compiled_names():
        report = validate(f"{_kernels.__name__}.{name}")
        for check, description in report["errors"] if report["docstring"] else []:
            override = config["overrides"].get(check)
            is_excused = override and override.search(report["docstring"])
            # The signature of a compiled class is not known.
            if check in config["checks"] and not is_excused and not (check == "PR02" and report["type"] == "type"):
                yield f"{_kernels.__name__}.{name}: {check} {description}"


if __name__ == "__main__":
    if _kernels is None:
        sys.exit("There is no compiled code, whose docstrings are to be validated.")
    faults = list(compiled_faults())
    print(*faults, sep="\n", end="\n" if faults else "")
    sys.exit(run_hook(files(), config=ROOT) or bool(faults))
