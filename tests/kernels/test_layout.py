"""Sparse and dense data in layouts that compiled code cannot read as they are: the right model, or one ValueError."""

from copy import deepcopy

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal

from linear_hinge import MulticlassHingeClassifier
from linear_hinge.kernels import door, is_compiled
from linear_hinge.kernels import layout as layout_module
from linear_hinge.kernels.layout import with_whole_rows

RNG = np.random.default_rng(0)
DENSE = np.round(RNG.normal(size=(60, 5)) * (RNG.random((60, 5)) < 0.7), 2)
WHOLE = np.round(8 * DENSE)  # what integers can hold
Y = RNG.integers(3, size=60)
WEIGHTS = RNG.integers(1, 4, size=60).astype(float)
METHODS = ["fit", "partial_fit", "decision_function"]
pytestmark = pytest.mark.filterwarnings("ignore:The model predicts")  # as some of these data are constant


def apart(a):
    return np.repeat(a, 2)[::2]


def backwards(a):
    return a[::-1].copy()[::-1]


def field(a):
    """A field of packed records, which does not lie at multiples of its size."""
    records = np.zeros(a.shape[0], dtype=[("tag", "i1"), ("x", a.dtype, a.shape[1:])])
    records["x"] = a
    return records["x"]


def column(a):
    return np.column_stack([a, a])[:, 1]


def swapped(a):
    return a.astype(a.dtype.newbyteorder(">"))


def memory_map(a, directory):
    path = directory / f"{len(list(directory.iterdir()))}.npy"
    np.save(path, a)
    return np.load(path, mmap_mode="r")


def sparse_with(name, part, container=sp.csr_matrix):
    """A matrix whose part is exactly this array, past the constructor, which would cast it."""
    X = container(DENSE)
    setattr(X, name, part)
    return X


def new_model():
    return MulticlassHingeClassifier(alpha=0.1, random_state=0, tol=0.3)


def trained(method, X, y=Y, weights=None):
    """What a method makes of X."""
    if method == "decision_function":
        return new_model().fit(DENSE, Y).decision_function(X)
    if method == "fit":
        return new_model().fit(X, y, sample_weight=weights).coef_
    model = new_model().partial_fit(X, y, classes=range(3), sample_weight=weights)
    return model.partial_fit(X, y, sample_weight=weights).coef_


def check(X, plain, method, **data):
    np.testing.assert_array_equal(trained(method, X, **data), trained(method, plain))


LAYOUTS = [apart, backwards, field, column, swapped]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("container", [sp.csr_matrix, sp.csc_array, sp.bsr_array])
@pytest.mark.parametrize("name", ["data", "indices", "indptr"])
def test_parts_of_compressed_data(name, container, method):
    plain = container(DENSE)
    is_block = (container, name) == (sp.bsr_array, "data")  # of three dimensions
    for change in [backwards, field, swapped] if is_block else LAYOUTS:
        check(sparse_with(name, change(getattr(plain, name)), container), plain, method)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("change", LAYOUTS)
def test_parts_of_coordinates(change, method):
    plain = sp.coo_matrix(DENSE)
    for name in ("data", "row", "col"):
        X = plain.copy()
        setattr(X, name, change(getattr(X, name)))
        check(X, plain, method)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "u4", "i8", "u8", ">i8"])
def test_types_of_indices(dtype, method):
    plain = sp.csr_matrix(DENSE)
    check(sparse_with("indices", plain.indices.astype(dtype)), plain, method)
    X = sparse_with("indptr", plain.indptr.astype(dtype if "1" not in dtype else "i2"))
    check(X, plain, method)
    X.indices = X.indices.astype(dtype)
    check(X, plain, method)


@pytest.mark.parametrize("method", METHODS)
def test_memory_maps(method, tmp_path):
    plain = sp.csr_matrix(DENSE)
    for name in ("data", "indices", "indptr"):
        check(sparse_with(name, memory_map(getattr(plain, name), tmp_path)), plain, method)
    check(memory_map(DENSE, tmp_path), DENSE, method)
    if method != "decision_function":
        data = {"y": memory_map(Y, tmp_path), "weights": memory_map(np.ones(60), tmp_path)}
        check(DENSE, DENSE, method, **data)


def offset_by_a_byte(a):
    return np.frombuffer(b"x" + a.tobytes(), dtype=a.dtype, offset=1).reshape(a.shape)


DENSE_LAYOUTS = {
    "fields": field,
    "a byte later": offset_by_a_byte,
    "backwards": lambda a: a[::-1].copy()[::-1],
    "both ways": lambda a: a[::-1, ::-1].copy()[::-1, ::-1],
    "every other row": lambda a: np.repeat(a, 2, axis=0)[::2],
    "every other column": lambda a: np.repeat(a, 2, axis=1)[:, ::2],
    "Fortran": np.asfortranarray,
    "big-endian": swapped,
    "long double": lambda a: a.astype(np.longdouble),
    "objects": lambda a: a.astype(object),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("change", DENSE_LAYOUTS.values(), ids=DENSE_LAYOUTS)
@pytest.mark.parametrize("size", [1, 0.3], ids=["whole", "batches"])
def test_dense_layouts(change, method, size):
    X = change(DENSE)
    rows = slice(0, int(60 * size))
    np.testing.assert_allclose(
        trained(method, X[rows], Y[rows]), trained(method, DENSE[rows].copy(), Y[rows]), rtol=1e-12, atol=1e-14
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(1, 5), (60, 1), (1, 1)])
def test_zero_strides(shape, method):
    X = np.broadcast_to(DENSE[: shape[0], : shape[1]], DENSE.shape)
    np.testing.assert_allclose(trained(method, X), trained(method, X.copy()), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", ["?", "i1", "u1", "i8", "u8", "f2", "f4", "g"])
def test_types_of_data(dtype, method):
    X = np.abs(WHOLE).astype(dtype)
    expected = trained(method, X.astype("f4" if dtype == "f4" else "f8"))
    np.testing.assert_allclose(trained(method, X), expected, rtol=1e-6 if dtype in ("f2", "f4") else 1e-12, atol=1e-6)
    if dtype != "f2":
        sparse = sp.csr_array(X)
        expected = trained(method, sparse.astype(expected.dtype))
        np.testing.assert_allclose(trained(method, sparse), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [bool, int, np.float32])
def test_sparse_data_frames(dtype, method):
    pandas = pytest.importorskip("pandas")
    X = pandas.get_dummies(pandas.DataFrame({"a": Y[::-1], "b": Y[30:].repeat(2)}, dtype="category"), sparse=True)
    X = X.astype(pandas.SparseDtype(dtype, dtype(0)))
    plain = sp.csr_matrix(X.to_numpy().astype(float))
    if method == "decision_function":
        expected = new_model().fit(plain, Y).decision_function(plain)
        found = new_model().fit(X, Y).decision_function(X)
    else:
        found, expected = trained(method, X), trained(method, plain)
    # Some versions of pandas and scikit-learn make dense data of bools: other sums, rounded otherwise.
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("change", LAYOUTS)
def test_labels_and_weights(change, method):
    expected = trained(method, DENSE, weights=WEIGHTS)
    for X in (DENSE, sp.csr_array(DENSE)):
        actual = trained(method, X, change(Y), change(WEIGHTS))
        np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-12)


def test_batch_size_of_eight_bits():
    expected = new_model().set_params(batch_size=16).fit(DENSE, Y)
    np.testing.assert_array_equal(new_model().set_params(batch_size=np.uint8(16)).fit(DENSE, Y).coef_, expected.coef_)


def test_what_lies_beyond_indptr_does_not_count():
    X = sp.csr_matrix(DENSE)
    X.data, X.indices = np.append(X.data, [np.nan, 1]), np.append(X.indices, [9, -1]).astype(X.indices.dtype)
    for method in METHODS:
        check(X, sp.csr_matrix(DENSE), method)


def test_what_can_be_read_is_not_copied():
    from linear_hinge.kernels.layout import checked_sparse, for_kernels

    for X in (sp.csr_matrix(DENSE), sp.csr_array(DENSE.astype("f4")), DENSE, np.asfortranarray(DENSE)):
        assert for_kernels(checked_sparse(X)) is X


def changed(name, place, value):
    def change(X):
        getattr(X, name)[place] = value

    return change


def cut(name, n):
    return lambda X: setattr(X, name, getattr(X, name)[:n])


def cast(name, dtype):
    return lambda X: setattr(X, name, getattr(X, name).astype(dtype))


INVALID = {
    "negative index": changed("indices", 5, -1),
    "index of n_features": changed("indices", 5, 60),
    "indptr negative": changed("indptr", 3, -5),
    "indptr too large": changed("indptr", -1, 10**6),
    "indptr huge": changed("indptr", 2, 2**31 - 1),
    "indptr begins late": changed("indptr", 0, 3),
    "indptr falls": changed("indptr", 3, 1),
    "indptr too short": cut("indptr", -1),
    "indptr empty": cut("indptr", 0),
    "indices too short": cut("indices", 7),
    "data too short": cut("data", 7),
    "indices of floats": cast("indices", float),
    "indices of bools": cast("indices", bool),
    "indptr of floats": cast("indptr", float),
    "indices of two dimensions": lambda X: setattr(X, "indices", X.indices[:, None]),
    "indptr of two dimensions": lambda X: setattr(X, "indptr", X.indptr[:, None]),
}


def assert_refused(X, method, match="The sparse X is not valid"):
    model = new_model().fit(DENSE, Y)
    before = deepcopy(vars(model))
    with pytest.raises(ValueError, match=match):
        getattr(model, method)(X, *() if method == "decision_function" else (Y,))
    assert vars(model).keys() == before.keys()
    for name in ("coef_", "intercept_", "dual_objective_"):
        np.testing.assert_array_equal(getattr(model, name), before[name])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("container", [sp.csr_matrix, sp.csc_array, sp.bsr_array])
@pytest.mark.parametrize("change", INVALID.values(), ids=INVALID)
def test_invalid_compressed_data_are_refused(change, container, method):
    X = container(DENSE)
    change(X)
    assert_refused(X, method)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("name", "value"), [("row", -1), ("row", 60), ("col", -1), ("col", 5)])
def test_invalid_coordinates_are_refused(name, value, method):
    X = sp.coo_matrix(DENSE)
    getattr(X, name)[4] = value
    assert_refused(X, method)


@pytest.mark.parametrize("method", METHODS)
def test_lists_with_a_wrong_column_are_refused(method):
    X = sp.lil_matrix(DENSE)
    X.rows[3][-1] = 17
    assert_refused(X, method, match=None)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(60,), (60, 2, 2)])
def test_sparse_data_of_another_dimension_are_refused(shape, method):
    try:
        X = sp.coo_array(np.ones(shape))
    except (ValueError, TypeError):
        pytest.skip("this SciPy has two dimensions only")
    assert_refused(X, method, match=None)  # some versions of scikit-learn miss rows first


UNREADABLE = {
    "big-endian": swapped(DENSE),
    "packed": field(DENSE),
    "a byte later": offset_by_a_byte(DENSE),
    "Fortran": np.asfortranarray(DENSE),
    "integers": WHOLE.astype(int),
    "strided data": sparse_with("data", apart(sp.csr_matrix(DENSE).data)),
    "swapped data": sparse_with("data", swapped(sp.csr_matrix(DENSE).data)),
    "strided indices": sparse_with("indices", apart(sp.csr_matrix(DENSE).indices)),
    "short indices": sparse_with("indices", sp.csr_matrix(DENSE).indices.astype("i2")),
    "swapped indptr": sparse_with("indptr", sp.csr_matrix(DENSE).indptr[:-1]),
    "too few indices": sparse_with("indices", sp.csr_matrix(DENSE).indices[:9]),
    "CSC": sp.csc_matrix(DENSE),
}


@pytest.mark.skipif(not is_compiled(), reason="needs compiled code")
@pytest.mark.parametrize("X", UNREADABLE.values(), ids=UNREADABLE)
def test_kernels_refuse_what_they_cannot_read(X):
    with pytest.raises(ValueError, match="layout"):
        door._kernels.Rows(X)


def test_only_small_data_whose_rows_lie_apart_are_copied(rng, monkeypatch):
    X = rng.normal(size=(6, 4))
    sparse = sp.csr_array(X)
    assert with_whole_rows(X) is X
    assert with_whole_rows(sparse) is sparse
    apart = np.asfortranarray(X)
    copy = with_whole_rows(apart)
    assert copy.flags.c_contiguous
    assert_array_equal(copy, X)
    monkeypatch.setattr(layout_module, "LARGEST_COPY", X.nbytes - 1)
    assert with_whole_rows(apart) is apart
