"""The benchmarks count what they say: true defaults, equal objectives, every setting, no lost level left out."""

import argparse
import json
import os
import runpy
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from linear_hinge import MulticlassHingeClassifier

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
MODULES = ("datasets", "figures", "linear_svms", "measuring", "partitions", "search", "solvers", "tables")

pytestmark = pytest.mark.skipif(not BENCHMARKS.exists(), reason="the tests run away from the repository")


@pytest.fixture(scope="module")
def modules():
    """The scripts, which find each other in their folder; afterwards nobody else finds them."""
    before = {name: sys.modules.pop(name, None) for name in MODULES}
    sys.path.insert(0, str(BENCHMARKS))
    try:
        yield {name: import_module(name) for name in MODULES}
    finally:
        sys.path.remove(str(BENCHMARKS))
        for name, module in before.items():
            sys.modules.pop(name)
            if module is not None:
                sys.modules[name] = module


@pytest.fixture(scope="module")
def svms(modules):
    return modules["linear_svms"]


@pytest.fixture(scope="module")
def solvers(modules):
    return modules["solvers"]


@pytest.fixture(scope="module")
def tables(modules):
    return modules["tables"]


def iris_task(svms, loss="one_vs_rest", **options):
    return svms.Task(loss, 1.0, n_samples=150, n_features=4, n_classes=3, n_nonzero=600, **options)


# Solvers


def test_by_default_nothing_is_passed_but_the_problem(svms, monkeypatch):
    passed = {}

    class Recorder(LinearSVC):
        def __init__(self, **options):
            passed.update(options)
            super().__init__(**options)

    monkeypatch.setattr(svms, "LinearSVC", Recorder)
    X, y = load_iris(return_X_y=True)
    svms.LINEAR_SVC.fit(StandardScaler().fit_transform(X)[:100], y[:100], iris_task(svms), {}, 0)
    assert set(passed) == {"loss", "C", "fit_intercept", "random_state"}


def test_what_defaults_stand_for_is_what_the_solver_says(svms):
    assert {key: LinearSVC().get_params()[key] for key in svms.LINEAR_SVC.defaults} == svms.LINEAR_SVC.defaults
    for solver, another in ((svms.OURS, "dtype"), (svms.SCHEDULED, "learning_rate")):
        ours = {key: value for key, value in solver.defaults.items() if key != another}
        assert {key: svms.MulticlassHingeClassifier().get_params()[key] for key in ours} == ours


def test_linear_svc_has_one_dual_for_the_hinge_loss():
    """Which is why the benchmark does not turn it."""
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="dual=False"):
        LinearSVC(loss="hinge", dual=False).fit(X, y)


@pytest.mark.parametrize("loss", ["one_vs_rest", "crammer_singer", "weston_watkins"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_every_solver_minimises_the_same_objective(loss, n_classes, svms, modules, recwarn):
    """No objective is below the bound, and the quick solvers come close to it."""
    X, y = load_iris(return_X_y=True)
    X, y = StandardScaler().fit_transform(X)[y < n_classes], y[y < n_classes]
    task = svms.Task(loss, 1.0, *X.shape, n_classes, X.size)
    bound = svms.OURS.fit(X, y, task, {"tol": 1e-5}, 0).bound
    exact = {"LinearSVC": {"tol": 1e-5, "max_iter": 100_000}, "liblinear-multicore": {"eps": 1e-5}}
    exact |= {"ReHLine": {"max_iter": 100_000}, "linear_hinge": {"dtype": "float32"}}
    exact |= {"linear_hinge, schedules": {"average": True, "tol": 0}}
    for solver in svms.SOLVERS.values():
        # Those that compile at their first fit are left to the benchmark itself.
        if solver.suits(task) and solver.name in exact:
            if solver.name == "LinearSVC" and task.kind == "crammer_singer":
                exact["LinearSVC"] = {"tol": 1e-5}
            fitted = solver.fit(X, y, task, exact[solver.name], 0)
            objective = modules["measuring"].objective_of(fitted, task, X, y)
            assert bound * (1 - 1e-9) <= objective <= bound * (1 + 5e-3), solver.name


def test_every_solver_tries_its_default_first_and_once(svms):
    for loss in ("one_vs_rest", "crammer_singer", "weston_watkins"):
        task = iris_task(svms, loss)
        for solver in svms.SOLVERS.values():
            settings = solver.all_settings(task)
            assert settings[0] == {}
            full = [json.dumps(solver.defaults | setting, sort_keys=True) for setting in settings]
            assert len(set(full)) == len(full)


def test_with_an_intercept_only_those_take_part_that_leave_it_free(svms):
    names = {solver.name for solver in svms.SOLVERS.values() if solver.suits(iris_task(svms, fit_intercept=True))}
    assert names == {"linear_hinge", "linear_hinge, schedules", "LinearSVC", "SGDClassifier"}


def test_schedules_are_turned_as_those_of_sgd_classifier(svms):
    """With the same names, passes and averages, for each size of a batch."""
    ours, theirs = (solver.settings(iris_task(svms)) for solver in (svms.SCHEDULED, svms.SOLVERS["SGDClassifier"]))
    keys = ("learning_rate", "max_iter", "average")
    for size in {setting["batch_size"] for setting in ours}:
        of_size = [setting for setting in ours if setting["batch_size"] == size]
        assert [[setting.get(key) for key in keys] for setting in of_size] == [
            [setting.get(key) for key in keys] for setting in theirs
        ]


@pytest.mark.parametrize(
    ("setting", "other", "expected"),
    [
        ({"tol": 1e-1}, {"tol": 1e-2}, True),
        ({"tol": 1e-2}, {"tol": 1e-1}, False),
        ({"tol": 1e-1, "max_iter": 10}, {"tol": 1e-1, "max_iter": 100}, True),
        ({"tol": 1e-1, "max_iter": 100}, {"tol": 1e-2, "max_iter": 10}, False),
        ({}, {"max_iter": 10_000}, True),
        ({"tol": 1e-1}, {"tol": 1e-2, "intercept_scaling": 10}, False),
    ],
)
def test_which_setting_has_at_most_as_much_to_do(setting, other, expected, svms):
    assert svms.LINEAR_SVC.at_most_as_long(setting, other) is expected


# The sweep


def made_up_run(seconds, objective, **rest):
    return {"seconds": seconds, "objective": objective, "n_iter": None, "bound": None} | rest


def test_settings_that_cannot_bring_anything_new_are_not_run(svms, solvers):
    """With tol = 1 it converges after 20 passes; what has more than 1,000 passes to make is given up."""
    tried = []

    def run(setting, seed, limit):
        tried.append(setting)
        full = svms.LINEAR_SVC.defaults | setting
        if full["tol"] >= 1:
            return made_up_run(0.1, 1.5, n_iter=(5, min(20, full["max_iter"])))
        return {"over": limit} if full["max_iter"] > 1000 else made_up_run(1.0, 1.1, n_iter=(5, full["max_iter"]))

    rows = []
    solvers.add_first_runs(rows, svms.LINEAR_SVC, iris_task(svms), run, lambda rows, setting: 5)
    assert len(rows) == len(tried)
    assert {"max_iter": 30, "tol": 1} in tried and {"max_iter": 100, "tol": 1} not in tried
    assert {"max_iter": 10_000, "tol": 0.3} in tried and {"max_iter": 10_000, "tol": 0.1} not in tried
    assert {"max_iter": 1000, "tol": 1e-3} in tried


@pytest.mark.parametrize(
    ("setting", "n_iter", "other", "expected"),
    [
        ({"max_iter": 30}, (5, 20), {"max_iter": 100}, True),
        ({"max_iter": 30}, (5, 30), {"max_iter": 100}, False),
        ({"max_iter": 30}, (5, 20), {"max_iter": 10}, False),
        ({"max_iter": 30, "tol": 0.1}, (30, 30), {"max_iter": 30, "tol": 0.01}, True),
        ({"max_iter": 30, "tol": 0.1}, (30, 30), {"max_iter": 30, "tol": 1}, False),
        ({"max_iter": 30, "tol": 0.1}, (29, 30), {"max_iter": 30, "tol": 0.01}, False),
        ({"max_iter": 30, "tol": 0.1}, (30, 30), {"max_iter": 100, "tol": 0.01}, False),
        ({"max_iter": 30, "tol": 0.1}, None, {"max_iter": 30, "tol": 0.01}, False),
    ],
)
def test_a_run_is_the_same_where_what_changes_has_not_ended_it(setting, n_iter, other, expected, svms):
    assert svms.LINEAR_SVC.is_the_same_run(setting, n_iter, other) is expected


def row_of(solver, seconds, objective, setting=None, repeated=False, n_runs=1):
    runs = [made_up_run(seconds, objective)] * n_runs
    return {"solver": solver, "setting": setting or {"tol": 0.5}, "repeated": repeated, "runs": runs}


def test_the_best_to_any_level_are_run_again_in_turn(solvers):
    rows = [
        row_of("linear_hinge", 1.0, 1 + 5e-5),
        row_of("linear_hinge", 0.5, 1 + 5e-3),
        row_of("linear_hinge", 9.0, 1 + 5e-5),
        row_of("LinearSVC", 2.0, 1 + 5e-4),
        row_of("LinearSVC", 2.9, 1 + 5e-4),
        row_of("LinearSVC", 8.0, 1 + 5e-4),
        row_of("LinearSVC", 8.0, 2.0, setting={}) | {"setting": {}},
        row_of("snapml", 7.0, 1 + 5e-4),
    ]
    chosen = solvers.contenders(rows, 1.0)
    assert [rows.index(row) for row in chosen] == [0, 1, 3, 4, 6, 7]
    order = []

    def run(name, setting, seed, limit):
        order.append((name, seed))
        return made_up_run(1.0, 1.0)

    solvers.repeat_in_turn(chosen[:3], run, 3, 60)
    assert order == [(row["solver"], seed) for seed in (1, 2) for row in chosen[:3]]
    assert all(row["repeated"] and len(row["runs"]) == 3 for row in chosen[:3])


def test_a_peer_gets_thirty_times_what_this_package_needs(solvers):
    ours = [row_of("linear_hinge", 0.5, 1 + 5e-5)]
    assert solvers.limit_of(ours, 1.0, 60) == 15
    assert solvers.limit_of(ours, 1.0, 10) == 10
    assert solvers.limit_of(ours, None, 60) == 60


def test_a_panel_is_measured_again_by_its_stored_first_fits(solvers, svms, monkeypatch):
    """This package in every setting, and of the peers those that were close; the others keep their first fit alone."""
    calls = []

    class Fitter:
        def __init__(self, path, task, solver):
            self.solver = solver

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def run(self, setting, seed, limit):
            calls.append((self.solver, seed))
            return made_up_run(0.5, 1 + 5e-5)

    def run_apart(path, task, name, setting, seed, limit):
        return Fitter(path, task, name).run(setting, seed, limit)

    monkeypatch.setattr(solvers, "Worker", Fitter)
    monkeypatch.setattr(solvers, "run_apart", run_apart)
    task = iris_task(svms)
    close, far = row_of("snapml", 2.0, 1 + 5e-5, repeated=True), row_of("snapml", 9.0, 1 + 5e-5, repeated=True)
    stored = {"bound": 1.0, "limit": 15, "rows": [row_of("linear_hinge", 7.0, 1.0), close, far]}
    found = solvers.measure_again(None, task, stored, 3, 60)
    peers = [row for row in found["rows"] if row["solver"] not in solvers.OWN_NAMES]
    assert [(row["repeated"], [run["seconds"] for run in row["runs"]]) for row in peers] == [
        (True, [0.5, 0.5, 0.5]),
        (False, [9.0]),
    ]
    for own in svms.OWN:
        assert calls.count((own.name, 0)) == len(own.all_settings(task))
    assert [calls.count(("snapml", seed)) for seed in range(4)] == [1, 1, 1, 0]
    assert (found["bound"], found["limit"]) == (1.0, 15)


def test_a_panel_that_is_there_is_not_measured_again(solvers, modules, tmp_path, monkeypatch, capsys):
    measured = []

    def measure(path, task, bound, repeat, longest):
        measured.append((task.loss, task.C))
        rows = [row_of("linear_hinge", 1.0, 1.0, repeated=True), row_of("LinearSVC", 3.0, 1.0, repeated=True)]
        return {"bound": bound, "limit": 2, "rows": rows}

    monkeypatch.setattr(solvers, "measure", measure)
    monkeypatch.setattr(solvers, "find_bound", lambda path, task, limit: {"bound": 1.0, "gap": 0.0})
    monkeypatch.setattr(solvers, "write_all", lambda out: None)
    command = ["solvers.py", "DATA", "--out", str(tmp_path), "--problems", "made_up_dense", "--losses", "one_vs_rest"]
    for options in (["--C", "1"], ["--C", "1", "100"], ["--minutes", "-1", "--C", "0.01"]):
        monkeypatch.setattr(sys, "argv", [*command, *options])
        solvers.main()
    assert measured == [("one_vs_rest", 1.0), ("one_vs_rest", 100.0)]
    assert "stopped" in capsys.readouterr().out
    panels = modules["tables"].read_panels(tmp_path)
    assert [panel["C"] for panel in panels] == [1.0, 100.0]


class SlowSearch:
    n_jobs = 1

    def fit(self, X, y):
        time.sleep(60)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_search_that_takes_too_long_is_given_up(modules):
    data = np.zeros((2, 1)), np.zeros(2)
    began = time.monotonic()
    assert modules["search"].measure_in_time(0.5, SlowSearch(), 2, data, data) == ["> 0", "–", "–", "–", "–"]
    assert time.monotonic() - began < 30


# The tables


def panel_of(rows, bound=1.0, problem="letter", peers=("LinearSVC",)):
    about = {"fit_intercept": False, "limit": 15, "longest": 60, "repeat": 5, "took": 1.0, "machine": {"cores": 2}}
    names = {"problem": problem, "loss": "crammer_singer", "C": 1.0, "bound": bound}
    return names | about | {"peers": list(peers), "rows": rows}


def test_cells_say_who_is_ahead(tables):
    panel = panel_of(
        [
            row_of("linear_hinge", 1.0, 1 + 5e-3, repeated=True),
            row_of("linear_hinge", 2.0, 1 + 5e-5, repeated=True),
            row_of("LinearSVC", 0.5, 1 + 5e-3, repeated=True),
            row_of("snapml", 9.0, 1 + 5e-4, repeated=True),
            row_of("LinearSVC", 0.1, 1 + 5e-5),  # was not run again
        ]
    )
    levels = list(tables.levels_of(panel))
    assert [tables.cell(level, True) for level in levels] == ["**1 : 0.5 L**", "2 : 9 S", "2 : > 15"]
    assert [level.ratio for level in levels] == [0.5, 4.5, None]


def test_a_schedule_counts_as_a_setting_of_this_package_and_is_left_out_where_that_is_asked(tables):
    rows = [
        row_of("linear_hinge", 2.0, 1 + 5e-5, repeated=True),
        row_of("linear_hinge, schedules", 0.25, 1 + 5e-3, repeated=True),
        row_of("LinearSVC", 0.5, 1 + 5e-5, repeated=True),
    ]
    panel = panel_of(rows) | {"own": ["linear_hinge", "linear_hinge, schedules"]}
    cells = [tables.cell(level, True) for level in tables.levels_of(panel)]
    assert cells == ["0.25† : 0.5 L", "**2 : 0.5 L**", "**2 : 0.5 L**"]
    assert [level.ratio for level in tables.levels_of(panel, {"linear_hinge"})] == [0.25] * 3
    assert {row[0]: row[5] for row in tables.summary_rows([panel])} == {"crammer_singer": "33%", "all": "33%"}
    assert "1 of them with the schedules of this package" in tables.summary([panel])
    older = panel_of(rows) | {"C": 100.0}
    lines = tables.solvers_table([panel, older]).splitlines()
    assert "     - 1" in lines and "     - 100 ‡" in lines and "     - 1 ‡" not in lines


def test_the_pages_keep_panels_and_tables_until_they_are_measured_again(tables, tmp_path):
    docs, results = tmp_path / "docs", [tmp_path / "first", tmp_path / "second"]
    (docs / "_static").mkdir(parents=True)
    for out, name, seconds in ((results[0], "a", 1.0), (results[0], "b", 2.0), (results[1], "b", 3.0)):
        rows = [row_of("linear_hinge", seconds, 1.0, repeated=True), row_of("LinearSVC", 9.0, 1.5)]
        (out / "panels").mkdir(parents=True, exist_ok=True)
        (out / "panels" / f"{name}.json").write_text(json.dumps(panel_of(rows)), encoding="utf-8")
    (results[0] / "search.rst").write_text("measured", encoding="utf-8")
    for out in results:
        tables.publish(out, docs)
    shown = docs / "benchmark_tables"
    assert (shown / "search.inc").read_text(encoding="utf-8") == "measured"
    assert (shown / "stream.inc").read_text(encoding="utf-8") == "Not measured.\n"
    found = tables.read_panels(shown)
    assert [panel["rows"][0]["runs"][0]["seconds"] for panel in found] == [1.0, 3.0]
    assert [len(panel["rows"]) for panel in found] == [1, 1]  # what was not run again and is not the closest goes
    assert tables.read_panels(shown, results[0])[1]["rows"][0]["runs"][0]["seconds"] == 2.0


def test_a_level_that_only_a_peer_reaches_counts_as_lost(tables):
    panel = panel_of([row_of("LinearSVC", 6.0, 1 + 5e-5, repeated=True)])
    level = list(tables.levels_of(panel))[-1]
    assert level.ratio == pytest.approx(0.1) and level.is_lost
    assert tables.cell(level, True) == "**> 60 : 6 L**"


def test_without_a_proof_nobody_has_won(tables):
    panel = panel_of([row_of("linear_hinge", 6.0, 1.5, repeated=True)])
    assert [tables.cell(level, True) for level in tables.levels_of(panel)] == ["not proven"] * 3
    assert not any(level.is_proven for level in tables.levels_of(panel_of(panel["rows"], bound=None)))


@pytest.mark.parametrize(
    ("ours", "other", "expected"),
    [((1, 1.0), (2, 1.0), True), ((2, 1.0), (1, 1.0), False), ((1, 1.01), (2, 1.0), False), ((1, 1.0), None, True)],
)
def test_by_default_seconds_and_objective_count(ours, other, expected, tables):
    found = {"linear_hinge": ours, "LinearSVC": other}
    rows = [row_of(name, *what) | {"setting": {}} for name, what in found.items() if what]
    assert tables.beats_by_default(panel_of(rows)) is expected
    assert tables.beats_by_default(panel_of(rows, peers=())) is None


def test_the_summary_counts_levels(tables):
    rows = [row_of("linear_hinge", 1.0, 1.0, {"tol": 1e-4}, True), row_of("LinearSVC", 4.0, 1 + 5e-4, None, True)]
    quick = [row_of("linear_hinge", 1.0, 1.0, {"tol": 1e-4}, True), row_of("LinearSVC", 0.5, 1 + 5e-3, None, True)]
    kinds = {row[0]: row[1:] for row in tables.summary_rows([panel_of(rows), panel_of(quick, problem="usps")])}
    # 4, 4 and .5; at the other levels the peer was given up after 15 s
    assert kinds["all"] == (6, 3, "2.00", f"{(4 * 4 * 0.5 * 15**3) ** (1 / 6):.2f}", "67%", "0.50", 1, 1, 3, 0)
    text = tables.summary([panel_of(rows), panel_of(quick, problem="usps")])
    assert "usps crammer_singer C = 1 to 0.01 (0.50)" in text


def test_the_table_shows_every_panel_of_the_grid(tables, modules):
    problems, binary = modules["datasets"].PROBLEMS, modules["datasets"].BINARY
    table = tables.solvers_table([])
    assert table.count("not measured") == 3 * (3 * len(problems) - 2 * len(binary))


# Data


@pytest.mark.parametrize("name", ["made_up_dense", "made_up_unequal"])
def test_made_up_problems_stay_as_they_are(name, modules):
    first, again = (modules["datasets"].load_problem("nowhere", name) for _ in range(2))
    assert first[0].sum() == again[0].sum() and np.array_equal(first[2], again[2])
    assert first[0].shape[1] == first[1].shape[1]
    assert set(first[3]) <= set(first[2]) == set(range(len(set(first[2]))))


def test_labels_that_no_training_row_has_are_minus_one(modules, tmp_path):
    (tmp_path / "vowel").mkdir()
    arrays = {"X_train": np.eye(4), "y_train": [3, 5, 5, 3], "X_test": np.eye(4), "y_test": [5, 4, 3, 9]}
    np.savez(tmp_path / "vowel" / "vowel.npz", **arrays)
    *_, y, y_test = modules["datasets"].load_problem(tmp_path, "vowel")
    assert y.tolist() == [0, 1, 1, 0] and y_test.tolist() == [1, -1, 0, -1]


# Processes


def test_processes_have_all_threads(modules):
    """A process that is forked after the import of this package stays on one."""
    processes = modules["measuring"].PROCESSES
    receiver, sender = processes.Pipe(duplex=False)
    code = "import measuring\nfrom linear_hinge.kernels import threads\nsender.send(threads.team.is_forked)"
    process = processes.Process(target=exec, args=(code, {"sender": sender}))
    process.start()
    assert receiver.poll(60)
    assert receiver.recv() is False
    process.join()


def test_a_worker_measures_gives_up_and_goes_on(svms, modules, tmp_path):
    measuring = modules["measuring"]
    path = measuring.stored_problem("nowhere", "made_up_dense", tmp_path)
    task = measuring.task_of(path, "one_vs_rest", 1.0)
    with measuring.Worker(path, task, "LinearSVC") as worker:
        assert worker.run({"max_iter": 10**9, "tol": 1e-300}, seed=0, limit=0.1) == {"over": 0.1}
        result = worker.run({"max_iter": 3, "tol": 1}, seed=0, limit=60)
        assert worker.run({"no such parameter": 1}, seed=0, limit=60)["error"].startswith("TypeError")
    assert result["n_iter"] == (0, 3) and result["seconds"] > 0 and 0.3 < result["accuracy"] <= 1
    assert result["objective"] > measuring.find_bound(path, task, 60)["bound"] > 0


class Understood(Exception):
    """A script has read its options."""


def test_all_scripts_take_the_options_that_they_are_given(modules, monkeypatch, tmp_path):
    commands = []
    monkeypatch.setattr(subprocess, "run", lambda command, check: commands.append(command))
    monkeypatch.setattr(sys, "argv", ["benchmarks", "DATA", "--out", str(tmp_path), "--problems", "vowel"])
    runpy.run_path(str(BENCHMARKS / "__main__.py"), run_name="__main__")
    parse = argparse.ArgumentParser.parse_args

    def stop(parser):
        raise Understood(parse(parser))

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", stop)
    assert len(commands) == 9
    for _, script, *options in commands:
        monkeypatch.setattr(sys, "argv", [str(script), *options])
        with pytest.raises(Understood, match=str(tmp_path)):
            runpy.run_path(str(script), run_name="__main__")


@pytest.mark.parametrize("order", ["random", "sorted"])
def test_partitions_have_every_row_once(modules, order):
    X, y = load_iris(return_X_y=True)
    problem, *_ = MulticlassHingeClassifier()._weighted_problem(X, y, np.ones(len(y)))
    rowless, held = modules["partitions"].in_partitions(problem, 4, order)
    parts = [partition.problem for partition in held.partitions]
    np.testing.assert_array_equal(np.sort(np.concatenate([part.X for part in parts]), axis=0), np.sort(X, axis=0))
    assert sum(held.shares) == pytest.approx(1)
    assert rowless.X.shape == (0, X.shape[1])
    assert max(len(np.unique(part.y)) for part in parts) == (2 if order == "sorted" else 3)


def test_a_gap_that_is_still_open_is_shown(modules):
    fits = [
        {"problem": "iris", "C": 1.0, "parts": parts, "order": "random", "passes": 7, "gap": gap}
        for parts, gap in ((1, 1e-4), (2, 5e-4), (4, 0.25))
    ]
    cells = modules["partitions"].table(fits, [2, 4]).split("\n   * - ")[-1].split("\n     - ")
    assert [cell.strip() for cell in cells] == ["iris", "1", "7", "7", "**7, gap 2.5e-01**", "–", "–"]
