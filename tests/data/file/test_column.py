import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from dlexp.data.file.column import as_numbers, as_texts, is_missing, read_columns
from dlexp.error import DataError


@pytest.fixture
def write(tmp_path):
    def save(content, name="t.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return save


def test_fields_are_stripped_and_missing_ones_known(write):
    table = read_columns(write('a, b ,c\n1, x y ,NA\n"2","p,q",\n nan ,null,3\n'), ",")
    assert list(table.columns) == ["a", "b", "c"]
    assert table.columns["b"].tolist() == ["x y", "p,q", ""]
    assert is_missing(table.columns["c"]).tolist() == [True, True, False]
    numbers, is_text = as_numbers(table.columns["a"])
    np.testing.assert_array_equal(numbers, [1, 2, np.nan])
    assert not is_text.any()


def test_byte_order_mark_other_delimiter_and_line_ends(write):
    table = read_columns(write(b"\xef\xbb\xbfa;b\r\n1,5;2\r\n\r\n"), ";")
    assert table.columns["a"].tolist() == ["1,5"]
    assert len(table) == 1


def test_quoted_line_break_counts_one_row(write):
    path = write('a,b\n"x\ny",1\nz,2,3\n')
    with pytest.raises(DataError, match=r"t.csv, row 3: got 3 fields; the header has 2"):
        read_columns(path, ",")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"t.csv: no examples in it"),
        ("a,b\n", r"t.csv: no examples in it"),
        ("a,b\n1,2\n3\n4,5\n6\n", r"t.csv, rows 3, 5: got 1 fields; the header has 2"),
        ("a\n" + "1,2\n" * 30, r"rows 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 20 more: got 2 fields"),
        ("a,,b\n1,2,3\n", r"t.csv, row 1: column 2 without a name"),
        ("a,b,a\n1,2,3\n", r"t.csv, row 1: column a more than once"),
        (b"a,b\n\xff,2\n", r"t.csv: byte 4 is not UTF-8"),
        ('a,b\n"1,2\n', r"t.csv, line 2: unexpected end of data"),
    ],
)
def test_bad_files(write, content, message):
    with pytest.raises(DataError, match=message):
        read_columns(write(content), ",")


def test_absent(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_columns(tmp_path / "t.csv", ",")


def test_unknown_column(write):
    with pytest.raises(DataError, match=r"t.csv: no column agee \(data.target\); it has age, b; did you mean age\?"):
        read_columns(write("age,b\n1,2\n"), ",").get("agee", "data.target")


def test_refusal_names_ten_rows_and_the_value(write):
    table = read_columns(write("age\n" + "x\n" * 15), ",")
    with pytest.raises(DataError, match=r"t.csv, rows 2, 3, .*11 and 5 more, column age: got 'x'; a number is needed"):
        table.refuse("age", np.ones(15, bool), "a number is needed")


def test_parquet(tmp_path):
    path = tmp_path / "t.parquet"
    columns = {
        "n": pyarrow.array([1, None, 3]),
        "f": pyarrow.array([0.5, 1.0, None]),
        "b": pyarrow.array([True, False, None]),
        "s": pyarrow.array(["x", None, "y"]),
        "d": pyarrow.array(["u", "v", "u"]).dictionary_encode(),
        "t": pyarrow.array([0, 1, 2], pyarrow.date32()),
    }
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    table = read_columns(path, ",")
    np.testing.assert_array_equal(table.columns["n"], [1, np.nan, 3])
    np.testing.assert_array_equal(table.columns["b"], [1, 0, np.nan])
    assert table.columns["s"].tolist() == ["x", "", "y"]
    assert table.columns["d"].tolist() == ["u", "v", "u"]
    assert table.columns["t"].tolist() == ["1970-01-01", "1970-01-02", "1970-01-03"]
    assert as_texts(table.columns["f"]).tolist() == ["0.5", "1", ""]
    assert table.first_row == 1


def test_bad_parquet(tmp_path, write):
    with pytest.raises(DataError, match=r"t.parquet: not a .parquet file"):
        read_columns(write("a,b\n1,2\n", "t.parquet"), ",")
    path = tmp_path / "l.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"l": pyarrow.array([[1], [2]])}), path)
    with pytest.raises(DataError, match=r"l.parquet, column l: got type list"):
        read_columns(path, ",")
