"""Records of a text file: what the first bytes say, what stands before the header, how long a field may be."""

import pytest

from dlexp.data.file.delimited import read_delimited, read_header
from dlexp.data.file.dialect import Dialect
from dlexp.data.file.record import look_up, preamble, records
from dlexp.error import DataError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "t.csv"


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\x1f\x8b\x08\x00", "packed by gzip; call it .csv.gz"),
        (b"PK\x03\x04", "a spreadsheet or another zip archive; save it as .csv"),
        (b"PAR1\x15\x04", "a parquet file; call it .parquet"),
        (b"\x89PNG\r\n\x1a\n", "a picture"),
        (b"\xff\xd8\xff\xe0", "a picture"),
    ],
)
def test_files_of_other_kinds_are_named(path, start, kind):
    path.write_bytes(start + b"\n1,2\n")
    with pytest.raises(DataError, match=kind):
        read_header(path, Dialect())


@pytest.mark.parametrize("codec", ["utf-16", "utf-32"])
def test_a_mark_says_the_encoding(path, codec):
    path.write_text("größe,b\n1,x\n", encoding=codec)
    assert list(records(path, Dialect())) == [["größe", "b"], ["1", "x"]]
    table = read_delimited(path, ["größe", "b"], {"größe": False, "b": True}, Dialect())
    assert table.to_pydict() == {"größe": [1.0], "b": ["x"]}


def test_utf_16_without_its_mark(path):
    path.write_bytes("a,b\n1,2\n".encode("utf-16-le"))
    with pytest.raises(DataError, match=r"NUL bytes.*set data.encoding=utf-16-le"):
        read_header(path, Dialect())
    assert read_header(path, Dialect(encoding="utf-16-le")) == ["a", "b"]


def test_blank_lines_before_the_header(path):
    path.write_text("\n  \n# by hand\n\na,b\n1,2\n")
    assert len(preamble(path, Dialect())) == 4
    assert read_header(path, Dialect()) == ["a", "b"]
    assert read_delimited(path, ["a", "b"], {"a": False, "b": False}, Dialect()).to_pydict() == {"a": [1.0], "b": [2.0]}
    assert list(look_up(path, Dialect(), [0])) == [(6, ["1", "2"])]


def test_a_title_above_the_header(path):
    path.write_text("Report of 2021\na,b\n1,2\n")
    with pytest.raises(DataError, match=r"row 1: got one name 'Report of 2021' above 2 fields; .* begin each with #"):
        read_header(path, Dialect())


def test_a_field_of_any_length(path):
    path.write_text(f"a,b\n{'x' * 300_000},1\n")
    assert next(look_up(path, Dialect(), [0]))[1] == ["x" * 300_000, "1"]


@pytest.mark.parametrize(
    ("first", "delimiter"), [("sep=;", ";"), ('"sep=\t"', "tab"), ("sep=\t", "tab"), ("SEP=,", ",")]
)
def test_a_spreadsheets_line_about_the_delimiter_is_left_out(path, first, delimiter):
    dialect = Dialect(delimiter)
    path.write_text(f"{first}\na{dialect.separator}b\n1{dialect.separator}2\n")
    assert read_header(path, dialect) == ["a", "b"]
    assert list(look_up(path, dialect, [0])) == [(3, ["1", "2"])]
    assert read_delimited(path, ["a", "b"], {"b": False}, dialect).to_pydict() == {"b": [2.0]}
