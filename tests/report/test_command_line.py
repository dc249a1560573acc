"""``python -m linear_hinge``: what it prints, and how it ends."""

import io
import subprocess
import sys
import time

import numpy as np
import pytest

from linear_hinge import MulticlassHingeClassifier
from linear_hinge.kernels import is_compiled
from linear_hinge.report import command_line as command
from linear_hinge.report import comparison
from linear_hinge.report.columns import DataError
from linear_hinge.report.comparison import Result


@pytest.fixture
def flowers(tmp_path):
    """A CSV file of three classes, which a line tells apart well but not always."""
    rng = np.random.RandomState(0)
    lines = ["height,width,kind"]
    for kind, centre in [("aster", (0, 0)), ("lily", (3, 0)), ("rose", (0, 3))]:
        lines += [f"{x:.3f},{y:.3f},{kind}" for x, y in rng.normal(centre, 1, (20, 2))]
    path = tmp_path / "flowers.csv"
    path.write_text("\n".join(lines))
    return str(path)


@pytest.fixture
def run(capsys):
    """Run the command in this process: exit status, what it printed, and its complaint."""

    def run(*arguments):
        try:
            status = command.main([str(argument) for argument in arguments])
        except SystemExit as stop:
            status = stop.code
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


def table(out):
    """The rows of the first table, split into cells."""
    lines = out.split("\n\n")[2].splitlines()
    starts = [lines[0].index(name) for name in ("estimator", "loss")]
    return [[line[: starts[1]].strip(), *line[starts[1] :].replace(" %", "%").split()] for line in lines[1:]]


def test_own_file(run, flowers):
    status, out, err = run(flowers, "--alpha", 0.01)
    assert (status, err) == (0, "")
    assert out.startswith("minibatch steps: ")
    assert ("without a C compiler everything is slower" in out.splitlines()[0]) != is_compiled()
    assert out.split("\n\n")[1] == (
        f"{flowers}: 45 training and 15 test rows, 2 features, 3 classes\nalpha = 0.01, which is C = 2.22222"
    )
    rows = table(out)
    assert [row[:2] for row in rows] == [
        ["LinearSVC", "crammer_singer"],
        ["MulticlassHingeClassifier", "crammer_singer"],
        ["MulticlassHingeClassifier", "weston_watkins"],
        ["LinearSVC", "one_vs_rest"],
        ["SGDClassifier", "one_vs_rest"],
        ["MulticlassHingeClassifier", "one_vs_rest"],
    ]
    assert [row[3] == "–" for row in rows] == [True, False, False, False, False, False]
    assert [row[7] == "–" for row in rows] == [True, False, False, True, False, False]
    assert all(0 < float(row[4]) < 3 for row in rows)
    assert "agreement is with its crammer_singer" in out
    assert "LinearSVC regularises its intercept" in out


def test_columns_are_aligned(run, flowers):
    _, out, _ = run(flowers, "--loss", "one_vs_rest")
    lines = out.split("\n\n")[2].splitlines()
    assert len({len(line) for line in lines}) == 1
    assert " ".join(lines[0].split()) == "estimator loss fit s passes objective gap test accuracy agreement"


def test_marks_and_footnotes(run, flowers):
    _, out, _ = run(flowers, "--loss", "one_vs_rest", "--no-intercept", "--max-iter", 1)
    assert [row[3] for row in table(out)] == ["1*", "1*", "1*"]
    assert "* not converged within max_iter" in out
    assert "--no-intercept: all minimise the same objective" in out
    assert "weston_watkins" not in out
    assert all(f"\n{name}: " in out for name in ("passes", "objective", "gap", "agreement"))
    assert "\n–: not reported by this solver" in out


@pytest.mark.parametrize(
    ("loss", "agreement", "noted"), [("one_vs_rest", 0.5, 1), ("one_vs_rest", None, 0), ("x", 0.5, 0)]
)
def test_low_agreement_of_one_vs_rest_is_explained(loss, agreement, noted):
    result = Result("A", loss, 1.0, 1, True, 1.0, None, 1.0, np.zeros(1), agreement)
    notes = list(command.footnotes([result], intercept=True))
    assert sum("many models are about equally good" in note for note in notes) == noted


def test_numbers():
    result = Result(
        estimator="A",
        loss="one_vs_rest",
        seconds=1.23456,
        n_passes=12,
        converged=False,
        objective=0.3,
        gap=0.000123,
        accuracy=0.97777,
        agreement=1.0,
        predictions=np.zeros(1),
    )
    expected = ["A", "one_vs_rest", "1.235", "12*", "0.300000", "0.00012", "97.8 %", "100.0 %"]
    assert command.cells(result) == expected


def test_gap_of_estimators_that_have_one(run, flowers, monkeypatch):
    monkeypatch.setattr(MulticlassHingeClassifier, "duality_gap_", 0.25, raising=False)
    gaps = {row[0]: row[5] for row in table(run(flowers, "--loss", "one_vs_rest")[1])}
    assert gaps.pop("MulticlassHingeClassifier") != "–"
    assert gaps == {"LinearSVC": "–", "SGDClassifier": "–"}


def test_losses_are_chosen(run, flowers):
    chosen = [row[1] for row in table(run(flowers, "--loss", "one_vs_rest", "weston_watkins")[1])]
    assert chosen == ["one_vs_rest"] * 3 + ["crammer_singer", "weston_watkins"]
    repeated = run(flowers, "--loss", "one_vs_rest", "--loss", "one_vs_rest", "weston_watkins")[1]
    assert [row[1] for row in table(repeated)] == chosen


def test_scaling(run, tmp_path):
    """Standardised, a column in thousandths counts as much as any other; as it is, it has no say."""
    x = np.random.RandomState(0).normal(size=80)
    path = tmp_path / "small.csv"
    path.write_text("".join(f"{value / 1000:.9f},{'ab'[int(value > 0)]}\n" for value in x))
    scaled, unscaled = (float(table(run(path, "--alpha", 0.1, *more)[1])[-1][5]) for more in ([], ["--no-scale"]))
    assert scaled < 0.9
    assert unscaled > 0.99


def test_test_file_and_label(run, flowers, tmp_path):
    test = tmp_path / "test.csv"
    test.write_text("height,width,kind\n0,0,aster\n3,0,lily\n")
    status, out, _ = run(flowers, "--test", test, "--label", "kind", "--loss", "crammer_singer")
    assert status == 0
    assert "60 training and 2 test rows" in out
    assert [row[6] for row in table(out)] == ["100.0%"] * 2


def test_svmlight_with_two_classes(run, tmp_path):
    path = tmp_path / "rows.txt"
    path.write_text("".join(f"{(-1) ** i} {1 + i % 2}:{1 + i / 40} 5:0.5\n" for i in range(40)))
    status, out, _ = run(path)
    assert status == 0
    assert "30 training and 10 test rows, 5 features, 2 classes" in out
    assert [row[1:3] for row in table(out)] == [["binary", "hinge"]] * 3


def test_bundled_data(run):
    status, out, err = run("--loss", "crammer_singer", "--max-iter", 5)
    assert (status, err) == (0, "")
    assert out.count("estimator") == 3
    assert "five clouds in a row: 750 training and 250 test rows, 2 features, 5 classes" in out
    assert "digits: 1347 training and 450 test rows, 64 features, 10 classes" in out
    assert "breast cancer: 426 training and 143 test rows, 30 features, 2 classes" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--alpha", "0"], "--alpha: 0 is not greater than 0"),
        (["--alpha", "-1"], "--alpha: -1 is not greater than 0"),
        (["--alpha", "nan"], "--alpha: 'nan' is not a number"),
        (["--alpha", "much"], "--alpha: 'much' is not a number"),
        (["--tol", "-0.1"], "--tol: -0.1 is less than 0"),
        (["--max-iter", "0"], "--max-iter: '0' is not a whole number greater than 0"),
        (["--max-iter", "1.5"], "--max-iter: '1.5' is not a whole number greater than 0"),
        (
            ["--loss", "hinge"],
            "--loss: invalid choice: 'hinge' (choose from crammer_singer, weston_watkins, one_vs_rest",
        ),
        (["--loss", "one_vs_rest", "rows.csv"], "invalid choice: 'rows.csv' (choose from"),
        (["--loss", "one_vs_rest", "rows.csv"], "; a FILE comes before --loss)"),
        (["--losses", "hinge"], "unrecognized arguments"),
        (["--label", "colour"], "{file}: the label column 'colour' is not in the header"),
        (["--label", "height"], "is not the label of a class"),
        (["--test", "missing.csv"], "missing.csv: there is no such file"),
    ],
)
def test_wrong_argument(run, flowers, arguments, message):
    status, out, err = run(flowers, *arguments)
    assert status == 2
    assert err.startswith("linear_hinge: error: ")
    assert err.count("\n") == 1
    assert message.format(file=flowers) in err
    assert "LinearSVC" not in out


def test_an_argument_that_no_estimator_takes(run, flowers):
    status, _, err = run(flowers, "--max-iter", "1" + "0" * 20)
    assert status == 2
    assert f"on {flowers}: " in err


@pytest.mark.parametrize("arguments", [["--test", "rows.csv"], ["--label", "kind"]])
def test_arguments_that_need_a_file(run, arguments):
    hint = "see python -m linear_hinge --help"
    wanted = f"linear_hinge: error: --test and --label go with a FILE to train on; {hint}\n"
    assert run(*arguments)[::2] == (2, wanted)


def test_a_stranger_s_table(run, tmp_path):
    """Semicolons, decimal commas, a column of text and empty cells."""
    rng = np.random.RandomState(0)
    lines = ["Größe;Farbe;Art"]
    for i in range(60):
        size = f"{rng.normal(i % 2):.2f}".replace(".", ",") if i % 10 else ""
        lines.append(f"{size};{['rot', 'grün', 'blau'][i % 3]};{'AB'[i % 2]}")
    path = tmp_path / "fremd.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    status, out, err = run(path)
    assert (status, err) == (0, "")
    assert "text became columns of zeros and ones: 'Farbe' (3)\n" in out
    assert "empty cells, filled with the median of their column: 6\n" in out
    assert "45 training and 15 test rows, 4 features, 2 classes" in out


def test_rows_appear_as_they_are_fitted(flowers, monkeypatch, capsys):
    printed = []
    measure = comparison._measure

    def measured(*args):
        printed.append(capsys.readouterr().out)
        return measure(*args)

    monkeypatch.setattr(comparison, "_measure", measured)
    assert command.main([flowers, "--loss", "one_vs_rest"]) == 0
    assert [text.split()[0] for text in printed] == ["minibatch", "LinearSVC", "SGDClassifier"]
    assert f"{flowers}: " in printed[0]


def test_on_a_terminal_a_long_fit_is_announced(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(command.sys, "stderr", Terminal())
    monkeypatch.setattr(command, "SECONDS_OF_SILENCE", 0.01)
    with command.waiting("LinearSVC", "one_vs_rest"):
        while "fitting LinearSVC, one_vs_rest: 0 s" not in command.sys.stderr.getvalue():
            time.sleep(0.01)
    assert command.sys.stderr.getvalue().endswith("\r\033[K")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"1,2,a\n3,b\n", "line 2 has 2 cells, but line 1 has 3"),
        (b"1,2,a\n3,4,a\n", "all rows to train on have the same label, 'a'"),
        (b"1,2,a\n3,4,b\n", "without the quarter that is held out: all rows to train on have the same label, '"),
        (b"\x1f\x8b\x08 broken", "cannot be read: "),
    ],
)
def test_wrong_file(run, tmp_path, content, message):
    path = tmp_path / "rows"
    path.write_bytes(content)
    status, out, err = run(path)
    assert (status, out) == (2, "")
    assert err.startswith(f"linear_hinge: error: {path}")
    assert message in err


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (KeyboardInterrupt, (130, "linear_hinge: interrupted\n")),
        (DataError("too\n  many lines"), (2, "linear_hinge: error: too many lines\n")),
        (MemoryError("8 GiB"), (2, "linear_hinge: error: not enough memory for these data: 8 GiB\n")),
    ],
)
def test_ended_early(run, flowers, monkeypatch, raised, expected):
    def compare(*args, **kwargs):
        raise raised

    monkeypatch.setattr(command, "compare", compare)
    status, out, err = run(flowers)
    assert (status, err) == expected
    assert "flowers.csv: 45 training" in out


def test_as_a_module(flowers):
    arguments = [sys.executable, "-m", "linear_hinge", flowers, "--loss", "crammer_singer"]
    done = subprocess.run(arguments, capture_output=True, encoding="utf-8", timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert [row[0] for row in table(done.stdout)] == ["LinearSVC", "MulticlassHingeClassifier"]
