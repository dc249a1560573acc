"""Sparse and dense data in layouts that compiled code cannot read as they are."""

import numpy as np
import pytest
import scipy.sparse as sp

from linear_hinge import MulticlassHingeClassifier

RNG = np.random.default_rng(0)
DENSE = RNG.normal(size=(60, 5)) * (RNG.random((60, 5)) < 0.7)
Y = RNG.integers(3, size=60)


def apart(a):
    return np.repeat(a, 2)[::2]


def with_parts(name, change):
    X = sp.csr_matrix(DENSE)
    setattr(X, name, change(getattr(X, name)))
    return X


def packed():
    records = np.zeros(60, dtype=[("tag", "i1"), ("x", "f8", 5)])
    records["x"] = DENSE
    return records["x"]


def fitted(X):
    return MulticlassHingeClassifier(alpha=0.1, random_state=0).fit(X, Y)


CHANGES = [apart, lambda a: a[::-1].copy()[::-1], lambda a: a.astype(a.dtype.newbyteorder(">"))]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", ["data", "indices", "indptr"])
def test_the_model_does_not_depend_on_the_layout(name, change):
    X, expected = with_parts(name, change), fitted(sp.csr_matrix(DENSE))
    np.testing.assert_array_equal(fitted(X).coef_, expected.coef_)
    np.testing.assert_array_equal(expected.decision_function(X), expected.decision_function(sp.csr_matrix(DENSE)))


def test_packed_records():
    np.testing.assert_array_equal(fitted(packed()).coef_, fitted(DENSE).coef_)


@pytest.mark.parametrize("value", [-1, 5])
@pytest.mark.parametrize("method", ["fit", "decision_function"])
def test_indices_out_of_range(value, method):
    X, model = sp.csr_matrix(DENSE), fitted(DENSE)
    X.indices[5] = value
    with pytest.raises(ValueError, match="out of range"):
        model.fit(X, Y) if method == "fit" else model.decision_function(X)
