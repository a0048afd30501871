"""Columns to look at again: texts that hardly come twice, texts among numbers."""

import json

import pyarrow.parquet
import pytest

from dlexp.data.table import Table
from dlexp.error import DataError


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


def test_spellings_of_the_same_category_are_told_with_their_counts(tmp_path):
    heard = notes(tmp_path, lambda i: ["u", " u", "v", "v"][i * 7 // 3 % 4])
    line = next(note for note in heard if "same category" in note)
    counts = [sum(["u", " u", "v", "v"][i * 7 // 3 % 4] == text for i in range(60)) for text in ("u", " u")]
    assert f"'u' ({counts[0]})" in line
    assert f"' u' ({counts[1]})" in line
    assert "'v'" not in line
    assert not any("same category" in note for note in notes(tmp_path, lambda i: "uv"[i * 7 // 3 % 2]))


def test_leading_zeros_of_a_feature_are_not_lost_in_silence(tmp_path):
    heard = notes(tmp_path, lambda i: f"0{i * 7 % 5}")
    assert (
        "column c is taken as numbers, without the zeros that entries such as 00 begin with: data.categorical='[c]' "
        "takes it as text"
    ) in heard
    assert not any("zeros" in note for note in notes(tmp_path, lambda i: f"0.{i * 7 % 5}"))


def test_columns_that_a_parquet_file_has_otherwise_than_as_numbers(tmp_path):
    path = tmp_path / "t.parquet"
    columns = {
        "text": pyarrow.array([["01", "1", "2"][i * 7 // 3 % 3] for i in range(60)]),
        "span": pyarrow.array([i * 7 % 13 for i in range(60)], pyarrow.duration("s")),
        "whole": [i * 7 % 5 for i in range(60)],
        "word": [["a", "b"][i * 7 // 3 % 2] for i in range(60)],
        "y": ["ny"[i % 2] for i in range(60)],
    }
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    heard = [note for note in Table(path=str(path), target="y", cache=None).load().notes if "in the file" in note]
    assert heard == [
        "column text is text in the file, and taken as numbers: data.categorical='[text]' takes it as text",
        "column span is a span of time in the file, and taken as numbers: seconds",
    ]
    about = json.dumps({"columns": [{"name": "whole", "pandas_type": "categorical"}]})
    pyarrow.parquet.write_table(pyarrow.table(columns).replace_schema_metadata({"pandas": about}), path)
    heard = Table(path=str(path), target="y", cache=None).load().notes
    assert any(note.startswith("column whole is categories in the file, and taken as numbers") for note in heard)


def test_a_target_of_two_spellings_of_one_label_is_refused_with_both(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("x,y\n" + "".join(f"{i},{[' yes', 'yes'][i % 2]}\n" for i in range(20)))
    with pytest.raises(DataError, match=r"only the label yes; .*same category: ' yes' \(10\) and 'yes' \(10\)"):
        Table(path=str(path), target="y", cache=None).load()
