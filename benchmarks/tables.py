"""The tables, the summary and the figures from the panels that solvers.py has measured.

    python benchmarks/tables.py RESULTS [--docs docs]

RESULTS gets solvers.rst, summary.rst and figures; with --docs, what the pages show is written there. The panels that
were measured are kept there as well, and shown until they are measured again.
"""

import argparse
import json
import math
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from datasets import BINARY, PROBLEMS
from figures import draw_bars, draw_curves
from linear_svms import LINEAR_SVC, OURS, OWN, SCHEDULED, SOLVERS

from linear_hinge.losses import LOSSES

LEVELS = (1e-2, 1e-3, 1e-4)
ALL_C = (0.01, 1.0, 100.0)
FIGURE_PANELS = (
    ("letter", "crammer_singer", 1.0),
    ("20news", "crammer_singer", 1.0),
    ("a9a", "one_vs_rest", 1.0),
    ("vowel", "one_vs_rest", 1.0),
)
TABLES = "benchmark_tables"  # in the folder of the pages
EQUAL = 1e-3  # relative; the tol of this package by default
OWN_NAMES = {solver.name for solver in OWN}
OLDER = " ‡"  # marks panels that were measured before this package took part with its schedules


@dataclass(frozen=True)
class Level:
    """Who reaches a suboptimality on a panel, and when; None is not in time."""

    panel: tuple
    level: float
    ours: float | None
    mine: str | None
    best: float | None
    peer: str | None
    limit: float
    longest: float
    is_proven: bool  # whether any run is known to be as close

    @property
    def ratio(self):
        """Seconds of the best peer over ours; where only the peer gets there at most this; None where no peer does."""
        if self.best is None:
            return None
        return self.best / (self.longest if self.ours is None else self.ours)

    @property
    def is_lost(self):
        return self.ratio is not None and self.ratio < 1


def suboptimality(objective, bound):
    """Relative to the bound; infinite without one."""
    return objective / bound - 1 if bound else math.inf


def medians(row):
    """Median seconds and objective of the runs of a row; None if one of them was given up or went wrong."""
    if any("seconds" not in run for run in row["runs"]):
        return None
    return tuple(median(run[key] for run in row["runs"]) for key in ("seconds", "objective"))


def seconds_to(panel, level, is_asked):
    """Seconds and solver of the quickest row that came as close, (None, None) if none did."""
    found = [
        (medians(row)[0], row["solver"])
        for row in panel["rows"]
        if row["repeated"]
        and is_asked(row["solver"])
        and medians(row)
        and suboptimality(medians(row)[1], panel["bound"]) <= level
    ]
    return min(found, default=(None, None))


def levels_of(panel, own=OWN_NAMES):
    """A `Level` for each of the levels, with some or all of the ways in which this package fits."""
    objectives = [run["objective"] for row in panel["rows"] for run in row["runs"] if "objective" in run]
    closest = suboptimality(min(objectives, default=math.inf), panel["bound"])
    for level in LEVELS:
        ours, mine = seconds_to(panel, level, lambda name: name in own)
        best, peer = seconds_to(panel, level, lambda name: name not in OWN_NAMES)
        names = (panel["problem"], panel["loss"], panel["C"])
        yield Level(names, level, ours, mine, best, peer, panel["limit"], panel["longest"], closest <= level)


def default_of(panel, solver):
    """Median seconds and objective with nothing set; None if there are none in time."""
    rows = [row for row in panel["rows"] if row["solver"] == solver.name and not row["setting"]]
    return medians(rows[0]) if rows else None


def has_schedules(panel):
    """Whether this package took part with its schedules."""
    return SCHEDULED.name in panel.get("own", ())


def beats_by_default(panel):
    """Whether this package is no slower than LinearSVC, and no worse; None where LinearSVC does not have the loss."""
    if LINEAR_SVC.name not in panel["peers"]:
        return None
    ours, other = default_of(panel, OURS), default_of(panel, LINEAR_SVC)
    if ours is None or other is None:
        return ours is not None
    return ours[0] <= other[0] and ours[1] <= other[1] * (1 + EQUAL)


# Cells


def shown(seconds):
    return f"{seconds:.3g}"


def cell(level, has_peers):
    """Our seconds, marked if by a schedule : those of the best peer and its letter, bold where the peer is ahead."""
    if not level.is_proven:
        return "not proven"
    ours = f"> {shown(level.longest)}" if level.ours is None else shown(level.ours) + SOLVERS[level.mine].letter
    best = f"> {shown(level.limit)}" if level.best is None else f"{shown(level.best)} {SOLVERS[level.peer].letter}"
    text = f"{ours} : {best if has_peers else '–'}"
    return f"**{text}**" if level.is_lost else text


def default_cells(panel):
    """Seconds, and suboptimalities, of this package and of LinearSVC by default."""
    found = [default_of(panel, solver) for solver in (OURS, LINEAR_SVC)]
    has = (True, LINEAR_SVC.name in panel["peers"])
    limits = (panel["longest"], panel["limit"])
    seconds = [
        shown(one[0]) if one else f"> {shown(limit)}" if there else "–"
        for one, limit, there in zip(found, limits, has, strict=True)
    ]
    gaps = [f"{max(0, suboptimality(one[1], panel['bound'])):.0e}" if one else "–" for one in found]
    is_lost = beats_by_default(panel) is False
    return [f"**{text}**" if is_lost else text for text in (" : ".join(seconds), " : ".join(gaps))]


def panel_lines(panel):
    """A panel on the screen."""
    cells = [cell(level, panel["peers"]) for level in levels_of(panel)] + default_cells(panel)
    return [" | ".join([f"{panel['problem']} {panel['loss']} {panel['C']:g}", *cells])]


# reStructuredText


def list_table(header, rows, title="", widths="auto"):
    lines = [f".. list-table:: {title}".rstrip(), "   :header-rows: 1", f"   :widths: {widths}", ""]
    for row in (header, *rows):
        lines += [f"   {'* -' if k == 0 else '  -'} {text}" for k, text in enumerate(row)]
    return "\n".join(lines) + "\n"


def solvers_table(panels):
    """All panels of the grid, one table a problem, also those that are still to be measured."""
    measured = {(p["problem"], p["loss"], p["C"]): p for p in panels if not p["fit_intercept"]}
    header = ("loss", "C", "to 1e-2", "to 1e-3", "to 1e-4", "by default", "suboptimality by default")
    parts = []
    for problem in PROBLEMS:
        losses = ["one_vs_rest"] if problem in BINARY else list(LOSSES)
        rows = []
        for loss in losses:
            for C in ALL_C:
                panel = measured.get((problem, loss, C))
                mark = OLDER if panel and not has_schedules(panel) else ""
                cells = ["not measured", "", "", "", ""]
                if panel:
                    cells = [cell(level, panel["peers"]) for level in levels_of(panel)] + default_cells(panel)
                rows.append(["binary" if problem in BINARY else f"``{loss}``", f"{C:g}{mark}", *cells])
        parts.append(list_table(header, rows, problem))
    return "\n".join(parts)


def geometric_mean(values):
    return float(np.exp(np.mean(np.log(values)))) if len(values) else math.nan


def summary_rows(panels, own=OWN_NAMES):
    """One line for every loss and one for all: how many levels, how far ahead, and how many are lost."""
    levels = [level for panel in panels for level in levels_of(panel, own)]
    kinds = {"binary": lambda p: p[0] in BINARY}
    kinds |= {loss: lambda p, loss=loss: p[0] not in BINARY and p[1] == loss for loss in LOSSES}
    kinds["all"] = lambda p: True
    for name, belongs in kinds.items():
        mine = [level for level in levels if belongs(level.panel)]
        ratios = np.array([level.ratio for level in mine if level.ratio is not None])
        only_ours = [level for level in mine if level.ratio is None and level.ours is not None]
        with_limits = [*ratios, *(level.limit / level.ours for level in only_ours)]
        if not mine:
            continue
        yield (
            name,
            len(mine),
            len(ratios),
            f"{geometric_mean(ratios):.2f}" if len(ratios) else "–",
            f"{geometric_mean(with_limits):.2f}" if with_limits else "–",
            f"{np.mean(ratios >= 1):.0%}" if len(ratios) else "–",
            f"{ratios.min():.2f}" if len(ratios) else "–",
            np.count_nonzero(ratios < 1),
            np.count_nonzero(ratios < 0.8),
            len(only_ours),
            len(mine) - len(ratios) - len(only_ours),
        )


def summary(panels):
    """What the tables come to."""
    panels = [panel for panel in panels if not panel["fit_intercept"]]
    if not panels:
        return "No panel has been measured.\n"
    header = (
        "loss",
        "levels",
        "a peer reaches",
        "geometric mean",
        "with the limit where none does",
        "ahead",
        "worst",
        "below 1",
        "below .8",
        "only this package",
        "nobody",
    )
    by_default = [beats_by_default(panel) for panel in panels]
    known = [won for won in by_default if won is not None]
    ratios = [
        default_of(panel, LINEAR_SVC)[0] / default_of(panel, OURS)[0]
        for panel in panels
        if default_of(panel, OURS) and default_of(panel, LINEAR_SVC)
    ]
    lost = [_name(panel) for panel, won in zip(panels, by_default, strict=True) if won is False]
    worst = sorted((lv for panel in panels for lv in levels_of(panel) if lv.is_lost), key=lambda level: level.ratio)
    return "\n".join(
        [
            list_table(header, summary_rows(panels), "With all settings of both sides"),
            list_table(header, summary_rows(panels, {OURS.name}), "This package without its schedules"),
            f"By default, no slower than LinearSVC at an objective that is equal (to {EQUAL:g}) or better: "
            f"{sum(known)} of {len(known)} panels; its seconds over those of this package, where it ends in time: "
            f"{geometric_mean(ratios):.2f} in the geometric mean. Lost by default: {'; '.join(lost) or 'none'}.",
            "",
            "Lost levels, the worst first: "
            + ("; ".join(f"{_name_of(lv.panel)} to {lv.level:g} ({lv.ratio:.2f})" for lv in worst) or "none")
            + ".",
            "",
            _about(panels),
            "",
        ]
    )


def _name(panel):
    return _name_of((panel["problem"], panel["loss"], panel["C"]))


def _name_of(names):
    problem, loss, C = names
    return f"{problem}{'' if problem in BINARY else ' ' + loss} C = {C:g}"


def _about(panels):
    machines = {json.dumps(panel["machine"]): panel["machine"] for panel in panels}
    texts = ["; ".join(f"{key} {value}" for key, value in machine.items()) for machine in machines.values()]
    limits = sorted({panel["longest"] for panel in panels})
    repeats = sorted({panel["repeat"] for panel in panels})
    hours = sum(panel["took"] for panel in panels) / 3600
    n_scheduled = sum(map(has_schedules, panels))
    return (
        f"{len(panels)} panels of {sum(1 if p in BINARY else len(LOSSES) for p in PROBLEMS) * len(ALL_C)}, "
        f"{n_scheduled} of them with the schedules of this package, "
        f"``--longest`` {' and '.join(map(shown, limits))}, ``--repeat`` {' and '.join(map(str, repeats))}, "
        f"{hours:.1f} hours. Measured with: {' / '.join(texts)}."
    )


# Files


def read_panels(*folders):
    """The panels of some folders, of each the one in the last folder that has it."""
    files = {file.name: file for folder in folders for file in sorted((Path(folder) / "panels").glob("*.json"))}
    panels = [json.loads(file.read_text(encoding="utf-8")) for file in files.values()]
    order = {name: k for k, name in enumerate((*PROBLEMS, *LOSSES))}
    return sorted(panels, key=lambda p: (order[p["problem"]], order[p["loss"]], p["C"]))


def bars(panels):
    """For each panel of the figure: its title, and seconds to 1e-3 of every solver that got there."""
    for names in FIGURE_PANELS:
        for panel in panels:
            if (panel["problem"], panel["loss"], panel["C"]) == names and not panel["fit_intercept"]:
                found = {
                    solver: seconds_to(panel, LEVELS[1], lambda name, solver=solver: name == solver)[0]
                    for solver in SOLVERS
                }
                yield _name_of(names).replace("_", "-"), {name: s for name, s in found.items() if s is not None}


def curve_rows(panels):
    """Points of the figure of curves: panel, solver, seconds and suboptimality of every row."""
    for panel in panels:
        for row in panel["rows"]:
            found = medians(row)
            if found and panel["bound"] and not panel["fit_intercept"]:
                yield _name(panel), row["solver"], found[0], suboptimality(found[1], panel["bound"])


def write_all(out, docs=None):
    panels = read_panels(*([] if docs is None else [Path(docs) / TABLES]), out)
    texts = {"solvers": solvers_table(panels), "summary": summary(panels)}
    for name, text in texts.items():
        (Path(out) / f"{name}.rst").write_text(text, encoding="utf-8")
    print(texts["summary"])
    draw_curves(list(curve_rows(panels)), Path(out) / "suboptimality.png")
    draw_bars(list(bars(panels)), Path(out) / "benchmark.png")
    if docs:
        publish(Path(out), Path(docs))


def what_counts(rows):
    """The rows that were repeated, and the one that came closest."""
    ended = [row for row in rows if "objective" in row["runs"][0]]
    closest = min(ended, key=lambda row: row["runs"][0]["objective"], default=None)
    return [row for row in rows if row["repeated"] or row is closest]


def publish(out, docs):
    """Copy what the pages show and the panels behind it; a text that is still missing says so."""
    folder = docs / TABLES
    (folder / "panels").mkdir(parents=True, exist_ok=True)
    for name in (
        "solvers",
        "summary",
        "threads",
        "memory",
        "scaling",
        "search",
        "stream",
        "partitions",
        "probabilities",
    ):
        measured, shown = out / f"{name}.rst", folder / f"{name}.inc"
        if measured.exists() or not shown.exists():
            text = measured.read_text(encoding="utf-8") if measured.exists() else "Not measured.\n"
            shown.write_text(text, encoding="utf-8")
    for file in sorted((out / "panels").glob("*.json")):
        panel = json.loads(file.read_text(encoding="utf-8"))
        kept = json.dumps(panel | {"rows": what_counts(panel["rows"])}, separators=(",", ":"))
        (folder / "panels" / file.name).write_text(kept + "\n", encoding="utf-8")
    if (out / "benchmark.png").exists():
        (docs / "_static" / "benchmark.png").write_bytes((out / "benchmark.png").read_bytes())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--docs", type=Path)
    arguments = parser.parse_args()
    write_all(arguments.results, arguments.docs)


if __name__ == "__main__":
    main()
