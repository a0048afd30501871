"""Text files of fields: the header, the columns that are wanted, and the rows that a message names."""

from pathlib import Path

import pytest

from dlexp.data.file import delimited
from dlexp.data.file.delimited import read_delimited, read_header
from dlexp.data.file.dialect import Dialect
from dlexp.data.file.record import count_comments, locate
from dlexp.error import ConfigError, DataError


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "t.csv"


@pytest.mark.parametrize(
    ("header", "refusal"),
    [
        ("a,,b", "column 2 without a name"),
        ("a,a,b", "column a more than once"),
        ("a;b", "got one column 'a;b'; set data.delimiter=';'"),
        ("a\tb", "set data.delimiter='tab'"),
    ],
)
def test_headers_that_cannot_be_used(path, header, refusal):
    path.write_text(f"{header}\n1,2,3\n")
    with pytest.raises(DataError, match=refusal):
        read_header(path, Dialect())


def test_numbers_are_floats_unless_their_text_is_needed(path):
    path.write_text("a,b,c\n007,1.5,x\n12,NA,y\n")
    table = read_delimited(path, ["a", "b", "c"], {"a": True, "b": False}, Dialect())
    assert table.column_names == ["a", "b"]
    assert table.column("a").to_pylist() == ["007", "12"]
    assert table.column("b").to_pylist() == [1.5, None]


def test_a_column_that_turns_into_text_is_read_as_text(path):
    path.write_text("a\n" + "1\n" * 500 + "x\n")
    column = read_delimited(path, ["a"], {"a": False}, Dialect()).column("a").to_pylist()
    assert column == ["1"] * 500 + ["x"]


def test_rows_are_those_of_a_spreadsheet(path):
    """Entry 0 begins on row 2; a blank row counts as a row, a record over two lines as one."""
    path.write_text('a\n1\n\n"2\n2"\n3\n')
    assert locate(path, Dialect(), [0, 1, 2]) == [2, 4, 5]


def test_encodings_that_nobody_knows(path):
    path.write_text("a\n1\n")
    with pytest.raises(ConfigError, match=r"data.encoding: got klingon"):
        read_header(path, Dialect(encoding="klingon"))


@pytest.mark.parametrize(
    ("start", "number"),
    [
        ("a,b\n1,2\n", 0),
        ("# from a bank\na,b\n1,2\n", 1),
        ('# one\n#\n# it\'s "two", "three"x, four\na,b\n1,2\n', 3),
        ("#a,b\n1,2\n", 0),
        ("# made by hand\n#a,b\n1,2\n", 1),
        ("# from a bank\na;b\n1;2\n", 1),
        ("", 0),
    ],
)
def test_comments_before_the_header(path, start, number):
    path.write_text(start)
    assert count_comments(path, Dialect()) == number


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
def test_rows_below_comments(path, codec):
    path.write_text("# größe\n# two\na,b\n1,x\n\n2,y\n", encoding=codec)
    assert read_header(path, Dialect()) == ["a", "b"]
    table = read_delimited(path, ["a", "b"], {"a": False, "b": True}, Dialect())
    assert table.to_pydict() == {"a": [1.0, 2.0], "b": ["x", "y"]}
    assert locate(path, Dialect(), [0, 1]) == [4, 6]


def test_a_ragged_row_below_comments_is_named(path):
    path.write_text("# from a bank\na,b\n1,2\n1\n")
    with pytest.raises(DataError, match="row 4: got 1 fields; the header has 2"):
        read_delimited(path, ["a", "b"], {"a": False, "b": False}, Dialect())


def test_a_record_longer_than_a_block_is_read_and_no_row_twice(tmp_path, monkeypatch):
    monkeypatch.setattr(delimited, "_BLOCK_BYTES", (1 << 12, 1 << 15, 1 << 20))
    texts = [f"short {i}" for i in range(900)] + ["l" * 50_000, "after", "x" * 300_000] + [f"{i}" for i in range(900)]
    path = tmp_path / "long.csv"
    path.write_text("a,b\n" + "".join(f'{i},"{text}"\n' for i, text in enumerate(texts)))
    table = read_delimited(path, ["a", "b"], {"a": False, "b": True}, Dialect())
    assert table.column("a").to_pylist() == list(range(len(texts)))
    assert table.column("b").to_pylist() == texts
