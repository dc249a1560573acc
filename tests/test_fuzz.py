"""A sample of the random problems of benchmarks/fuzz.py: nothing breaks, and nothing false is said."""

import runpy
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest

FUZZ = Path(__file__).parent.parent / "benchmarks" / "fuzz.py"
# The first ones, and some that once broke, each in a way of its own.
SEEDS = [*range(25), 81, 603, 779, 1278, 1790, 2355, 3137]

pytestmark = pytest.mark.skipif(not FUZZ.exists(), reason="the tests run away from the repository")


@pytest.fixture(scope="module")
def fuzz():
    return runpy.run_path(str(FUZZ))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_problem(seed, fuzz):
    found = fuzz["check"](seed)
    assert {column: found[column] for column in fuzz["FALSE"] if found.get(column) is not None} == {}


def test_all_kinds_are_drawn(fuzz):
    drawn = [fuzz["draw"](seed) for seed in range(100)]
    kinds, weightings = zip(*(problem.kind.split(", ") for problem in drawn), strict=True)
    assert set(kinds) == {"normal", *fuzz["RAW"]}
    assert set(weightings) == {"no weights", "uniform weights", "zero weights", "extreme weights"}
    assert {np.ndim(problem.params["margin"]) for problem in drawn} == {0, 2}
    assert len({(problem.X.dtype, problem.is_sparse, problem.params["loss"]) for problem in drawn}) == 12


def test_a_drawn_problem_depends_on_its_seed_alone(fuzz):
    first, again, other = (fuzz["draw"](seed) for seed in (7, 7, 8))
    assert (first.X == again.X).all() and first.params == again.params
    assert first.params != other.params


@pytest.fixture(scope="module")
def fitted(fuzz):
    problem = fuzz["draw"](6)
    return problem, fuzz["fit"](problem, problem.rows())


@pytest.mark.parametrize(
    ("attribute", "factor", "fault"),
    [
        ("dual_objective_", 1.01, "above"),
        ("dual_objective_", 0.5, "silent"),
        ("duality_gap_", -1, "outside"),
        ("duality_gap_", 1e9, "silent"),
        ("objective_", 1 + 1e-4, "objective"),
    ],
)
def test_a_false_word_is_found(attribute, factor, fault, fuzz, fitted):
    problem, outcome = deepcopy(fitted)
    assert not outcome.warnings
    assert fuzz["check_certificate"](problem, outcome)[fault] is None
    setattr(outcome.model, attribute, factor * getattr(outcome.model, attribute))
    assert fuzz["check_certificate"](problem, outcome)[fault] is not None


def test_a_refined_model_is_at_least_as_good(fuzz):
    """Centring and scaling keep the optimum. With an offset of 5e6 a mistake in moving back would show."""
    problem = fuzz["draw"](173)
    assert problem.kind == "offset, no weights"
    model = fuzz["fit"](problem, problem.rows()).model
    refined = fuzz["exact_objective"](problem, *fuzz["refined_model"](problem))
    assert model.dual_objective_ * (1 - 1e-7) <= refined <= model.objective_ * (1 + 1e-7)
