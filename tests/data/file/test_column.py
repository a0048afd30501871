import bz2
import gzip
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pyarrow
import pyarrow.feather
import pyarrow.parquet
import pytest

from dlexp.data.file.column import read_columns
from dlexp.data.file.dialect import Dialect
from dlexp.data.file.number import Notation
from dlexp.error import DataError


@pytest.fixture
def write(tmp_path):
    def save(content, name="t.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return save


def entries(table, name):
    texts = table.texts(name)
    return [texts.names[code] if code >= 0 else None for code in texts.codes.tolist()]


def read(path, **dialect):
    return read_columns(path, Dialect(**dialect))


def test_fields_are_stripped_and_missing_ones_known(write):
    table = read(write('a, b ,c\n1, x y ,NA\n"2","p,q",\n nan ,null,3\n'))
    assert table.names == ["a", "b", "c"]
    assert entries(table, "b") == ["x y", "p,q", None]
    assert table.is_missing("c").tolist() == [True, True, False]
    numbers, is_text = table.numbers("a")
    np.testing.assert_array_equal(numbers, [1, 2, np.nan])
    assert not is_text.any()


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_byte_order_mark_other_delimiter_and_line_ends(write, codec):
    mark = b"\xff\xfe" if codec == "utf-16-le" else b""
    table = read(write(mark + "ä;b\r\n1,5;2\r\n\r\n".encode(codec)), delimiter=";")
    assert table.names == ["ä", "b"]
    assert entries(table, "ä") == ["1,5"]
    assert len(table) == 1


def test_stated_encoding(write):
    path = write("größe\nweiß\n".encode("latin-1"))
    assert entries(read(path, encoding="latin-1"), "größe") == ["weiß"]
    with pytest.raises(DataError, match=r"t.csv: byte 2 is not UTF-8; .*data.encoding=latin-1"):
        read(path)


def test_quoted_line_break_counts_one_row(write):
    path = write('a,b\n"x\ny",1\nz,2,3\n')
    with pytest.raises(DataError, match=r"t.csv, row 3: got 3 fields; the header has 2"):
        read(path)


def test_rows_are_those_of_a_spreadsheet_after_blank_ones_and_line_breaks(write):
    table = read(write('a,b\n"x\ny",1\n\nz,oops\n'))
    with pytest.raises(DataError, match=r"t.csv, row 4, column b: got 'oops'; a number"):
        table.refuse("b", table.numbers("b")[1], "a number")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"t.csv: no examples in it"),
        ("a,b\n", r"t.csv: no examples in it"),
        ("a,b\n1,2\n3\n4,5\n6\n", r"t.csv, rows 3, 5: got 1 fields; the header has 2"),
        ("a,b\n" + "1,2,3\n" * 30, r"rows 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 20 more: got 3 fields"),
        ("a,,b\n1,2,3\n", r"t.csv, row 1: column 2 without a name"),
        ("a,b,a\n1,2,3\n", r"t.csv, row 1: column a more than once"),
        ("a;b\n1;2\n", r"t.csv, row 1: got one column 'a;b'; set data.delimiter=';'"),
        ("a\tb\n1\t2\n", r"set data.delimiter='tab'"),
        (b"a,b\n\xff,2\n", r"t.csv: byte 4 is not UTF-8"),
        ('a,b\n"1,2\n', r"t.csv, line 2: unexpected end of data"),
    ],
)
def test_bad_files(write, content, message):
    with pytest.raises(DataError, match=message):
        read(write(content))


def test_absent(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read(tmp_path / "t.csv")


def test_unknown_column(write):
    with pytest.raises(DataError, match=r"t.csv: no column agee \(data.target\); it has age, b; did you mean age\?"):
        read(write("age,b\n1,2\n")).require("agee", "data.target")


def test_refusal_names_ten_rows_and_the_value(write):
    table = read(write("age\n" + "x\n" * 15))
    with pytest.raises(DataError, match=r"t.csv, rows 2, 3, .*11 and 5 more, column age: got 'x'; a number is needed"):
        table.refuse("age", np.ones(15, bool), "a number is needed")


def test_digits_stay(write):
    table = read(write("id,code\n1234567890123456789,007\n1234567890123456788,7\n"))
    assert entries(table, "id") == ["1234567890123456789", "1234567890123456788"]
    assert entries(table, "code") == ["007", "7"]
    assert table.categories("code").names == ["007", "7"]


def test_decimal_comma_and_grouped_digits(write):
    path = write("a;b\n3,14;1.234.567,5\n-2,5;12\n")
    table = read(path, delimiter=";", notation=Notation(",", "."))
    assert table.numbers("a")[0].tolist() == [3.14, -2.5]
    assert table.numbers("b")[0].tolist() == [1234567.5, 12]
    table = read(path, delimiter=";")
    with pytest.raises(DataError, match=r"rows 2, 3, column a: got '3,14'; .*set data.decimal=','"):
        table.refuse_notation("a", table.numbers("a")[1])


@pytest.mark.parametrize(("name", "pack"), [("t.csv.gz", gzip.compress), ("t.csv.bz2", bz2.compress)])
def test_packed(write, name, pack):
    assert read(write(pack(b"a,b\n1,x\n"), name)).numbers("a")[0].tolist() == [1]


def test_zst(tmp_path):
    path = tmp_path / "t.csv.zst"
    with pyarrow.output_stream(str(path), compression="zstd") as file:
        file.write(b"a\n1\n")
    assert read(path).numbers("a")[0].tolist() == [1]


def test_several_files(tmp_path):
    (tmp_path / "1.csv").write_text("a,b\n1,x\n2,y\n")
    (tmp_path / "2.csv").write_text("b,a\nz,3\nw,oops\n")
    table = read(tmp_path / "*.csv")
    assert entries(table, "b") == ["x", "y", "z", "w"]
    with pytest.raises(DataError, match=r"2.csv, row 3, column a: got 'oops'"):
        table.refuse("a", table.numbers("a")[1], "a number is needed")
    (tmp_path / "3.csv").write_text("a,c\n1,2\n")
    with pytest.raises(DataError, match=r"3.csv: got other columns than .*1.csv \(b, c\)"):
        read(tmp_path / "*.csv")


def test_a_column_that_nothing_asks_for_is_not_read(write):
    table = read_columns(write("a,b\n1," + "x" * 25_000 + "\n"), Dialect(), lambda names: {"a": True})
    assert list(table.content) == ["a"]
    assert table.names == ["a", "b"]


COLUMNS = {
    "n": pyarrow.array([1, None, 3]),
    "big": pyarrow.array([2**63 - 1, 2**63 - 2, 5]),
    "f": pyarrow.array([0.5, 1.0, None]),
    "b": pyarrow.array([True, False, None]),
    "s": pyarrow.array(["x", None, "y"]),
    "v": pyarrow.array(["x", None, "y"], pyarrow.string_view()),
    "z": pyarrow.array([None, None, None], pyarrow.null()),
    "d": pyarrow.array(["u", "v", "u"]).dictionary_encode(),
    "t": pyarrow.array([0, 1, 2], pyarrow.date32()),
    "m": pyarrow.array([0, 1_500_000, None], pyarrow.timestamp("us")),
    "e": pyarrow.array([timedelta(seconds=90), None, timedelta(milliseconds=1500)]),
    "c": pyarrow.array([Decimal("1.25"), None, Decimal("3.00")]),
}


@pytest.mark.parametrize("kind", ["parquet", "feather", "folder"])
def test_types(tmp_path, kind):
    data = pyarrow.table(COLUMNS)
    if kind == "feather":
        path = tmp_path / "t.feather"
        pyarrow.feather.write_feather(data, path)
    else:
        path = tmp_path / ("t.parquet" if kind == "parquet" else "folder/part-0.parquet")
        path.parent.mkdir(exist_ok=True)
        data = data.set_column(data.column_names.index("v"), "v", data.column("v").cast(pyarrow.string()))
        pyarrow.parquet.write_table(data, path)
        path = path.parent if kind == "folder" else path
    table = read(path)
    np.testing.assert_array_equal(table.numbers("n")[0], [1, np.nan, 3])
    np.testing.assert_array_equal(table.numbers("e")[0], [90, np.nan, 1.5])
    np.testing.assert_array_equal(table.numbers("c")[0], [1.25, np.nan, 3])
    assert table.is_missing("z").all()
    assert {name: entries(table, name) for name in ["big", "b", "s", "v", "d", "t", "m", "f"]} == {
        "big": ["9223372036854775807", "9223372036854775806", "5"],
        "b": ["True", "False", None],
        "s": ["x", None, "y"],
        "v": ["x", None, "y"],
        "d": ["u", "v", "u"],
        "t": ["1970-01-01", "1970-01-02", "1970-01-03"],
        "m": ["1970-01-01 00:00:00", "1970-01-01 00:00:01.500000", None],
        "f": ["0.5", "1", None],
    }
    assert table.categories("m").names == ["1970-01-01", "1970-01-01 00:00:01.500000"]


def test_bad_parquet(tmp_path, write):
    with pytest.raises(DataError, match=r"t.parquet: not a .parquet file"):
        read(write("a,b\n1,2\n", "t.parquet"))
    path = tmp_path / "l.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"l": pyarrow.array([[1], [2]]), "a": pyarrow.array([1, 2])}), path)
    with pytest.raises(DataError, match=r"l.parquet, column l: got type list"):
        read(path)
    assert len(read_columns(path, Dialect(), lambda names: {"a": True})) == 2


def test_row_labels_of_pandas_are_no_column(tmp_path):
    path = tmp_path / "t.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"a": [1, 2], "__index_level_0__": [0, 1]}), path)
    assert read(path).names == ["a"]


def test_moved_rows(write):
    table = read(write("n,s\n1,x\n2,y\n,z\n")).moved(np.array([1, 2]))
    assert entries(table, "n") == ["1", "998.0", None]
    assert entries(table, "s") == ["x", "y moved", "z moved"]


def test_numbers_that_nobody_needs_as_text_are_read_as_numbers(write):
    content = "n,m,c\n" + "1, 2 ,x\n" * 1500
    choose = {"n": False, "m": False, "c": False}.copy
    table = read_columns(write(content), Dialect(), lambda _: choose())
    assert [str(table.content[name].type) for name in "nmc"] == ["double", "double", "string"]
    table = read_columns(write(content + "oops,,y\n"), Dialect(), lambda _: choose())
    with pytest.raises(DataError, match=r"row 1502, column n: got 'oops'; a number"):
        table.refuse("n", table.numbers("n")[1], "a number")
    assert table.is_missing("m").sum() == 1
