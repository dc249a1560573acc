"""The problems of the benchmarks: training and test rows read from a folder of data, one subfolder a problem.

Images and tables are .npz files with X_train, y_train, X_test, y_test (or X, y); texts .jsonl.gz files with a text, a
label and a split a line, turned into tf-idf; a9a is in svmlight format, its test rows in a9a.t.gz. MNIST comes three
times: divided by 255, standardised, and as it is. Two problems are made up, with seeds that stay.
"""

import gzip
import json
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from sklearn.datasets import load_svmlight_file
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

# From the quickest to the slowest: a call that is cut short has measured most of them.
PROBLEMS = (
    "vowel",
    "khan",
    "made_up_dense",
    "sms_spam",
    "a9a",
    "made_up_unequal",
    "usps",
    "letter",
    "shuttle",
    "banking77",
    "20news",
    "mnist",
    "mnist_standardised",
)
# Not in the grid: no bound is proven there within minutes, so that no level is known.
UNSCALED = ("mnist_raw",)
BINARY = ("sms_spam", "a9a", "made_up_unequal")
FEW_ROWS = 2_500
MANY_ROWS = 48_000


def load_problem(folder, name):
    """X_train, X_test, y_train, y_test; a quarter is held out where the data come without a split.

    Labels are numbers from 0, in the order of those that they replace, as some solvers take no others; -1 in the test
    rows is a label that no training row has.
    """
    X, X_test, y, y_test = _load(Path(folder), name)
    labels, codes = np.unique(y, return_inverse=True)
    places = np.searchsorted(labels, y_test).clip(max=len(labels) - 1)
    return X, X_test, codes, np.where(labels[places] == y_test, places, -1)


def _load(folder, name):
    if name in MADE_UP:
        X, y = MADE_UP[name]()
        return train_test_split(X, y, test_size=0.2, stratify=y, random_state=0)
    name, _, treatment = name.partition("_") if name.startswith("mnist") else (name, "", "")
    path = folder / name
    if (path / f"{name}.npz").exists():
        return _from_arrays(path / f"{name}.npz", treatment)
    if (path / f"{name}.jsonl.gz").exists():
        return _from_texts(path / f"{name}.jsonl.gz")
    X, y = load_svmlight_file(str(path / f"{name}.gz"))
    X_test, y_test = load_svmlight_file(str(path / f"{name}.t.gz"), n_features=X.shape[1])
    for part in (X, X_test):  # LinearSVC takes no others
        part.indices, part.indptr = part.indices.astype(np.int32), part.indptr.astype(np.int32)
    return X, X_test, y, y_test


def _from_arrays(path, treatment):
    arrays = np.load(path)
    if "X_train" in arrays:
        X, X_test, y, y_test = (arrays[part] for part in ("X_train", "X_test", "y_train", "y_test"))
    else:
        X, X_test, y, y_test = train_test_split(arrays["X"], arrays["y"], stratify=arrays["y"], random_state=0)
    X, X_test = (part.reshape(len(part), -1).astype(float) for part in (X, X_test))
    if treatment == "raw":
        return X, X_test, y, y_test
    if X.max() == 255 and treatment != "standardised":  # images
        return X / 255, X_test / 255, y, y_test
    scaler = StandardScaler().fit(X)
    return scaler.transform(X), scaler.transform(X_test), y, y_test


def _from_texts(path):
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    texts, labels = [row["text"] for row in rows], np.array([row["label"] for row in rows])
    is_test = np.array([row.get("split") == "test" for row in rows])
    if not is_test.any():
        is_test[train_test_split(np.arange(len(rows)), stratify=labels, random_state=0)[1]] = True
    vectorizer = TfidfVectorizer(sublinear_tf=True)
    X = vectorizer.fit_transform([text for text, test in zip(texts, is_test, strict=True) if not test])
    X_test = vectorizer.transform([text for text, test in zip(texts, is_test, strict=True) if test])
    return X, X_test, labels[~is_test], labels[is_test]


def _made_up_dense(n_features=180, n_classes=3):
    """A few thousand rows of dense 0s and 1s, of three classes that share most of their columns."""
    rng = np.random.RandomState(0)
    y = rng.randint(n_classes, size=FEW_ROWS)
    logits = rng.normal(-1, 0.5, n_features) + np.where(
        rng.uniform(size=(n_classes, n_features)) < 0.15, rng.normal(0, 1.5, (n_classes, n_features)), 0
    )
    return (rng.uniform(size=(FEW_ROWS, n_features)) < 1 / (1 + np.exp(-logits[y]))).astype(float), y


def _made_up_unequal(n_features=300, per_row=12):
    """Many rows of a few non-zeros each, of two classes, one of which has 3 % of them."""
    rng = np.random.RandomState(0)
    y = (rng.uniform(size=MANY_ROWS) < 0.03).astype(int)
    popularity = 1 / np.arange(1, n_features + 1) ** 0.7
    its_own = popularity * np.exp(rng.normal(0, 1.2, n_features))
    columns = np.empty((MANY_ROWS, per_row), dtype=np.int32)
    for label, weights in enumerate((popularity, its_own)):
        mine = y == label
        columns[mine] = rng.choice(n_features, (mine.sum(), per_row), p=weights / weights.sum())
    starts = np.arange(0, MANY_ROWS * per_row + 1, per_row, dtype=np.int32)
    X = sp.csr_matrix((np.ones(MANY_ROWS * per_row), columns.ravel(), starts), (MANY_ROWS, n_features))
    X.sum_duplicates()
    X.data[:] = 1
    return X, y


MADE_UP = {"made_up_dense": _made_up_dense, "made_up_unequal": _made_up_unequal}
