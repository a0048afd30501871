"""Columns to look at again: texts that hardly come twice, texts among numbers."""

import pytest

from dlexp.data.table import Table


def notes(tmp_path, column):
    path = tmp_path / "t.csv"
    rows = "".join(f"{column(i)},{i * 37 % 41 / 8},{'ny'[i % 2]}\n" for i in range(60))
    path.write_text(f"c,x,y\n{rows}")
    return Table(path=str(path), target="y", cache=None).load().notes


def test_texts_that_hardly_come_twice(tmp_path):
    assert notes(tmp_path, lambda i: f"name {i}")[0] == (
        "column c has 36 different texts in 36 training rows, which become an input each: data.drop='[c]' leaves it out"
    )


@pytest.mark.parametrize("column", [lambda i: f"city {i % 7}", lambda i: ["1", "2+", "3+"][i // 2 % 2 + i % 2]])
def test_texts_that_come_again_are_not_named(tmp_path, column):
    assert not any("different texts" in note for note in notes(tmp_path, column))


def test_fractions_among_texts(tmp_path):
    heard = notes(tmp_path, lambda i: ["1.5", "low", "high", "mid"][i * 7 // 3 % 4])
    assert "column c holds numbers and texts, and is taken as text" in heard


def test_true_and_false_among_numbers(tmp_path):
    heard = notes(tmp_path, lambda i: ["TRUE", "FALSE", "1"][i * 7 // 3 % 3])
    assert "column c holds numbers and texts, and is taken as text" in heard
