"""Reading svmlight, CSV and parquet files: what is read, and what is said about files that cannot be."""

import bz2
import gzip
import sys

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


@pytest.mark.parametrize(
    ("content", "first_row"),
    [
        ("u;v;kind\n1,5;-2;a\n3;4,25;b\n", [1.5, -2]),
        ("u\tv\tkind\n1.5\t-2\ta\n3\t4.25\tb\n", [1.5, -2]),
        ("1,5;-2;a\n3;4,25;b\n", [1.5, -2]),
        ("0,125;-2;a\n3;4,250;b\n", [0.125, -2]),
        ("u|v|kind\n1.5|-2|a\n", [1.5, -2]),
        ('"u;w",v,kind\n1.5,-2,a\n', [1.5, -2]),
        ('u;v;kind\n"1,5";-2;"a; b"\n', [1.5, -2]),
    ],
)
def test_delimiters_and_decimal_commas(write, content, first_row):
    table = read_table(write(content))
    assert table.X[0].tolist() == first_row
    assert table.y[0].startswith("a")


def test_texts_and_holes_become_numbers(write):
    table = read_table(write("size,colour,kind\n1,red,a\n,blue,b\n3,NA,a\n8,red,b\n"))
    assert table.X.tolist() == [[1, 0, 0, 1], [3, 0, 1, 0], [3, 1, 0, 0], [8, 0, 0, 1]]
    assert table.n_holes == 1
    assert [encoding.name for encoding in table.encodings] == ["size", "colour"]
    assert table.encodings[1].texts.tolist() == ["NA", "blue", "red"]


def test_a_word_among_words_is_a_label_even_if_it_may_mean_that_there_is_none(write):
    assert read_table(write("1,n/a\n2,a\n3,None\n")).y.tolist() == ["n/a", "a", "None"]


def test_a_test_file_is_encoded_as_the_training_file(write):
    like = read_table(write("size,colour,kind\n1,red,a\n3,blue,b\n8,red,a\n", "train"))
    test = read_table(write("size,colour,kind\n,green,a\n5,blue,b\n", "test"), like=like)
    assert test.X.tolist() == [[3, 0, 0], [5, 1, 0]]
    with pytest.raises(DataError, match="line 2, column 'size': 'red' is not a number"):
        read_table(write("size,colour,kind\nred,1,a\n", "test"), like=like)


def test_parquet(tmp_path):
    pd = pytest.importorskip("pandas", reason="the extra cli")
    pytest.importorskip("pyarrow", reason="the extra cli")
    frame = pd.DataFrame({"kind": ["a", "b", "a"], "size": [1.5, None, 2.5], "colour": ["red", "blue", "red"]})
    frame.to_parquet(tmp_path / "data")
    table = read_table(str(tmp_path / "data"), label="kind")
    assert table.X.tolist() == [[1.5, 0, 1], [2, 1, 0], [2.5, 0, 1]]
    assert table.y.tolist() == ["a", "b", "a"]
    (tmp_path / "broken").write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match="broken: cannot be read: "):
        read_table(str(tmp_path / "broken"))


def test_parquet_without_its_reader(write, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(DataError, match=r"parquet needs pandas and pyarrow \(pip install 'linear-hinge\[cli\]'\)"):
        read_table(write(b"PAR1"))


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
        ("1 2 a\n", "line 1 is neither CSV .* nor svmlight"),
        (b"PK\x03\x04 and more", "this is a workbook or an archive; save it as CSV"),
        ("u,v,kind\n", "no row below the header"),
        ("1,2,a\n\n3,b\n", "line 3 has 2 cells, but line 1 has 3"),
        ("1,2,a\n3 1:2\n", "line 2 has 1 cells, but line 1 has 3"),
        ("1,2,a\n3,4,b,5\n", "line 2 has 4 cells, but line 1 has 3"),
        ("1,2,a\n3,x,b\n", r"line 2, column '2': 'x' is not a number \(the column holds numbers otherwise"),
        ("u,v,kind\n1,,a\n2,?,b\n", "all cells of column 'v' are empty; remove it"),
        ("u;kind\n1,234;a\n2,345;b\n", "line 2: '1,234' may be 1.234 or 1234; write numbers without commas"),
        (
            "n,kind\n" + "".join(f"x{i},a\n" for i in range(30)),
            "column 'n' has 30 different texts in 30 rows; remove it",
        ),
        ("u,v\n" + "".join(f"1,{i}\n" for i in range(30)), "the labels are 30 different numbers in 30 rows.*--label"),
        ("u,v,kind\n1,-inf,a\n", "line 2, column 'v': -inf is not a finite number"),
        ("1,1e200,a\n", r"line 1, column '2': 1e\+200 is not a finite number"),
        ("1,2,a\n3,4,\n", "line 2 has no label: an empty cell in column '3'; the last column was taken as the label"),
        ("1,2,0\n3,4,N/A\n5,6,1\n", "line 2 has no label: 'N/A' in column '3'; .* use --label NAME if it is another"),
        ("1,2,0\n3,4,nan\n", "line 2 has no label: 'nan' in column '3'"),
        (
            "1,2,0\n3,4,1.5\n",
            "'1.5' is not the label of a class.*; the last column was taken as the label: use --label",
        ),
        ("1,2,0\n3,4,inf\n", "'inf' is not the label of a class"),
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
