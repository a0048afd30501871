"""Columns that are mapped are those that are read, and what disagrees with its note is made anew."""

import os
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import torch

from dlexp.data.file.column import read_columns
from dlexp.data.file.dialect import Dialect
from dlexp.data.file.mapped import map_columns, scratch_matrix
from dlexp.error import DataError
from tests.data.file.damage import cut, flip

BIG = 1234567890123456789
WANTED = {"number": False, "word": False, "late": False, "id": True}


def choose(names):
    return {name: WANTED[name] for name in names if name in WANTED}


@pytest.fixture
def path(tmp_path) -> Path:
    rows = [
        f"{i / 7},{['red', ' green', 'NA'][i % 3]},{i if i < 500 else 'x'},{BIG + i},{'unasked' * 10}"
        for i in range(600)
    ]
    file = tmp_path / "t.csv"
    file.write_text("# by hand\nnumber,word,late,id,unasked\n" + "\n".join(rows))
    return file


def require_equal(mapped, read):
    assert (mapped.names, mapped.files, mapped.notes) == (read.names, read.files, read.notes)
    for name in read.content:
        texts, expected = mapped.texts(name), read.texts(name)
        assert [texts.entry(row) for row in range(len(read))] == [expected.entry(row) for row in range(len(read))]
        for got, value in zip(mapped.numbers(name), read.numbers(name), strict=True):
            np.testing.assert_array_equal(got, value)
        np.testing.assert_array_equal(mapped.is_missing(name), read.is_missing(name))


def test_text_files(path, tmp_path):
    for _ in range(2):
        read = read_columns(path, Dialect(), choose)
        mapped = map_columns(path, Dialect(), choose, tmp_path / "cache")
        require_equal(mapped, read)
        is_bad = np.arange(600) == 7
        with pytest.raises(DataError, match="row 10, column id: got '1234567890123456796'; no"):
            mapped.refuse("id", is_bad, "no")
    assert len(os.listdir(tmp_path / "cache")) == 1


def test_whole_numbers_with_gaps_and_folders_of_files(tmp_path):
    (tmp_path / "t").mkdir()
    for part in range(2):
        numbers = [None if i % 5 == 0 else BIG + part + i for i in range(30)]
        table = pyarrow.table({"id": pyarrow.array(numbers, pyarrow.int64()), "number": np.arange(30.0) + part})
        pyarrow.parquet.write_table(table, tmp_path / "t" / f"{part}.parquet")
    read = read_columns(tmp_path / "t", Dialect(), choose)
    require_equal(map_columns(tmp_path / "t", Dialect(), choose, tmp_path / "cache"), read)


@pytest.mark.parametrize("name", ["columns.json", "0.bin", "1.bin"])
@pytest.mark.parametrize("damage", [cut, flip, lambda path: path.write_text("[]"), lambda path: path.unlink()])
def test_damage_is_mended(path, tmp_path, name, damage):
    map_columns(path, Dialect(), choose, tmp_path / "cache")
    (folder,) = (tmp_path / "cache").iterdir()
    damage(folder / name)
    require_equal(map_columns(path, Dialect(), choose, tmp_path / "cache"), read_columns(path, Dialect(), choose))


def test_another_content_under_an_old_time_is_noticed(path, tmp_path):
    os.utime(path, ns=(10**18, 10**18))
    map_columns(path, Dialect(), choose, tmp_path / "cache")
    path.write_text(path.read_text().replace("red", "rot"))
    os.utime(path, ns=(10**18, 10**18))
    assert map_columns(path, Dialect(), choose, tmp_path / "cache").texts("word").entry(0) == "rot"


def test_files_of_other_types_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text("number\n1\n")
    (tmp_path / "b.csv").write_text("number\nx\n")
    with pytest.raises(DataError, match=r"b.csv, column number: got texts in one file and numbers in another"):
        map_columns(tmp_path / "*.csv", Dialect(), choose, tmp_path / "cache")
    assert os.listdir(tmp_path / "cache") == []


def test_a_scratch_matrix_leaves_nothing(tmp_path):
    matrix = scratch_matrix(tmp_path, 3, 2)
    assert os.listdir(tmp_path) == []
    matrix[1, 1] = 7.5
    assert matrix.tolist() == [[0, 0], [0, 7.5], [0, 0]]
    assert matrix.dtype == torch.float64
