"""Random small problems, each fitted and checked in rational arithmetic; a table of what went wrong.

python benchmarks/fuzz.py --problems 10000 --jobs 2        # some minutes
python benchmarks/fuzz.py --seed 4711                      # one of them again, in detail

Problem N is drawn from the seed N alone. By weak duality `dual_objective_` is below P(W, b) for all W and b: it is
compared with the smallest P known, of the model and of a second fit of the same numbers in float64, centred and scaled.
"""

import argparse
import os
import signal
import sys
import time
import warnings
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from multiprocessing import Pool
from pathlib import Path

if __name__ == "__main__":  # before NumPy is imported
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import numpy as np
import scipy.sparse as sp
from exact import as_fractions, exact_primal, exact_shares
from sklearn.exceptions import ConvergenceWarning

from linear_hinge import MulticlassHingeClassifier
from linear_hinge.losses import LOSSES as REGISTRY

LOSSES = tuple(REGISTRY)
LIMIT = 120  # seconds of the processor that a fit may take
DISTANCES_EVERY = 4  # of the problems one has a margin for each pair of classes
# objective_ may be off by this part of P before it counts.
OBJECTIVE_TOL = {"float64": 1e-9, "float32": 1e-5}


@dataclass
class Drawn:
    """A problem: what `fit` is given, and a word on how it was drawn."""

    X: np.ndarray
    y: np.ndarray
    sample_weight: np.ndarray | None
    params: dict
    is_sparse: bool
    kind: str
    group: str

    def rows(self, dtype=None):
        """X as `fit` gets it."""
        X = self.X if dtype is None else self.X.astype(dtype)
        return sp.csr_matrix(X) if self.is_sparse else X


def draw(seed):
    """Problem number ``seed``."""
    rng = np.random.RandomState(seed)
    n_classes = rng.randint(2, 7)
    n_samples, n_features = rng.randint(n_classes, 61), rng.randint(1, 13)
    y = rng.permutation(np.arange(n_samples) % n_classes)
    if rng.uniform() < 0.3:  # rare classes, but each has a row
        likely = rng.exponential(size=n_classes) ** 2
        others = rng.choice(n_classes, n_samples - n_classes, p=likely / likely.sum())
        y = np.concatenate([np.arange(n_classes), others])
    separation = rng.choice([0, 0.5, 1, 3])
    X = rng.normal(size=(n_samples, n_features)) + separation * rng.normal(size=(n_classes, n_features))[y]
    kind = rng.choice(list(RAW)) if rng.uniform() < 0.6 else "normal"
    if kind != "normal":
        X = RAW[kind](X, y, rng)
    is_sparse = rng.uniform() < 0.4
    if is_sparse:
        X = X * (rng.uniform(size=X.shape) < rng.choice([0.1, 0.5, 1]))
    weighting, sample_weight = _draw_weights(y, rng)
    params = {
        "loss": str(rng.choice(LOSSES)),
        "alpha": float(10 ** rng.uniform(-8, 2)),
        "margin": float(10 ** rng.uniform(-3, 3)) if rng.uniform() < 0.3 else 1.0,
        "fit_intercept": bool(rng.uniform() < 0.6),
        "class_weight": _draw_class_weight(n_classes, rng),
    }
    if seed % DISTANCES_EVERY == 0 and (params["loss"] != "one_vs_rest" or n_classes == 2):
        params["margin"] = _draw_distances(n_classes, np.random.RandomState([seed, 1]))
    group = "benign" if kind == "normal" and weighting != "extreme" else "raw"
    X = X.astype(rng.choice(["float32", "float64"]))
    return Drawn(X, y, sample_weight, params, is_sparse, f"{kind}, {weighting} weights", group)


def _draw_weights(y, rng):
    n_samples = len(y)
    weighting = rng.choice(["no", "no", "uniform", "zero", "extreme"])
    if weighting == "no":
        return weighting, None
    weights = rng.uniform(0.1, 1, n_samples)
    if weighting == "zero":
        _, first_of_class = np.unique(y, return_index=True)
        weights[np.setdiff1d(np.flatnonzero(rng.uniform(size=n_samples) < 0.3), first_of_class)] = 0
    if weighting == "extreme":
        digits = rng.choice([3, 10, 20, 60])
        exponents = rng.uniform(-digits / 2, digits / 2, n_samples)
        weights = 10 ** (exponents if exponents[0] > 0 else exponents[y])  # of rows, or of whole classes
    return weighting, weights


def _draw_distances(n_classes, rng):
    """A margin for every pair of classes, of one size or of very different ones, some of them zero."""
    distances = 10 ** (rng.uniform(-3, 3) + rng.choice([0, 0.5, 3]) * rng.uniform(-1, 1, (n_classes, n_classes)))
    distances[rng.uniform(size=distances.shape) < rng.choice([0, 0.3])] = 0
    distances[0, 1] = distances.max() or 1.0
    np.fill_diagonal(distances, 0)
    return distances


def _draw_class_weight(n_classes, rng):
    kind = rng.choice([None, None, None, "balanced", "dict"])
    if kind == "dict":
        return {code: float(10 ** rng.uniform(-2, 2)) for code in range(n_classes)}
    return kind


# What columns and rows of real tables are like: functions of normal X.


def _some(size, rng):
    """A mask with at least one True."""
    mask = rng.uniform(size=size) < 0.5
    mask[rng.randint(size)] = True
    return mask


def _offset(X, y, rng):
    return X + np.where(_some(X.shape[1], rng), 10 ** rng.uniform(0, 9, X.shape[1]), 0)


def _unix_seconds(X, y, rng):
    seconds = 1.7e9 + 10 ** rng.uniform(0, 8) * X
    return np.where(_some(X.shape[1], rng), np.floor(seconds), X)


def _scales(X, y, rng):
    return X * 10 ** rng.uniform(-6, 6, X.shape[1])


def _integers(X, y, rng):
    return np.clip(np.round(8 + 4 * X), 0, 16)


def _duplicates(X, y, rng):
    """Few rows, often with conflicting labels."""
    return X[rng.choice(max(2, len(X) // 4), len(X))]


def _constant_columns(X, y, rng):
    return np.where(_some(X.shape[1], rng), 10 ** rng.uniform(-3, 9), X)


def _zero_rows(X, y, rng):
    return X * ~_some(len(X), rng)[:, None]


def _ties(X, y, rng):
    return np.round(X)


def _separable(X, y, rng):
    return X + 10 ** rng.uniform(1, 4) * rng.normal(size=(y.max() + 1, X.shape[1]))[y]


def _identifiers(X, y, rng):
    """Numbers of twelve digits."""
    return np.where(_some(X.shape[1], rng), np.floor(rng.uniform(1e11, 1e12, X.shape)), X)


RAW = {
    "offset": _offset,
    "unix seconds": _unix_seconds,
    "scales": _scales,
    "integers": _integers,
    "duplicates": _duplicates,
    "constant columns": _constant_columns,
    "zero rows": _zero_rows,
    "ties": _ties,
    "separable": _separable,
    "identifiers": _identifiers,
}


# Fits


class TooSlow(Exception):
    """A fit ran into the time limit."""


@dataclass
class Outcome:
    """What came of a fit."""

    model: MulticlassHingeClassifier | None = None
    error: Exception | None = None
    warnings: list = field(default_factory=list)
    seconds: float = 0.0

    @property
    def converged(self):
        return self.model is not None and self.model.duality_gap_ <= self.model.tol

    @property
    def has_spoken(self):
        """Whether a warning told of something."""
        return any(issubclass(w.category, UserWarning) for w in self.warnings)

    @property
    def did_not_converge(self):
        return any(issubclass(w.category, ConvergenceWarning) for w in self.warnings)

    @property
    def ended_early(self):
        return self.model is not None and self.did_not_converge and self.model.n_iter_ < self.model.max_iter


def fit(problem, X, *, limit=LIMIT, **params):
    """Fit, whatever happens."""
    model = MulticlassHingeClassifier(learning_rate="auto", random_state=0, **(problem.params | params))
    outcome = Outcome()
    started = time.perf_counter()
    with warnings.catch_warnings(record=True) as outcome.warnings:
        warnings.simplefilter("always")
        signal.setitimer(signal.ITIMER_PROF, limit)
        try:
            outcome.model = model.fit(X, problem.y, problem.sample_weight)
        except Exception as error:
            outcome.error = error
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    outcome.seconds = time.perf_counter() - started
    return outcome


def _interrupt(signum, frame):
    raise TooSlow("the time limit")


def refined_model(problem):
    """Coefficients, as fractions, that are often closer to the optimum than those of the model.

    They come from a tight fit of the numbers as float64, centred if the intercept allows it and scaled by a power of
    two. Moving and scaling them back is exact, so that rounding makes the model worse but never wrong.
    """
    X = problem.X.astype(np.float64)
    center = np.median(X, axis=0) * problem.params["fit_intercept"]
    scale = 2.0 ** -np.frexp(np.abs(X - center).max())[1]
    alpha = problem.params["alpha"] * scale**2
    outcome = fit(problem, (X - center) * scale, alpha=alpha, tol=1e-9, max_iter=300)
    if outcome.model is None:
        return None
    coef = as_fractions(outcome.model.coef_) * Fraction(scale)
    intercept = as_fractions(outcome.model.intercept_) - coef @ as_fractions(center)
    return coef, intercept if problem.params["fit_intercept"] else np.zeros(len(coef))


# Checks


def check(seed, limit=LIMIT):
    """Fit problem number ``seed``; what is found, as a dict whose values are numbers, words and None."""
    problem = draw(seed)
    signal.signal(signal.SIGPROF, _interrupt)
    outcome = fit(problem, problem.rows(), limit=limit)
    dtype = str(problem.X.dtype)
    found = {"seed": seed, "kind": problem.kind, "dtype": dtype, "group": problem.group, "seconds": outcome.seconds}
    found["leaked"] = next((str(w.message) for w in outcome.warnings if not issubclass(w.category, UserWarning)), None)
    found["exception"] = outcome.error and f"{type(outcome.error).__name__}: {outcome.error}".splitlines()[0][:90]
    found["converged"] = outcome.converged
    if outcome.model is not None:
        found |= check_certificate(problem, outcome)
        found["zero"] = not outcome.model.coef_.any() and not outcome.has_spoken
    if dtype == "float32" and not (outcome.converged or outcome.ended_early):
        found["behind"] = fit(problem, problem.rows(np.float64), limit=limit).converged
    return found


def check_certificate(problem, outcome):
    """Objective, bound and gap against exact values of P."""
    model, found = outcome.model, {}
    gap, bound, objective = model.duality_gap_, model.dual_objective_, model.objective_
    if not np.isfinite([gap, bound, objective]).all():
        return {"above": np.inf, "gap": gap, "silent": True, "objective": np.inf}
    primal = exact_objective(problem, model.coef_, model.intercept_)
    candidates = [primal]
    refined = refined_model(problem)
    if refined is not None:
        candidates.append(exact_objective(problem, *refined))
    above = (Fraction(float(bound)) - min(candidates)) / min(candidates)
    found["gap"], found["above"] = float(gap), float(above) if above > 0 else None
    found["outside"] = None if 0 <= gap <= 1 else float(gap)
    exact_gap = float((primal - Fraction(float(bound))) / primal)
    is_open = max(gap, exact_gap) > model.tol * (1 + 1e-9)
    found["silent"] = max(gap, exact_gap) if is_open and not outcome.did_not_converge else None
    error = float(abs(Fraction(float(objective)) - primal) / primal)
    found["objective"] = error if error > OBJECTIVE_TOL[str(problem.X.dtype)] else None
    return found


def exact_objective(problem, coef, intercept):
    params = {name: problem.params[name] for name in ("loss", "alpha", "margin")}
    shares = exact_shares(problem.y, problem.sample_weight, problem.params["class_weight"])
    return exact_primal(problem.X, problem.y, shares, coef, intercept, **params)


# The table

COLUMNS = {
    "exception": "exceptions",
    "leaked": "leaked warnings",
    "above": "bounds above",
    "outside": "gaps outside [0, 1]",
    "silent": "silent open gaps",
    "objective": "objective_ off",
    "zero": "silent zeros",
    "behind": "behind float64",
}
# Those of which there may be none.
FALSE = ("exception", "leaked", "above", "outside", "silent")


def print_table(results):
    """Counts of each fault by dtype and group, and the worst seeds."""
    names = ["problems", *COLUMNS.values(), "largest excess", "converged", "median s", "total s"]
    print("| dtype | columns | " + " | ".join(names) + " |")
    print("|---" * (2 + len(names)) + "|")
    for dtype in ("float64", "float32"):
        for group in ("benign", "raw"):
            chosen = [r for r in results if r["dtype"] == dtype and r["group"] == group]
            if chosen:
                print(f"| {dtype} | {group} | " + " | ".join(_row(chosen)) + " |")
    for column, name in COLUMNS.items():
        _print_worst(name, column, [r for r in results if r.get(column)])


def _row(results):
    seconds = np.array([r["seconds"] for r in results])
    counts = [str(sum(bool(r.get(column)) for r in results)) for column in COLUMNS]
    excess = max((r.get("above") or 0 for r in results), default=0)
    converged = np.mean([r["converged"] for r in results])
    times = [f"{np.median(seconds):.4f}", f"{seconds.sum():.0f}"]
    return [str(len(results)), *counts, f"{excess:.1e}", f"{converged:.2%}", *times]


def _print_worst(name, column, broken, n_worst=8):
    if not broken:
        return
    print(f"\n{name}: {len(broken)}")
    if isinstance(broken[0][column], str):
        for text, count in Counter(r[column] for r in broken).most_common(n_worst):
            seeds = [r["seed"] for r in broken if r[column] == text][:n_worst]
            print(f"  {count} × {text} (seeds {', '.join(map(str, seeds))})")
        return
    for r in sorted(broken, key=lambda r: -abs(r[column]))[:n_worst]:
        print(f"  seed {r['seed']}: {r[column]:.3g} ({r['dtype']}, {r['kind']})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", type=int, default=1000, help="how many (default: 1000)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (default: 0)")
    parser.add_argument("--jobs", type=int, default=1, help="processes (default: 1)")
    parser.add_argument("--seed", type=int, help="fit and describe this problem only")
    args = parser.parse_args()
    if args.seed is not None:
        problem = draw(args.seed)
        print(problem.X.shape, problem.X.dtype, "CSR" if problem.is_sparse else "dense", problem.params)
        print(*(f"{name}: {value}" for name, value in check(args.seed).items()), sep="\n")
        return
    seeds = range(args.first, args.first + args.problems)
    with Pool(args.jobs) as pool:
        results = []
        for result in pool.imap_unordered(check, seeds, chunksize=10):
            results.append(result)
            broken = {name: result[column] for column, name in COLUMNS.items() if result.get(column)}
            if broken:
                print(f"seed {result['seed']}: {broken}", file=sys.stderr, flush=True)
    print_table(sorted(results, key=lambda r: r["seed"]))


if __name__ == "__main__":
    main()
