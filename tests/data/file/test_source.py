"""Which files a path names, and what joins them."""

from pathlib import Path

import pyarrow
import pyarrow.feather
import pyarrow.parquet
import pytest

from dlexp.data.file.dialect import Dialect
from dlexp.data.file.source import is_table, read_files
from dlexp.error import DataError


def every(names):
    return dict.fromkeys(names, True)


def read(path):
    return read_files(path, Dialect(), every)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.csv", True), ("a.CSV.gz", True), ("a.parquet", True), ("a.arrow", True), ("a.npz", False), ("a.gz", False)],
)
def test_names_of_tables(name, expected):
    assert is_table(Path(name)) == expected


def test_a_pattern_names_files_in_order(tmp_path):
    for name in ("b", "a"):
        (tmp_path / f"{name}.csv").write_text(f"x\n{name}\n")
    assert [file.path.name for file in read(tmp_path / "*.csv")] == ["a.csv", "b.csv"]


def test_files_of_other_columns_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    (tmp_path / "b.csv").write_text("x,z\n1,2\n")
    with pytest.raises(DataError, match=r"b.csv: got other columns than .*a.csv \(y, z\)"):
        read(tmp_path / "*.csv")


def test_row_labels_of_pandas_are_no_column(tmp_path):
    table = pyarrow.table({"x": [1, 2], "__index_level_0__": [3, 4]})
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet")
    pyarrow.feather.write_feather(table, tmp_path / "t.feather")
    for name in ("t.parquet", "t.feather"):
        (file,) = read(tmp_path / name)
        assert (file.names, file.is_text) == (["x"], False)


@pytest.mark.parametrize("name", ["t.parquet", "t.feather"])
def test_what_only_calls_itself_so_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"x,y\n1,2\n")
    with pytest.raises(DataError, match=r"not a \.\w+ file") as error:
        read(tmp_path / name)
    assert "\n" not in str(error.value)


def test_nothing_there(tmp_path):
    with pytest.raises(DataError, match=r"no such file; data.path names a"):
        read(tmp_path / "t.csv")
