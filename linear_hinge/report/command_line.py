"""``python -m linear_hinge``: train on bundled or own data beside scikit-learn, and print a table."""

import argparse
import math
import os
import sys
import threading
from contextlib import contextmanager
from time import monotonic

from linear_hinge.kernels import is_compiled
from linear_hinge.losses import LOSSES
from linear_hinge.report.columns import HOLES, DataError
from linear_hinge.report.comparison import bundled_datasets, compare, equivalent_C, read_dataset, standardise
from linear_hinge.report.show_versions import describe_steps

HEADER = ["estimator", "loss", "fit s", "passes", "objective", "gap", "test accuracy", "agreement"]
# Rows appear one after another, so that the width of a column cannot wait for the longest of its cells.
WIDTHS = [max(map(len, ("MulticlassHingeClassifier", *LOSSES))), max(map(len, LOSSES)), 8, 7, 10, 7, 13, 9]
UNKNOWN = "–"
SECONDS_OF_SILENCE = 1.0  # before a fit is announced
LOW_AGREEMENT = 0.95  # in one_vs_rest that of equally good models can be less

DESCRIPTION = """\
Train linear support vector machines with multiclass hinge losses and compare them with LinearSVC and SGDClassifier of
scikit-learn. Those with the same loss minimise the same objective, alpha/2 ||W||^2 + the mean loss of the training
rows, but LinearSVC regularises its intercept. Without FILE, the digits and breast cancer data of scikit-learn and five
clouds of points in a row are used.
"""
EPILOG = """\
Cells of a CSV file are separated by commas, semicolons, tabs or bars; with the others, 1,5 is a number. It has a header
if no feature in its first row is a number, or if --label is given. Columns of text become columns of zeros and ones.
Cells with {holes} count as empty, in capitals, too. Empty cells of numbers become the
median of their column; in a column of text each of these words is a text of its own, as in labels that are words. A row
without a label is an error. Dense features are standardised; those of svmlight files are left as they are.
"""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, with a hint at the usage."""

    def error(self, message, hint="; see python -m linear_hinge --help"):
        self.exit(2, f"linear_hinge: error: {' '.join(message.split())}{hint}\n")


def main(argv=None):
    """Run the command, and return its exit status."""
    parser = make_parser()
    options = parser.parse_args(argv)
    if options.file is None and (options.test is not None or options.label is not None):
        parser.error("--test and --label go with a FILE to train on")
    try:
        run(options)
    except DataError as error:
        parser.error(str(error), hint="")
    except MemoryError as error:
        parser.error(f"not enough memory for these data: {error}", hint="")
    except BrokenPipeError:
        # The reader of the table has closed the pipe. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("linear_hinge: interrupted", file=sys.stderr)
        return 130
    return 0


def make_parser():
    """Make the parser of the command line."""
    # FILE comes first, because after --loss it would be taken for a loss.
    usage = "python -m linear_hinge [FILE] [options]"
    epilog = EPILOG.format(holes=", ".join(sorted(HOLES - {""})))
    parser = Parser(usage=usage, description=DESCRIPTION, epilog=epilog, allow_abbrev=False)
    parser.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help="CSV or svmlight file to train on, may be compressed (.gz, .bz2); or parquet; before the options",
    )
    parser.add_argument("--test", metavar="FILE", help="file to test on (default: a quarter of the rows is held out)")
    parser.add_argument("--label", metavar="NAME", help="label column of a CSV or parquet file (default: the last one)")
    parser.add_argument(
        "--alpha",
        type=positive_number,
        default=1e-4,
        metavar="A",
        help="strength of the regularisation (default: 1e-4)",
    )
    parser.add_argument(
        "--loss",
        nargs="+",
        action="extend",
        type=name_of_a_loss,
        metavar="L",
        help=f"one or more of {', '.join(LOSSES)} (default: all); FILE comes before it",
    )
    parser.add_argument(
        "--no-intercept", action="store_true", help="fit no intercepts, so that all minimise the same objective"
    )
    parser.add_argument("--no-scale", action="store_true", help="leave dense features as they are")
    parser.add_argument(
        "--max-iter", type=positive_integer, metavar="N", help="passes over the data at most (default: the estimators')"
    )
    parser.add_argument(
        "--tol", type=tolerance, metavar="T", help="tol of MulticlassHingeClassifier (default: its own)"
    )
    return parser


def name_of_a_loss(text):
    """Check that an argument is the name of a loss."""
    if text not in LOSSES:
        hint = f"choose from {', '.join(LOSSES)}; a FILE comes before --loss"
        raise argparse.ArgumentTypeError(f"invalid choice: {text!r} ({hint})")
    return text


def positive_number(text):
    """Convert an argument into a number greater than 0."""
    number = _finite_number(text)
    if number <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not greater than 0")
    return number


def tolerance(text):
    """Convert an argument into a number of at least 0."""
    number = _finite_number(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is less than 0")
    return number


def positive_integer(text):
    """Convert an argument into a whole number greater than 0."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number greater than 0")
    return number


def _finite_number(text):
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number")
    return number


def run(options):
    """Print a table for every dataset, row by row, and below them what their marks mean."""
    if options.file is None:
        datasets = bundled_datasets()
    else:
        datasets = [read_dataset(options.file, options.test, label=options.label)]
    losses = list(dict.fromkeys(options.loss or LOSSES))
    all_results = []
    without = "" if is_compiled() else "; without a C compiler everything is slower"
    print(f"minibatch steps: {describe_steps()}{without}\n")
    for dataset in datasets:
        # The heading is flushed, so that there is something to read while the estimators are fitted.
        print(heading(dataset, options.alpha), format_row(HEADER), sep="\n", flush=True)
        results = compare(
            dataset if options.no_scale else standardise(dataset),
            losses=losses,
            alpha=options.alpha,
            fit_intercept=not options.no_intercept,
            max_iter=options.max_iter,
            tol=options.tol,
            watch=waiting,
        )
        for result in results:
            print(format_row(cells(result)), flush=True)
            all_results.append(result)
        print(flush=True)
    for note in footnotes(all_results, intercept=not options.no_intercept):
        print(note, flush=True)


@contextmanager
def waiting(estimator, loss):
    """Show on a terminal what is being fitted and for how long, and erase it at the end."""
    if not sys.stderr.isatty():
        yield
        return
    done, started = threading.Event(), monotonic()

    def announce():
        while not done.wait(SECONDS_OF_SILENCE):
            sys.stderr.write(f"\rfitting {estimator}, {loss}: {monotonic() - started:.0f} s")
            sys.stderr.flush()

    thread = threading.Thread(target=announce, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        sys.stderr.write("\r\033[K")  # to the beginning of the line, which is erased
        sys.stderr.flush()


def heading(dataset, alpha):
    """Return the lines above the table of a dataset."""
    n_train, n_features = dataset.X_train.shape
    sizes = (
        f"{n_train} training and {len(dataset.y_test)} test rows, {n_features} features, {dataset.n_classes} classes"
    )
    notes = "".join(f"{note}\n" for note in dataset.notes)
    return f"{dataset.name}: {sizes}\n{notes}alpha = {alpha:g}, which is C = {equivalent_C(alpha, n_train):.6g}\n"


def cells(result):
    """Return the cells of the line of the table that belongs to a `Result`."""
    passes = UNKNOWN if result.n_passes is None else str(result.n_passes)
    return [
        result.estimator,
        result.loss,
        f"{result.seconds:.3f}",
        passes if result.converged else passes + "*",
        f"{result.objective:#.6g}",
        UNKNOWN if result.gap is None else f"{result.gap:.2g}",
        f"{result.accuracy:.1%}".replace("%", " %"),
        UNKNOWN if result.agreement is None else f"{result.agreement:.1%}".replace("%", " %"),
    ]


def format_row(row):
    """Return a line of a table: the first two cells are text, the others numbers."""
    text = [cell.ljust(width) for cell, width in zip(row[:2], WIDTHS[:2], strict=True)]
    numbers = [cell.rjust(width) for cell, width in zip(row[2:], WIDTHS[2:], strict=True)]
    return "  ".join(text + numbers).rstrip()


def footnotes(results, *, intercept):
    """Yield the notes that a reader of the tables needs."""
    yield "passes: over the training rows; those of different solvers are not equally long"
    yield "objective: alpha/2 ||W||^2 + the mean loss of the training rows; compare it within one loss only"
    yield "gap: how far the objective can be above its optimum, as a proven share of it; the others prove nothing"
    yield "agreement: share of the test rows that LinearSVC, trained with the same loss, puts into the same class"
    if any(result.loss == "one_vs_rest" and (result.agreement or 1) < LOW_AGREEMENT for result in results):
        yield "one_vs_rest: where agreement is low, many models are about equally good; look at the objectives"
    yield f"{UNKNOWN}: not reported by this solver; LinearSVC is what agreement is measured with"
    if any(result.loss == "weston_watkins" for result in results):
        yield "weston_watkins: LinearSVC does not have this loss; agreement is with its crammer_singer"
    if not all(result.converged for result in results):
        yield "* not converged within max_iter"
    if intercept:
        yield "LinearSVC regularises its intercept, so it minimises another objective (see --no-intercept)"
    else:
        yield "--no-intercept: all minimise the same objective; one_vs_rest misses its intercepts most"
