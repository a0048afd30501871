"""Columnar files and folders of them: each piece alike, or refused by the name of the file."""

import pyarrow
import pyarrow.feather
import pyarrow.parquet
import pytest

from dlexp.data.file.columnar import open_columnar
from dlexp.data.file.dialect import Dialect
from dlexp.data.file.source import read_files
from dlexp.error import DataError


def write(folder, **tables):
    """Write tables to files; two underscores in a name stand for a folder."""
    for name, columns in tables.items():
        path = folder / f"{name.replace('__', '/').replace('_is_', '=')}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pyarrow.parquet.write_table(pyarrow.table(columns), path)
    return folder


def rows(path):
    return [row for piece in open_columnar(path) for row in piece.table(piece.names).to_pylist()]


def test_files_of_a_folder_stand_one_after_another(tmp_path):
    folder = write(tmp_path, b={"x": [3], "y": ["v"]}, a={"y": ["u", "u"], "x": [1, 2]})
    assert [row["x"] for row in rows(folder)] == [1, 2, 3]
    assert [(piece.path.name, piece.count_rows()) for piece in open_columnar(folder)] == [
        ("a.parquet", 2),
        ("b.parquet", 1),
    ]


def test_names_of_folders_are_columns_to_the_letter(tmp_path):
    folder = write(tmp_path, k_is_01__m_is_a__p={"x": [1]}, k_is_1234567890123456789__m_is_b__p={"x": [2]})
    assert rows(folder) == [{"x": 1, "k": "01", "m": "a"}, {"x": 2, "k": "1234567890123456789", "m": "b"}]


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"a": {"x": [1]}, "b": {"x": [1], "z": [1]}}, r"b.parquet: got other columns than .*a.parquet \(z\)"),
        ({"k_is_1__p": {"k": [1]}}, "column k stands in the file and in its folder's name"),
        ({"k_is_1__p": {"x": [1]}, "p": {"x": [1]}}, r"p.parquet: got no column in its folder's name; .* has k"),
        ({"a": {"": [1]}}, "a.parquet: column 1 without a name"),
        ({"a": {"x": [1], " x ": [1]}}, "column x more than once"),
    ],
)
def test_what_does_not_fit_together_is_refused(tmp_path, tables, message):
    with pytest.raises(DataError, match=message):
        read_files(write(tmp_path, **tables), Dialect(), lambda names: dict.fromkeys(names, True))


def test_columns_are_named_without_spaces_and_may_have_points(tmp_path):
    folder = write(tmp_path, a={" x ": [1], "a.b": [2], "__index_level_1__": [3]})
    assert rows(folder) == [{"x": 1, "a.b": 2}]


def test_other_files_are_left_out_and_marks_of_programs_unsaid(tmp_path):
    folder = write(tmp_path, a={"x": [1]})
    for name in ("_SUCCESS", ".a.parquet.crc", "_metadata", "notes.txt"):
        (folder / name).write_bytes(b"no table")
    (piece,) = open_columnar(folder)
    assert piece.notes == [f"{folder}: file notes.txt left out"]
    (folder / "b.parquet").touch()
    with pytest.raises(DataError, match=r"b.parquet: not a .parquet file"):
        rows(folder)


def test_a_folder_of_other_files_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("x\n1\n")
    with pytest.raises(DataError, match=r"a folder without .parquet files; a pattern such as .*\*.csv"):
        rows(tmp_path)


def test_other_forms_of_arrow_are_named(tmp_path):
    path, table = tmp_path / "t.arrow", pyarrow.table({"x": [1]})
    with pyarrow.OSFile(str(path), "wb") as file, pyarrow.ipc.new_stream(file, table.schema) as stream:
        stream.write_table(table)
    with pytest.raises(DataError, match="got an Arrow stream; write it as a file"):
        rows(path)
    path.write_bytes(b"FEA1" + bytes(20))
    with pytest.raises(DataError, match="a Feather file of version 1; write it with version 2"):
        rows(path)
