"""Seconds to a relative suboptimality: this package and the linear SVMs of others on the same objective.

    python benchmarks/solvers.py DATA --out RESULTS [--problems NAME ...] [--losses LOSS ...] [--C C ...] [--minutes M]

A panel is a problem, a loss and a C. All solvers minimise alpha/2 ‖W‖² + mean loss there, without intercept, or with
--fit-intercept with one that is not regularised; this package computes the objective of each. The optimum is the best
lower bound that this package has proven. Every peer that is installed and has the loss takes part, with all its
settings (linear_svms.py); this package with several tols, on float64 and on data that it gets converted to float32, and
with the schedules of learning_rate, step lengths and passes that SGDClassifier is tried with, too.

1. Every setting is fitted once, those of a solver in one process, this package first. A run is given up after --longest
   seconds; a peer's also after 30 times what this package needs to 1e-4 (at least 2 s), and once it takes twice as
   long as the quickest peer to 1e-4 (at least .5 s), where it can no longer be the best. What has more work to do than
   a run that was given up is not tried.
2. The settings that came within 1.5 times the best to any level, and both defaults, are run again in turn, each time
   in a process of its own and with another seed, until there are --repeat runs (3 of what takes longer than 10 s). Only
   these count, with their medians.

Each panel becomes a file in RESULTS/panels; what is there is not measured again, so that a call can be interrupted, or
stopped with --minutes, and go on later. --again measures a panel that is there a second time: this package with all
settings, and the peers' contenders by their first fits, which are stored. --bounds proves the bounds only: they do not
depend on what else the machine does. Then tables.py writes the tables and figures (`python benchmarks/tables.py
RESULTS`), which this calls at its end. Threads are those of the environment (OMP_NUM_THREADS).
"""

import argparse
import json
import time
from pathlib import Path

from datasets import PROBLEMS
from linear_svms import LINEAR_SVC, OURS, OWN, PEERS, SCHEDULED, SOLVERS
from measuring import Worker, find_bound, machine, run_apart, stored_problem, task_of
from tables import ALL_C, LEVELS, panel_lines, suboptimality, write_all

from linear_hinge.losses import LOSSES

SHORTEST_LIMIT = 2
TIMES_OURS = 30
TIMES_BEST_PEER = 2
CONTENDS = 1.5
NOISE = 2e-3  # seconds by which a contender may be slower, whatever the ratio
MOST_CONTENDERS = 6
LONG_RUN, LONG_RUN_REPEATS = 10, 3
BOUND_SECONDS = 300
OWN_NAMES = {solver.name for solver in OWN}


def add_first_runs(rows, solver, task, run, limit):
    """Add a row for each setting, fitted once; ``limit`` tells the seconds for a setting, from the rows so far.

    Settings that must take longer than a run that was given up, or that would repeat a run, are left out.
    """
    began, n_before = time.monotonic(), len(rows)
    for setting in solver.all_settings(task):
        if not any(_settles(solver, row, setting) for row in rows if row["solver"] == solver.name):
            first = run(setting, 0, limit(rows, setting))
            rows.append({"solver": solver.name, "setting": setting, "repeated": False, "runs": [first]})
    print(f"  {solver.name}: {len(rows) - n_before} settings, {time.monotonic() - began:.0f} s", flush=True)


def _settles(solver, row, setting):
    """Whether nothing new can come of a setting after this row."""
    first = row["runs"][0]
    if "over" in first:
        return solver.at_most_as_long(row["setting"], setting)
    return "seconds" in first and solver.is_the_same_run(row["setting"], first["n_iter"], setting)


def seconds_of(row):
    """The first run's; None if it was given up or went wrong."""
    return row["runs"][0].get("seconds")


def quickest(rows, bound, level):
    """The rows that came as close in their first run, the quickest first."""
    close = [row for row in rows if seconds_of(row) and suboptimality(row["runs"][0]["objective"], bound) <= level]
    return sorted(close, key=seconds_of)


def limit_of(ours, bound, longest):
    """Seconds after which a peer is given up."""
    close = quickest(ours, bound, min(LEVELS))
    return min(longest, max(SHORTEST_LIMIT, TIMES_OURS * seconds_of(close[0]))) if close else longest


def contenders(rows, bound):
    """The rows that may be the best to some level, of this package, with and without its schedules, and of the peers;
    and of each peer to 1e-3."""
    names = {OURS.name}, OWN_NAMES, set(SOLVERS) - OWN_NAMES
    pools = [[row for row in rows if row["solver"] in some] for some in names]
    wanted = [(pool, level) for pool in pools for level in LEVELS]
    wanted += [([row for row in rows if row["solver"] == peer.name], LEVELS[1]) for peer in PEERS]
    chosen = [row for row in rows if _is_compared_default(row)]
    for pool, level in wanted:
        close = quickest(pool, bound, level)
        chosen += [row for row in close[:MOST_CONTENDERS] if seconds_of(row) <= CONTENDS * seconds_of(close[0]) + NOISE]
    return [row for row in rows if any(row is other for other in chosen)]


def _is_compared_default(row):
    return row["solver"] in (OURS.name, LINEAR_SVC.name) and not row["setting"] and seconds_of(row) is not None


def repeat_in_turn(rows, run, repeat, longest):
    """Run these again, one after another, until each has its runs."""
    for row in rows:
        row["repeated"] = True
    for seed in range(1, repeat):
        for row in rows:
            if seed < (repeat if seconds_of(row) <= LONG_RUN else LONG_RUN_REPEATS):
                row["runs"].append(run(row["solver"], row["setting"], seed, 4 * longest))


def fit_ours(path, task, bound, longest):
    """The rows of this package, fitted once, and the bound, perhaps a better one."""
    rows = []
    with Worker(path, task, OURS.name) as worker:
        add_first_runs(rows, OURS, task, worker.run, lambda rows, setting: longest)
    bound = max([bound or 0, *(row["runs"][0].get("bound") or 0 for row in rows)]) or None
    with Worker(path, task, SCHEDULED.name) as worker:
        add_first_runs(rows, SCHEDULED, task, worker.run, lambda rows, setting: patience(rows, setting, bound, longest))
    return rows, bound


def measure(path, task, bound, repeat, longest):
    """The rows of a panel, its bound, and the limit that held for peers."""

    (ours, bound), peers = fit_ours(path, task, bound, longest), []
    limit = limit_of([row for row in ours if row["solver"] == OURS.name], bound, longest)
    for solver in PEERS:
        if solver.suits(task):
            with Worker(path, task, solver.name) as worker:
                add_first_runs(
                    peers, solver, task, worker.run, lambda rows, setting: patience(rows, setting, bound, limit)
                )

    rows = ours + peers
    repeat_contenders(path, task, contenders(rows, bound), repeat, longest)
    return {"bound": bound, "limit": limit, "rows": rows}


def measure_again(path, task, stored, repeat, longest):
    """`measure`, with the first fits of the peers that are stored: those of contenders are made again."""
    ours, bound = fit_ours(path, task, stored["bound"], longest)
    peers = [row for row in stored["rows"] if row["solver"] not in OWN_NAMES]
    for row in peers:
        row["runs"], row["repeated"] = row["runs"][:1], False
    chosen = contenders(ours + peers, bound)
    for name in dict.fromkeys(row["solver"] for row in chosen if row["solver"] not in OWN_NAMES):
        with Worker(path, task, name) as worker:
            for row in chosen:
                if row["solver"] == name:
                    row["runs"] = [worker.run(row["setting"], 0, 4 * longest)]
    repeat_contenders(path, task, [row for row in chosen if seconds_of(row) is not None], repeat, longest)
    return {"bound": bound, "limit": stored["limit"], "rows": ours + peers}


def repeat_contenders(path, task, rows, repeat, longest):
    def run(name, setting, seed, limit):
        return run_apart(path, task, name, setting, seed=seed, limit=limit)

    repeat_in_turn(rows, run, repeat, longest)


def patience(rows, setting, bound, limit):
    """What a run may take beside these rows: a default as long as any, others while they can still be good."""
    close = quickest(rows, bound, min(LEVELS))
    return min(limit, max(0.5, TIMES_BEST_PEER * seconds_of(close[0]))) if close and setting else limit


def bound_of(path, task, out, name):
    """The bound of a panel, proven at the first call."""
    file = Path(out) / "bounds" / f"{name}.json"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(find_bound(path, task, BOUND_SECONDS)), encoding="utf-8")
    return json.loads(file.read_text(encoding="utf-8"))["bound"]


def grid(problems, losses, Cs):
    return [(problem, loss, C) for problem in problems for loss in losses for C in Cs]


def file_name(problem, loss, C, fit_intercept):
    return f"{problem}-{loss}-{C:g}" + ("-intercept" if fit_intercept else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--out", default="results", type=Path)
    parser.add_argument("--problems", nargs="+", default=PROBLEMS, choices=PROBLEMS, metavar="NAME")
    parser.add_argument("--losses", nargs="+", default=list(LOSSES), choices=list(LOSSES), metavar="LOSS")
    parser.add_argument("--C", nargs="+", type=float, default=ALL_C)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--longest", type=float, default=60, help="seconds after which a run is given up")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no panel after so many")
    parser.add_argument("--fit-intercept", action="store_true", help="with an intercept that is not regularised")
    parser.add_argument("--again", action="store_true", help="measure again what counts in the panels that are there")
    parser.add_argument("--bounds", action="store_true", help="only prove the bounds that are missing")
    arguments = parser.parse_args()
    (arguments.out / "panels").mkdir(parents=True, exist_ok=True)
    print("not installed:", ", ".join(s.name for s in SOLVERS.values() if not s.is_installed()) or "none", flush=True)
    started = time.monotonic()
    for problem, loss, C in grid(arguments.problems, arguments.losses, arguments.C):
        file = arguments.out / "panels" / f"{file_name(problem, loss, C, arguments.fit_intercept)}.json"
        if time.monotonic() - started > 60 * arguments.minutes:
            print("stopped: the minutes are over")
            break
        if arguments.again == file.exists():
            panel(arguments, problem, loss, C, file)
    if not arguments.bounds:
        write_all(arguments.out)


def panel(arguments, problem, loss, C, file):
    """Measure one panel and store it."""
    began = time.monotonic()
    path = stored_problem(arguments.data, problem, arguments.out)
    task = task_of(path, loss, C, arguments.fit_intercept)
    if task.n_classes == 2 and loss != "one_vs_rest":  # they are all the same
        return
    stored = json.loads(file.read_text(encoding="utf-8")) if arguments.again else None
    bound = stored["bound"] if stored else bound_of(path, task, arguments.out, file.stem)
    if arguments.bounds:
        return print(f"{file.stem}: bound {bound}, {time.monotonic() - began:.0f} s", flush=True)
    names = {"problem": problem, "loss": loss, "C": C, "fit_intercept": task.fit_intercept}
    options = arguments.repeat, arguments.longest
    found = measure_again(path, task, stored, *options) if stored else measure(path, task, bound, *options)
    peers = [peer.name for peer in PEERS if peer.suits(task)]
    about = {"repeat": arguments.repeat, "longest": arguments.longest, "machine": machine()}
    about |= {"peers": peers, "own": [solver.name for solver in OWN]}
    took = time.monotonic() - began + (stored["took"] if stored else 0)
    stored = names | about | {"took": took} | found
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps(stored, indent=1), encoding="utf-8")
    partial.rename(file)
    print("\n".join(panel_lines(stored)), f"[{stored['took']:.0f} s]", flush=True)


if __name__ == "__main__":
    main()
