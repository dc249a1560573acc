"""Read svmlight, CSV and parquet files.

Any fault of a file is a `DataError`, whose message is one sentence for the owner of the file.
"""

import bz2
import gzip
import io
import re
import zlib
from bisect import bisect_left
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from sklearn.datasets import load_svmlight_file

from linear_hinge.report.columns import (
    LARGEST_VALUE,
    DataError,
    Encoding,
    cells_of_parquet,
    encode,
    not_finite,
    read_cells,
    rows_without_label,
)

PARQUET, ZIP = b"PAR1", b"PK\x03\x04"  # first bytes
MANY_CLASSES = 20  # numbers as labels that occur once or twice each are none

# What follows the label on a line of an svmlight file.
INDEX_VALUE = re.compile(r"(qid|-?\d+):[^,\s]*")


@dataclass(frozen=True)
class Table:
    """One file: CSR and numbers as labels from svmlight, an array and text as labels from CSV and parquet."""

    path: str
    X: np.ndarray | sp.csr_array | sp.csr_matrix
    y: np.ndarray
    columns: list[str] | None = None  # names of the columns that became features, where there is a header
    encodings: list[Encoding] = field(default_factory=list)  # what became of the columns
    n_holes: int = 0  # cells that were filled
    first_index: int | None = None  # the index of the first feature of an svmlight file, 0 or 1


def read_table(path, *, label=None, like=None):
    """Read a file, whose format follows from its first data line.

    Parameters
    ----------
    path : str
        An svmlight or CSV file, as it is or compressed by gzip or bzip2, or a parquet file.
    label : str, default=None
        Name of the label column of a CSV or parquet file; the last column when it is not given.
    like : Table, default=None
        The file that was trained on, when this one is to be tested on: format, features and labels must be the same.

    Returns
    -------
    table : Table

    Raises
    ------
    DataError
        If the file cannot be read, or does not hold what is needed.
    """
    content = _read_bytes(path)
    if content.startswith(PARQUET):
        table = _table(path, cells_of_parquet(path), label, like)
    else:
        text = _as_text(path, content)
        if not text.strip():
            raise DataError(f"{path}: the file is empty")
        if _is_svmlight(text):
            table = _read_svmlight(path, text, label, like)
        else:
            table = _table(path, read_cells(path, text, has_header=label is not None), label, like)
    _check_labels(table, label)
    if like is not None:
        _check_seen(table, like)
    return table


def shown(label):
    """Return a label as messages show it."""
    return f"{label:g}" if isinstance(label, float) else repr(str(label))


def _read_bytes(path):
    try:
        content = Path(path).read_bytes()
        # Compressed files are recognised by their first bytes, because names are unreliable.
        if content.startswith(b"\x1f\x8b"):
            content = gzip.decompress(content)
        elif content.startswith(b"BZh"):
            content = bz2.decompress(content)
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise DataError(f"{path}: this is a directory, not a file") from None
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    return content


def _as_text(path, content):
    if content.startswith(ZIP):
        raise DataError(f"{path}: this is a workbook or an archive; save it as CSV")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise DataError(f"{path}: this is not a text file in UTF-8; save it as CSV in UTF-8")
    return text


def _is_svmlight(text):
    for line in io.StringIO(text):
        tokens = line.partition("#")[0].split()
        if len(tokens) > 1:
            return INDEX_VALUE.fullmatch(tokens[1]) is not None
        if tokens and "," in tokens[0]:
            return False
        # In svmlight, a lone label is a row of zeros: the next line decides.
    return False


def _read_svmlight(path, text, label, like):
    if label is not None:
        raise DataError(f"{path}: this is an svmlight file, which has no column named {label!r}; leave out --label")
    _check_format("svmlight", path, like)
    # The test file must count features as the training file does, whatever its own first index is.
    options, wanted = {"zero_based": True}, ""
    if like is not None:
        n_features, zero_based = like.X.shape[1], like.first_index == 0
        options = {"zero_based": zero_based, "n_features": n_features}
        wanted = f" with the features {like.first_index} to {n_features - zero_based} of {like.path}"
    lines = text.split("\n")
    try:
        X, y = load_svmlight_file(io.BytesIO(text.encode()), **options)
    except (ValueError, OverflowError) as error:
        number = _first_unreadable_line(lines, options)
        raise DataError(f"{path}: line {number} is not svmlight{wanted}: {error}") from None
    first_index = int(X.indices.min(initial=1) > 0) if like is None else like.first_index
    if like is None:
        X = X[:, first_index:]
    positions = _unusable(X.data)
    if len(positions):
        row = np.searchsorted(X.indptr, positions[0], side="right") - 1
        row_lines = [number for number, line in enumerate(lines, 1) if line.partition("#")[0].strip()]
        place = f"{path}: line {row_lines[row]}, feature {X.indices[positions[0]] + first_index}"
        raise DataError(f"{place}: {not_finite(X.data[positions[0]])}")
    return Table(path, X, y, first_index=first_index)


def _first_unreadable_line(lines, options):
    """Return the number of the first line at which scikit-learn's reader fails, which its error does not name."""

    def fails(n_lines):
        try:
            load_svmlight_file(io.BytesIO("\n".join(lines[:n_lines]).encode()), **options)
        except (ValueError, OverflowError):
            return True
        return False

    return bisect_left(range(len(lines)), True, key=fails)


def _table(path, cells, label, like):
    """Make the table of a CSV or parquet file."""
    _check_format("CSV", path, like)
    target = len(cells.names) - 1 if label is None else _label_position(path, cells.names, label)
    if not cells.rows:
        raise DataError(f"{path}: there is no row below the header")
    labels = [row[target] for row in cells.rows]
    if missing := rows_without_label(cells, target):
        found = repr(labels[missing[0]]) if labels[missing[0]] else "an empty cell"
        place = f"line {cells.lines[missing[0]]} has no label: {found} in column {cells.names[target]!r}"
        raise DataError(f"{path}: {place}{_which_label(label)}")
    columns = [j for j in range(len(cells.names)) if j != target]
    names = [cells.names[j] for j in columns] if cells.has_header else None
    if like is not None:
        _check_columns(path, names, len(columns), like)
    X, encodings, n_holes = encode(path, cells, columns, None if like is None else like.encodings)
    return Table(path, X, np.array(labels), names, encodings, n_holes)


def _label_position(path, columns, label):
    if columns.count(label) != 1:
        found = "more than once" if label in columns else "not"
        raise DataError(f"{path}: the label column {label!r} is {found} in the header")
    return columns.index(label)


def _unusable(values):
    """Return the places of values that are NaN, infinite, or so large that their squares could overflow."""
    return np.flatnonzero(~(np.abs(values) <= LARGEST_VALUE))


def _check_format(name, path, like):
    if like is not None and sp.issparse(like.X) != (name == "svmlight"):
        other = "svmlight" if sp.issparse(like.X) else "CSV"
        raise DataError(f"{path}: this is {name}, but {like.path} is {other}")


def _check_labels(table, label):
    """Refuse what is measured or counted: it is for regression, or not the label column at all."""
    try:
        numbers = table.y.astype(float)
    except ValueError:  # text
        return
    hint = "" if sp.issparse(table.X) else _which_label(label)
    wrong = np.flatnonzero(np.where(np.isfinite(numbers), numbers, 0.5) % 1)
    if len(wrong):
        found = f"{shown(table.y[wrong[0]])} is not the label of a class, which is a whole number or a name"
        raise DataError(f"{table.path}: {found}{hint}")
    n_classes = len(np.unique(numbers))
    if n_classes > max(MANY_CLASSES, len(numbers) / 2):
        found = f"the labels are {n_classes} different numbers in {len(numbers)} rows, not classes"
        raise DataError(f"{table.path}: {found}{hint}")


def _which_label(label):
    """Return what to do about labels of a CSV or parquet file that are none, for messages."""
    if label is not None:
        return ""
    return "; the last column was taken as the label: use --label NAME if it is another one"


def _check_columns(path, names, n_columns, train):
    if n_columns != len(train.encodings):
        widths = f"{n_columns} features, but those of {train.path} have {len(train.encodings)}"
        raise DataError(f"{path}: the rows have {widths}")
    for column, wanted in zip(names or [], train.columns or [], strict=False):
        if column != wanted:
            raise DataError(f"{path}: the column {column!r} stands where {train.path} has {wanted!r}")


def _check_seen(test, train):
    unseen = np.setdiff1d(test.y, train.y)
    if len(unseen):
        raise DataError(f"{test.path}: the label {shown(unseen[0])} does not occur in {train.path}")
