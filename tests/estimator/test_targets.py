"""Labels become codes, and weights count nothing twice."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from references import frozen
from sklearn.utils.class_weight import compute_class_weight

from linear_hinge import MulticlassHingeClassifier
from linear_hinge.estimator.targets import check_rows, check_weights, encode_for_fit, encode_for_partial_fit

X = np.zeros((4, 1))
LABELS = np.array(["b", "a", "c", "a", "b", "a"])


# check_rows


@pytest.mark.parametrize(
    "y",
    [
        np.array(["a", np.nan, "b", "a"], object),
        np.array(["a", None, "b", "a"], object),
        np.array([0, np.nan, 1, 0]),
        pytest.param(lambda pd: pd.Series(["a", None, "b", "a"]), id="pandas"),
        pytest.param(lambda pd: pd.Series(["a", None, "b", "a"], dtype="string"), id="pandas, string"),
        pytest.param(lambda pd: pd.Series(["a", None, "b", "a"], dtype="category"), id="pandas, category"),
    ],
)
def test_a_missing_label_is_said_to_be_in_y(y):
    y = y(pytest.importorskip("pandas")) if callable(y) else y
    with pytest.raises(ValueError, match=r"^Input y contains NaN\.$"):
        check_rows(MulticlassHingeClassifier(), X, y, reset=True)


# check_weights


def test_absent_weights_are_ones_in_float64():
    weights = check_weights(None, np.zeros((4, 1), np.float32))
    assert_array_equal(weights, np.ones(4))
    assert weights.dtype == np.float64


@pytest.mark.parametrize("given", [[1, 0, 2, 3], np.array([1, 0, 2, 3], np.float32), (1.0, 0.0, 2.0, 3.0)])
def test_weights_of_any_kind_become_float64(given):
    weights = check_weights(given, X)
    assert_array_equal(weights, [1, 0, 2, 3])
    assert weights.dtype == np.float64


def test_a_number_is_the_weight_of_every_sample():
    assert_array_equal(check_weights(2.5, X), [2.5] * 4)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([1, -1, 1, 1], "[Nn]egative"),
        ([0, 0, 0, 0], "at least one non-zero"),
        ([1, 1, 1], "shape"),
        ([[1], [1], [1], [1]], "1D"),
        ([1, np.nan, 1, 1], "NaN"),
        ([1, np.inf, 1, 1], "infinity"),
    ],
)
def test_impossible_weights_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        check_weights(given, X)


# encode_for_fit


@pytest.mark.parametrize(
    "y", [LABELS, np.array([7, -1, 9, -1, 7, -1]), np.array([0.5, 0.0, 1.5, 0.0, 0.5, 0.0]), LABELS.astype(object)]
)
def test_codes_are_places_in_the_sorted_classes_and_weights_sum_to_one(y):
    classes, weighted, codes, weights, _ = encode_for_fit(*frozen(y, np.ones(6)), None)
    assert_array_equal(classes, np.unique(y))
    assert_array_equal(weighted, range(3))
    assert_array_equal(classes[codes], y)
    assert_allclose(weights, 1 / 6, rtol=1e-15)


def test_sample_weights_and_class_weights_multiply():
    given = np.arange(1.0, 7.0)
    *_, weights, _ = encode_for_fit(LABELS, given, {"a": 10, "b": 1, "c": 0.5})
    expected = given * [1, 10, 0.5, 10, 1, 10]
    assert_allclose(weights, expected / expected.sum(), rtol=1e-15)


def test_classes_that_class_weight_does_not_name_weigh_one():
    *_, weights, _ = encode_for_fit(LABELS, np.ones(6), {"b": 3})
    assert_allclose(weights, np.array([3, 1, 1, 1, 3, 1]) / 10, rtol=1e-15)


def test_balanced_classes_weigh_the_same_with_and_without_sample_weights():
    for given in (np.ones(6), np.arange(1.0, 7.0)):
        *_, codes, weights, _ = encode_for_fit(LABELS, given, "balanced")
        assert_allclose(np.bincount(codes, weights=weights), [1 / 3] * 3, rtol=1e-14)
        inside = weights[codes == 0] / given[codes == 0]
        assert_allclose(inside, inside[0], rtol=1e-14)
    of_class = compute_class_weight("balanced", classes=np.unique(LABELS), y=LABELS)
    *_, codes, weights, _ = encode_for_fit(LABELS, np.ones(6), "balanced")
    assert_allclose(weights, of_class[codes] / of_class[codes].sum(), rtol=1e-14)


@pytest.mark.parametrize("class_weight", [None, "balanced", {"a": 3}, {"c": 3}])
def test_classes_without_weighted_rows_are_classes_without_a_code(class_weight):
    given = np.array([2.0, 1.0, 0.0, 0.0, 3.0, 1.0])
    present = given > 0
    classes, weighted, codes, weights, mean_weight = encode_for_fit(LABELS, given, class_weight)
    class_weight = None if class_weight == {"c": 3} else class_weight
    _, _, codes_without, weights_without, mean_without = encode_for_fit(LABELS[present], given[present], class_weight)
    assert_array_equal(classes, ["a", "b", "c"])
    assert_array_equal(weighted, [0, 1])
    assert_array_equal(codes[present], codes_without)
    assert_allclose(weights[present], weights_without, rtol=1e-15)
    assert_allclose(mean_weight, mean_without, rtol=1e-15)
    assert not weights[~present].any()
    assert ((codes >= 0) & (codes < 2)).all()


@pytest.mark.parametrize(("without", "left"), [("c", ["a", "b"]), ("a", ["b", "c"]), ("ab", ["c"])])
def test_classes_of_class_weight_zero_are_classes_without_a_code(without, left):
    classes, weighted, codes, weights, _ = encode_for_fit(LABELS, np.ones(6), dict.fromkeys(without, 0))
    present = np.isin(LABELS, left)
    assert_array_equal(classes, ["a", "b", "c"])
    assert_array_equal(classes[weighted], left)
    assert_array_equal(classes[weighted][codes[present]], LABELS[present])
    assert_allclose(weights, present / present.sum(), rtol=1e-15)


def test_twice_the_row_is_twice_the_weight():
    twice = encode_for_fit(np.append(LABELS, "c"), np.ones(7), "balanced")
    heavy = encode_for_fit(LABELS, np.array([1.0, 1, 2, 1, 1, 1]), "balanced")
    merged = np.where(LABELS == "c", twice[3][2] + twice[3][6], twice[3][:6])
    assert_allclose(merged, heavy[3], rtol=1e-14)


@pytest.mark.parametrize("size", [1e-300, 1e308])
def test_tiny_and_huge_weights_sum_to_one(size):
    *_, weights, _ = encode_for_fit(LABELS, np.full(6, size), None)
    assert_allclose(weights, 1 / 6, rtol=1e-15)


@pytest.mark.parametrize(
    ("y", "class_weight", "message"),
    [
        (["a"] * 6, None, "only one class: 'a'$"),
        ([0.0] * 6, None, "only one class: 0.0$"),
        (LABELS, {"a": 0, "b": 0, "c": 0}, "class_weight leaves no sample"),
        (LABELS, {"a": -1}, "finite and not negative"),
        (LABELS, {"a": np.nan}, "finite and not negative"),
        (LABELS, {"a": np.inf}, "finite and not negative"),
        (LABELS, {"a": 1, "z": 2}, "not in class_weight"),
    ],
)
def test_what_cannot_be_fitted_is_refused(y, class_weight, message):
    with pytest.raises(ValueError, match=message):
        encode_for_fit(np.asarray(y), np.ones(6), class_weight)


# encode_for_partial_fit


def test_codes_of_a_chunk_are_places_in_the_known_classes():
    classes = np.array(["a", "b", "c", "d"])
    codes, weights = encode_for_partial_fit(*frozen(LABELS[:3], np.array([1.0, 2.0, 0.0])), None, classes)
    assert_array_equal(classes[codes], LABELS[:3])
    assert_array_equal(weights, [1, 2, 0])


def test_weights_of_a_chunk_do_not_depend_on_the_rest_of_it():
    classes = np.unique(LABELS)
    _, together = encode_for_partial_fit(LABELS, np.arange(6.0), {"a": 4, "b": 2}, classes)
    _, alone = encode_for_partial_fit(LABELS[3:4], np.array([3.0]), {"a": 4, "b": 2}, classes)
    assert_array_equal(together, np.arange(6) * [2, 4, 1, 4, 2, 4])
    assert_array_equal(together[3:4], alone)


@pytest.mark.parametrize(
    ("y", "class_weight", "message"),
    [
        (LABELS, "balanced", "not supported for partial_fit"),
        (LABELS, {"a": -1}, "finite and not negative"),
        (LABELS, {"a": np.inf}, "finite and not negative"),
        (np.array(["a", "z"]), None, "all valid labels that can be in y: the label 'z' is not among"),
        (np.array(["a", "z"]), {"a": 2}, "all valid labels that can be in y: the label 'z' is not among"),
    ],
)
def test_chunks_that_do_not_fit_the_stream_are_refused(y, class_weight, message):
    with pytest.raises(ValueError, match=message):
        encode_for_partial_fit(y, np.ones(len(y)), class_weight, np.array(["a", "b", "c"]))
