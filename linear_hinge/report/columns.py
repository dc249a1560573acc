"""Columns of a CSV or parquet file as numbers: text becomes zeros and ones, holes become the median of their column.

What a training file has taught about its columns (`Encoding`) holds for the file to test on.
"""

import csv
import io
import re
from dataclasses import dataclass

import numpy as np

# Greater values could overflow once they are squared and summed up.
LARGEST_VALUE = 1e100

DELIMITERS = "\t;|,"  # a comma last: with another delimiter it may be in numbers
ROWS_TO_SNIFF = 20
HOLES = {"", "na", "n/a", "nan", "null", "none", "?"}
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")

# Texts that are nearly all different are names or numbers of rows, from which nothing is learned.
FEW_TEXTS, MOST_TEXTS = 20, 1000


class DataError(ValueError):
    """Data that cannot be used, with the reason."""


@dataclass(frozen=True)
class Cells:
    """A file as text: rows of equal length below the names of their columns."""

    rows: list[list[str]]
    lines: list[int]  # where each row stands in the file
    names: list[str]
    has_header: bool
    with_commas: bool  # whether 1,5 is a number

    def place(self, path, row, column):
        """Return where a cell stands, for messages."""
        return f"{path}: line {self.lines[row]}, column {self.names[column]!r}"


@dataclass(frozen=True)
class Encoding:
    """What a column became."""

    name: str
    median: float | None = None  # of a column of numbers
    texts: np.ndarray | None = None  # of a column of text: one column of zeros and ones for each


def read_cells(path, text, has_header=False):
    """Split a CSV file into cells.

    Parameters
    ----------
    path : str
        For messages.
    text : str
        The contents.
    has_header : bool, default=False
        Whether the first row is known to hold names. Otherwise it does if no feature in it is a number.
    """
    delimiter = _delimiter(text)
    reader = _reader(text, delimiter)
    try:
        # A blank line is no row.
        numbered = [(reader.line_num, row) for row in reader if len(row) > 1 or "".join(row).strip()]
    except csv.Error as error:
        raise DataError(f"{path}: line {reader.line_num} is not CSV: {error}") from None
    lines, rows = ([part[i] for part in numbered] for i in (0, 1))
    width = len(rows[0])
    if width < 2:
        raise DataError(
            f"{path}: line {lines[0]} is neither CSV (cells separated by commas, semicolons or tabs)"
            " nor svmlight (label index:value …)"
        )
    for line, row in zip(lines, rows, strict=True):
        if len(row) != width:
            raise DataError(f"{path}: line {line} has {len(row)} cells, but line {lines[0]} has {width}")
    rows = [[cell.strip() for cell in row] for row in rows]
    with_commas = delimiter != "," and _has_decimal_commas(path, rows, lines)
    features = [cell for cell in rows[0][:-1] if not _is_hole(cell)]
    has_header = has_header or (bool(features) and not any(_is_number(cell, with_commas) for cell in features))
    names = rows[0] if has_header else [str(number) for number in range(1, width + 1)]
    first = int(has_header)
    return Cells(rows[first:], lines[first:], names, has_header, with_commas)


def encode(path, cells, columns, encodings=None):
    """Make numbers of the columns with these places.

    Parameters
    ----------
    path : str
    cells : Cells
    columns : list of int
    encodings : list of Encoding, optional
        Of the file that was trained on; new ones if they are left out.

    Returns
    -------
    X : ndarray of shape (n_rows, n_features)
    encodings : list of Encoding
    n_holes : int
        Cells that were filled with the median of their column.
    """
    encodings = [_learned(path, cells, j) for j in columns] if encodings is None else encodings
    parts, n_holes = [], 0
    for j, encoding in zip(columns, encodings, strict=True):
        if encoding.texts is None:
            numbers = _numbers(path, cells, j)
            holes = np.isnan(numbers)
            n_holes += int(holes.sum())
            parts.append(np.where(holes, encoding.median, numbers)[:, None])
        else:
            texts = np.array([row[j] for row in cells.rows])
            parts.append((texts[:, None] == encoding.texts).astype(float))
    return np.hstack(parts), encodings, n_holes


def rows_without_label(cells, j):
    """Return the rows whose cell in column j is no label: an empty one, or among numbers a word like "n/a"."""
    labels = [row[j] for row in cells.rows]
    filled = [label for label in labels if not _is_hole(label)]
    are_numbers = all(_is_number(label, cells.with_commas) for label in filled)
    return [i for i, label in enumerate(labels) if label == "" or (filled and are_numbers and _is_hole(label))]


def cells_of_parquet(path):
    """Return the cells of a parquet file, which pandas reads."""
    try:
        import pandas as pd

        frame = pd.read_parquet(path)
    except ImportError:
        raise DataError(f"{path}: parquet needs pandas and pyarrow (pip install 'linear-hinge[cli]')") from None
    except Exception as error:  # whatever the reader raises is about the file
        raise DataError(f"{path}: cannot be read: {error}") from None
    rows = [["" if value is None or value != value else str(value) for value in row] for row in frame.to_numpy(object)]
    if not rows or len(rows[0]) < 2:
        raise DataError(f"{path}: there is no row with a feature and a label")
    return Cells(rows, list(range(1, len(rows) + 1)), [str(name) for name in frame.columns], True, False)


def _delimiter(text):
    """Return the delimiter of a file.

    It is the one that gives the first rows the fewest different numbers of cells, and of equal ones the first in
    `DELIMITERS`.
    """
    head = "".join(line for line, _ in zip(io.StringIO(text, newline=""), range(ROWS_TO_SNIFF), strict=False))
    splits = {}
    for delimiter in DELIMITERS:
        try:
            widths = [len(row) for row in _reader(head, delimiter) if "".join(row).strip()]
        except csv.Error:
            continue
        if widths and widths[0] > 1:
            splits[delimiter] = len(set(widths))
    return min(splits, key=splits.get, default=",")


def _reader(text, delimiter):
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)


def _is_hole(cell):
    return cell.lower() in HOLES


def _number(cell, with_commas):
    """Return the number in a cell; ValueError if there is none."""
    if with_commas and cell.count(",") == 1 and "." not in cell:
        cell = cell.replace(",", ".")
    return float(cell)


def _is_number(cell, with_commas):
    try:
        _number(cell, with_commas)
    except ValueError:
        return False
    return True


def _has_decimal_commas(path, rows, lines):
    """Return whether commas in numbers are decimal commas; refuse what may be either that or thousands."""
    found = [
        (line, cell)
        for line, row in zip(lines, rows, strict=True)
        for cell in row
        if "," in cell and not _is_number(cell, False) and _is_number(cell.replace(",", ""), False)
    ]
    if found and all(THOUSANDS.fullmatch(cell) for _, cell in found):
        line, cell = found[0]
        other = cell.replace(",", ".", 1), cell.replace(",", "")
        raise DataError(f"{path}: line {line}: {cell!r} may be {other[0]} or {other[1]}; write numbers without commas")
    return bool(found)


def _learned(path, cells, j):
    """Return the `Encoding` of a column of the training file."""
    texts = [row[j] for row in cells.rows]
    filled = [text for text in texts if not _is_hole(text)]
    name = cells.names[j]
    if not filled:
        raise DataError(f"{path}: all cells of column {name!r} are empty; remove it")
    if 2 * sum(_is_number(text, cells.with_commas) for text in filled) >= len(filled):
        return Encoding(name, median=float(np.nanmedian(_numbers(path, cells, j))))
    unique = np.unique(texts)
    if len(unique) > MOST_TEXTS or FEW_TEXTS < len(unique) > len(texts) / 2:
        found = f"column {name!r} has {len(unique)} different texts in {len(texts)} rows"
        raise DataError(f"{path}: {found}; remove it, or make numbers of it first")
    return Encoding(name, texts=unique)


def _numbers(path, cells, j):
    """Return a column as float64, nan in its holes."""
    numbers = np.empty(len(cells.rows))
    for i, row in enumerate(cells.rows):
        try:
            numbers[i] = np.nan if _is_hole(row[j]) else _number(row[j], cells.with_commas)
        except ValueError:
            hint = "the column holds numbers otherwise; correct the cell or leave it empty"
            raise DataError(f"{cells.place(path, i, j)}: {row[j]!r} is not a number ({hint})") from None
        if abs(numbers[i]) > LARGEST_VALUE:
            raise DataError(f"{cells.place(path, i, j)}: {not_finite(numbers[i])}")
    return numbers


def not_finite(value):
    """Return what is wrong with a value that is too large."""
    return f"{value:g} is not a finite number of at most {LARGEST_VALUE:g}"
