"""One thread beside all of them: seconds of a fit of this package by default, on every panel of the grid.

    python benchmarks/threads.py DATA --out RESULTS [--problems NAME ...] [--repeat 3] [--minutes M]

The numbers of threads take turns, every fit in a process of its own. Each panel becomes a file in RESULTS/threads; what
is there is not measured again. Writes threads.rst.
"""

import argparse
import json
import time
from pathlib import Path
from statistics import median

import numpy as np
from datasets import BINARY, PROBLEMS, UNSCALED
from linear_svms import OURS, n_cores
from measuring import run_apart, stored_problem, task_of
from tables import ALL_C, geometric_mean, list_table, shown

from linear_hinge.losses import LOSSES

LONG = 0.2  # seconds from which a fit is one of those that the mean is about
NOISE = 0.95  # a ratio below is slower


def measure(path, task, repeat, longest):
    """Median seconds by number of threads; None where it takes too long."""
    seconds = {n_threads: [] for n_threads in (1, n_cores())}
    for seed in range(repeat):
        for n_threads, measured in seconds.items():
            result = run_apart(path, task, OURS.name, {}, seed=seed, limit=longest, n_threads=n_threads)
            measured.append(result.get("seconds"))
            if measured[-1] is None:
                return None
    return {n_threads: median(measured) for n_threads, measured in seconds.items()}


def text_of(panels):
    """The table, and what it comes to."""
    rows, ratios = [], []
    for panel in panels:
        one, all_ = list(panel["seconds"].values()) if panel["seconds"] else (None, None)
        ratio = one / all_ if one else None
        if one and one > LONG:
            ratios.append(ratio)
        cells = [shown(one), shown(all_), f"{ratio:.2f}"] if one else [f"> {shown(panel['longest'])}", "", ""]
        rows.append([panel["problem"], f"``{panel['loss']}``", f"{panel['C']:g}", *cells])
    slower = sum(1 for row in rows if row[-1] and float(row[-1]) < NOISE)
    ends = f"Of {len(ratios)} fits longer than {LONG:g} s on one thread: geometric mean {geometric_mean(ratios):.2f}"
    ends += f", worst {np.min(ratios, initial=np.inf):.2f}. Slower by more than 5 %: {slower} of {len(rows)} fits."
    return list_table(("problem", "loss", "C", "1 thread", f"{n_cores()} threads", "ratio"), rows) + f"\n{ends}\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--out", default="results", type=Path)
    parser.add_argument("--problems", nargs="+", default=PROBLEMS, choices=PROBLEMS + UNSCALED, metavar="NAME")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--longest", type=float, default=60, help="seconds after which a run is given up")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no panel after so many")
    arguments = parser.parse_args()
    if n_cores() == 1:
        raise SystemExit("there is one core, or OMP_NUM_THREADS is 1")
    folder = arguments.out / "threads"
    folder.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + 60 * arguments.minutes
    panels = []
    for problem in arguments.problems:
        path = stored_problem(arguments.data, problem, arguments.out)
        for loss in ["one_vs_rest"] if problem in BINARY else list(LOSSES):
            for C in ALL_C:
                file = folder / f"{problem}-{loss}-{C:g}.json"
                if not file.exists() and time.monotonic() < deadline:
                    seconds = measure(path, task_of(path, loss, C), arguments.repeat, arguments.longest)
                    names = {"problem": problem, "loss": loss, "C": C}
                    file.write_text(json.dumps(names | {"longest": arguments.longest, "seconds": seconds}))
                    print(file.stem, seconds, flush=True)
                if file.exists():
                    panels.append(json.loads(file.read_text()))
    text = text_of(panels)
    (arguments.out / "threads.rst").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
