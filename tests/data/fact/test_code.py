import gzip

import numpy as np
import pytest

from dlexp.data.fact import code
from dlexp.data.fact.code import find_codes
from dlexp.data.file.column import read_columns
from dlexp.data.file.dialect import Dialect

NUM = 3000
LAST = NUM - 1


def rows(last, mark=","):
    """Whole numbers, fractions, dates and a class; the last row's number is as given."""
    entries = [f"{last if i == LAST else i % 7 * 10}|0.5|2021-01-0{i % 9 + 1}|a" for i in range(NUM)]
    return "\n".join(["c|x|day|y", *entries]).replace("|", mark) + "\n"


def codes(path, dialect=None):
    table = read_columns(path, dialect or Dialect(), lambda names: dict.fromkeys(names, False))
    return find_codes(table, [name for name in table.names if name in "cx"])


@pytest.mark.parametrize("last", ["007", '"007"', " 007", "+07", "00"])
def test_a_zero_in_the_last_row(last, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(rows(last))
    assert codes(path) == {"c": last.strip('" ')}


@pytest.mark.parametrize("last", ["0", "7", "100", "0.5", "1e2", ""])
def test_numbers_that_lose_nothing(last, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(rows(last))
    assert codes(path) == {}


@pytest.mark.parametrize(
    ("name", "mark", "encoding"),
    [("t.csv", ";", "utf-8"), ("t.csv", "|", "latin-1"), ("t.csv", "\t", "utf-8"), ("t.csv", ",", "utf-16")],
)
def test_however_the_file_is_written(name, mark, encoding, tmp_path):
    path = tmp_path / name
    path.write_bytes(rows("007", mark).encode(encoding))
    assert codes(path, Dialect(mark, encoding)) == {"c": "007"}


def test_packed_and_in_the_second_of_two_files(tmp_path):
    for number, last in enumerate(("7", "007")):
        (tmp_path / f"t{number}.csv.gz").write_bytes(gzip.compress(rows(last).encode()))
    assert codes(tmp_path / "t*.csv.gz") == {"c": "007"}


def test_at_the_border_of_two_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr(code, "_CHUNK_BYTES", 8)
    path = tmp_path / "t.csv"
    for width in range(1, 20):
        for entry, is_code in (("01", True), ("001", True), ("10", False), ("01:30", False), ("01-05", False)):
            path.write_text(f"w,c\n{'1' * width},{entry}" + "\n" * (width % 2))
            assert code._may_hold_codes(path, Dialect()) == is_code, width


def test_a_column_with_fractions_holds_no_codes(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("c,y\n01,a\n2.5,b\n")
    assert codes(path) == {}


def test_gaps_are_no_fractions():
    assert code._is_whole(np.array([1.0, np.nan, 2.0]))
    assert not code._is_whole(np.array([1.0, np.nan, 2.5]))
