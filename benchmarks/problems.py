"""The problems of the benchmarks: training and test rows read from a folder of data, one subfolder a problem.

Images and tables are .npz files with X_train, y_train, X_test, y_test (or X, y); texts .jsonl.gz files with a text, a
label and a split a line, turned into tf-idf; a9a is in svmlight format, its test rows in a9a.t.gz.
"""

import gzip
import json
from pathlib import Path

import numpy as np
from sklearn.datasets import load_svmlight_file
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

PROBLEMS = ("a9a", "sms_spam", "khan", "usps", "letter", "mnist", "20news", "banking77")


def load_problem(folder, name):
    """X_train, X_test, y_train, y_test; a quarter is held out where the data come without a split."""
    path = Path(folder) / name
    if (path / f"{name}.npz").exists():
        return _from_arrays(path / f"{name}.npz")
    if (path / f"{name}.jsonl.gz").exists():
        return _from_texts(path / f"{name}.jsonl.gz")
    X, y = load_svmlight_file(str(path / f"{name}.gz"))
    X_test, y_test = load_svmlight_file(str(path / f"{name}.t.gz"), n_features=X.shape[1])
    for part in (X, X_test):  # LinearSVC takes no others
        part.indices, part.indptr = part.indices.astype(np.int32), part.indptr.astype(np.int32)
    return X, X_test, y, y_test


def _from_arrays(path):
    arrays = np.load(path)
    if "X_train" in arrays:
        X, X_test, y, y_test = (arrays[part] for part in ("X_train", "X_test", "y_train", "y_test"))
    else:
        X, X_test, y, y_test = train_test_split(arrays["X"], arrays["y"], stratify=arrays["y"], random_state=0)
    X, X_test = (part.reshape(len(part), -1).astype(float) for part in (X, X_test))
    if X.max() == 255:  # images
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
