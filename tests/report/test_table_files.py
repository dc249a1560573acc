"""Reading svmlight and CSV files: what is read, and what is said about files that cannot be."""

import bz2
import gzip

import numpy as np
import pytest
import scipy.sparse as sp

from linear_hinge.report.table_files import DataError, read_table

COMPRESSORS = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress}


@pytest.fixture
def write(tmp_path):
    """Write a file and return its path."""

    def write(content, name="data"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


@pytest.mark.parametrize("suffix", COMPRESSORS)
@pytest.mark.parametrize("named", ["data.csv", "data.svm", "data"])
def test_csv(write, named, suffix):
    table = read_table(write(COMPRESSORS[suffix](b"1,2.5,a\n-3,4e1,b c\n"), named + suffix))
    np.testing.assert_array_equal(table.X, [[1, 2.5], [-3, 40]])
    assert table.y.tolist() == ["a", "b c"]
    assert table.columns is None


@pytest.mark.parametrize("suffix", COMPRESSORS)
@pytest.mark.parametrize("named", ["data.csv", "data.svm", "data"])
def test_svmlight(write, named, suffix):
    table = read_table(write(COMPRESSORS[suffix](b"# about\n\n-1 1:2.5 3:4 # row\n2\n-1 2:1\n"), named + suffix))
    assert sp.issparse(table.X)
    np.testing.assert_array_equal(table.X.toarray(), [[2.5, 0, 4], [0, 0, 0], [0, 1, 0]])
    assert table.y.tolist() == [-1, 2, -1]


def test_compression_is_told_from_the_content(write):
    assert read_table(write(gzip.compress(b"1,a\n2,b\n"), "data.csv")).y.tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "label", "columns", "first_row"),
    [
        ("u,v,kind\n1,2,a\n", None, ["u", "v"], [1, 2]),
        ("u,v,kind\n1,2,a\n", "kind", ["u", "v"], [1, 2]),
        ("kind,u,v\na,1,2\n", "kind", ["u", "v"], [1, 2]),
        ("u,kind,v\n1,a,2\n", "kind", ["u", "v"], [1, 2]),
        # Names that are numbers are told from a row of numbers by --label alone.
        ("0,1,target\n1,2,a\n", "target", ["0", "1"], [1, 2]),
        ('\ufeff"u, w", v ,kind\r\n\r\n1, 2,a\r\n', None, ["u, w", "v"], [1, 2]),
        ("1,2,kind\n", None, None, [1, 2]),
    ],
)
def test_csv_header(write, content, label, columns, first_row):
    table = read_table(write(content), label=label)
    assert table.columns == columns
    assert table.X.tolist() == [first_row]
    assert table.y.tolist() == ["a" if columns else "kind"]


def test_svmlight_counts_from_zero_where_zero_occurs(write):
    np.testing.assert_array_equal(read_table(write("1 0:5 2:6\n")).X.toarray(), [[5, 0, 6]])


@pytest.mark.parametrize(("train", "expected"), [("1 0:5 2:6\n", [0, 7, 0]), ("1 1:5 3:6\n", [7, 0, 0])])
def test_svmlight_test_file_counts_as_the_training_file(write, train, expected):
    like = read_table(write(train, "train"))
    assert read_table(write("1 1:7\n", "test"), like=like).X.toarray().tolist() == [expected]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty"),
        (" \n\n", "the file is empty"),
        (b"\x00\x01\x02", "not a text file"),
        (b"\xff\xfe1\x00,\x002\x00", "not a text file"),
        (b"caf\xe9,1\n", "not a text file"),
        (gzip.compress(b"1,2,a\n" * 100, mtime=0)[:-9], "cannot be read"),
        (b"\x1f\x8b and no more", "cannot be read"),
        (bz2.compress(b"1,2,a\n" * 100)[:-9], "cannot be read"),
        (b"BZh and no more", "cannot be read"),
        ("1;2;a\n", "line 1 is neither CSV .* nor svmlight"),
        ("u,v,kind\n", "no row below the header"),
        ("1,2,a\n\n3,b\n", "line 3 has 2 cells, but line 1 has 3"),
        ("1,2,a\n3 1:2\n", "line 2 has 1 cells, but line 1 has 3"),
        ("1,2,a\n3,4,b,5\n", "line 2 has 4 cells, but line 1 has 3"),
        ("1,2,a\n3,x,b\n", "line 2, column '2': 'x' is not a number"),
        ("u,v,kind\n1,2,a\n,4,b\n", "line 3, column 'u': '' is not a number"),
        ("1,2,a\n3,nan,b\n", "line 2, column '2': nan is not a finite number"),
        ("u,v,kind\n1,-inf,a\n", "line 2, column 'v': -inf is not a finite number"),
        ("1,1e200,a\n", r"line 1, column '2': 1e\+200 is not a finite number"),
        ("1,2,a\n3,4,\n", "line 2 has no label"),
        ("1,2,0\n3,4,1.5\n", "'1.5' is not the label of a class"),
        ("1,2,0\n3,4,nan\n", "'nan' is not the label of a class"),
        ("1,2," + "a" * 200_000 + "\n", "line 1 is not CSV"),
        ("1 1:2\n\n# about\n2 1:x\n3 1:1\n", "line 4 is not svmlight: could not convert"),
        ("1 1:2\n2 3:1 2:1\n", "line 2 is not svmlight: .*sorted"),
        ("a 1:2\n", "line 1 is not svmlight"),
        ("1 1:2\n1 99999999999999999999:2\n", "line 2 is not svmlight"),
        ("1 -1:2\n", "line 1 is not svmlight"),
        ("# about\n1 1:2\n\n2 3:nan\n", "line 4, feature 3: nan is not a finite number"),
        ("1 0:2\n2 3:inf\n", "line 2, feature 3: inf is not a finite number"),
        ("1.5 1:2\n", "1.5 is not the label of a class"),
    ],
)
def test_unusable_file(write, content, message):
    path = write(content)
    with pytest.raises(DataError, match=message) as raised:
        read_table(path)
    assert str(raised.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("u,v\n1,a\n", "'kind' is not in the header"),
        ("1,2,a\n", "'kind' is not in the header"),
        ("kind,u,kind\n1,2,a\n", "'kind' is more than once in the header"),
        ("1 1:2\n", "svmlight file, which has no column named 'kind'"),
    ],
)
def test_wrong_label_column(write, content, message):
    with pytest.raises(DataError, match=message):
        read_table(write(content), label="kind")


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        ("1,2,a\n", "1,a\n", "have 1 features, but those of .* have 2"),
        ("u,v,kind\n1,2,a\n", "v,u,kind\n1,2,a\n", "the column 'v' stands where .* has 'u'"),
        ("1,2,a\n", "1,2,b\n", "the label 'b' does not occur in"),
        ("1,2,a\n", "1 1:2\n", "this is svmlight, but .* is CSV"),
        ("1 1:2\n", "1,2,a\n", "this is CSV, but .* is svmlight"),
        ("1 1:2\n", "2 1:2\n", "the label 2 does not occur in"),
        ("1 2:2\n", "1 1:1\n1 3:2\n", "line 2 is not svmlight with the features 1 to 2 of .*3 features"),
        ("1 2:2\n", "1 1:1\n1 0:2\n", "line 2 is not svmlight with the features 1 to 2 of .*index 0"),
        ("1 0:2\n", "1 0:1\n1 1:2\n", "is not svmlight with the features 0 to 0 of"),
    ],
)
def test_test_file_that_does_not_go_with_the_training_file(write, train, test, message):
    like = read_table(write(train, "train"))
    with pytest.raises(DataError, match=message):
        read_table(write(test, "test"), like=like)


@pytest.mark.parametrize("test", ["u,v,kind\n1,2,a\n", "1,2,a\n"])
def test_test_file_with_and_without_header(write, test):
    like = read_table(write("u,v,kind\n5,6,a\n7,8,b\n", "train"))
    assert read_table(write(test, "test"), like=like).X.tolist() == [[1, 2]]


def test_missing_file_and_directory(tmp_path):
    with pytest.raises(DataError, match="there is no such file"):
        read_table(str(tmp_path / "missing"))
    with pytest.raises(DataError, match="is a directory"):
        read_table(str(tmp_path))
