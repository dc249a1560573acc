"""Reading svmlight and CSV files.

Any fault of a file is a `DataError`, whose message is one sentence for the owner of the file.
"""

import bz2
import csv
import gzip
import io
import re
import zlib
from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from sklearn.datasets import load_svmlight_file

# Greater values could overflow once they are squared and summed up.
LARGEST_VALUE = 1e100
# What follows the label on a line of an svmlight file.
INDEX_VALUE = re.compile(r"(qid|-?\d+):[^,\s]*")


class DataError(ValueError):
    """Data that cannot be used, with the reason."""


@dataclass(frozen=True)
class Table:
    """The content of a file: from svmlight, CSR with numbers as labels; from CSV, an array with text as labels."""

    path: str
    X: np.ndarray | sp.csr_array | sp.csr_matrix
    y: np.ndarray
    columns: list[str] | None = None  # names of the features, from the header of a CSV file
    first_index: int | None = None  # the index of the first feature of an svmlight file, 0 or 1


def read_table(path, *, label=None, like=None):
    """Read a file, whose format follows from its first data line.

    Parameters
    ----------
    path : str
        An svmlight or CSV file, as it is or compressed by gzip or bzip2.
    label : str, default=None
        Name of the label column of a CSV file; the last column when it is not given.
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
    text = _read_text(path)
    if not text.strip():
        raise DataError(f"{path}: the file is empty")
    is_svmlight = _is_svmlight(text)
    if is_svmlight and label is not None:
        raise DataError(f"{path}: this is an svmlight file, which has no column named {label!r}; leave out --label")
    if like is not None and is_svmlight != sp.issparse(like.X):
        formats = ("svmlight", "CSV") if is_svmlight else ("CSV", "svmlight")
        raise DataError(f"{path}: this is {formats[0]}, but {like.path} is {formats[1]}")
    table = _read_svmlight(path, text, like) if is_svmlight else _read_csv(path, text, label)
    _check_labels(table)
    if like is not None:
        _check_alike(table, like)
    return table


def shown(label):
    """Return a label as messages show it."""
    return f"{label:g}" if isinstance(label, float) else repr(str(label))


def _read_text(path):
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
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise DataError(f"{path}: this is not a text file in UTF-8")
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


def _read_svmlight(path, text, like):
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
        raise DataError(f"{place}: {_not_finite(X.data[positions[0]])}")
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


def _read_csv(path, text, label):
    reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    try:
        # A blank line is not a row.
        rows = [(reader.line_num, row) for row in reader if len(row) > 1 or "".join(row).strip()]
    except csv.Error as error:
        raise DataError(f"{path}: line {reader.line_num} is not CSV: {error}") from None
    first_line, first = rows[0]
    width = len(first)
    if width < 2:
        raise DataError(
            f"{path}: line {first_line} is neither CSV (cells separated by commas) nor svmlight (label index:value …)"
        )
    has_header = label is not None or not all(_is_number(cell) for cell in first[:-1])
    columns = [cell.strip() for cell in first] if has_header else [str(n) for n in range(1, width + 1)]
    target = -1 if label is None else _label_position(path, columns, label)
    rows = rows[1:] if has_header else rows
    if not rows:
        raise DataError(f"{path}: there is no row below the header")
    for line, row in rows:
        if len(row) != width:
            raise DataError(f"{path}: line {line} has {len(row)} cells, but line {first_line} has {width}")
    labels = [row.pop(target).strip() for _, row in rows]
    del columns[target]
    if "" in labels:
        raise DataError(f"{path}: line {rows[labels.index('')][0]} has no label")
    X = _numbers(path, rows, columns)
    return Table(path, X, np.array(labels), columns=columns if has_header else None)


def _label_position(path, columns, label):
    if columns.count(label) != 1:
        found = "more than once" if label in columns else "not"
        raise DataError(f"{path}: the label column {label!r} is {found} in the header")
    return columns.index(label)


def _is_number(cell):
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _numbers(path, rows, columns):
    X = np.empty((len(rows), len(columns)))
    for i, (line, row) in enumerate(rows):
        try:
            X[i] = [float(cell) for cell in row]
        except ValueError:
            column = next(j for j, cell in enumerate(row) if not _is_number(cell))
            place = f"{path}: line {line}, column {columns[column]!r}"
            hint = "columns of text have to be encoded first, and --label names the column of the classes"
            raise DataError(f"{place}: {row[column]!r} is not a number ({hint})") from None
    places = _unusable(X)
    if len(places):
        i, column = places[0]
        place = f"{path}: line {rows[i][0]}, column {columns[column]!r}"
        raise DataError(f"{place}: {_not_finite(X[i, column])}")
    return X


def _unusable(values):
    """Return the places of values that are NaN, infinite, or so large that their squares could overflow."""
    places = np.argwhere(~(np.abs(values) <= LARGEST_VALUE))
    return places[:, 0] if values.ndim == 1 else places


def _not_finite(value):
    return f"{value:g} is not a finite number of at most {LARGEST_VALUE:g}"


def _check_labels(table):
    """Refuse numbers with fractions, which are targets of regression or not labels at all."""
    try:
        numbers = table.y.astype(float)
    except ValueError:  # text
        return
    wrong = np.flatnonzero(np.where(np.isfinite(numbers), numbers, 0.5) % 1)
    if len(wrong):
        label = shown(table.y[wrong[0]])
        raise DataError(f"{table.path}: {label} is not the label of a class, which is a whole number or a name")


def _check_alike(test, train):
    if test.X.shape[1] != train.X.shape[1]:
        widths = f"{test.X.shape[1]} features, but those of {train.path} have {train.X.shape[1]}"
        raise DataError(f"{test.path}: the rows have {widths}")
    for column, wanted in zip(test.columns or [], train.columns or [], strict=False):
        if column != wanted:
            raise DataError(f"{test.path}: the column {column!r} stands where {train.path} has {wanted!r}")
    unseen = np.setdiff1d(test.y, train.y)
    if len(unseen):
        raise DataError(f"{test.path}: the label {shown(unseen[0])} does not occur in {train.path}")
