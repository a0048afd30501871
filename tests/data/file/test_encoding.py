import json
from pathlib import Path

import numpy as np
import pyarrow
import pytest
import torch
from sklearn.preprocessing import OneHotEncoder

from dlexp.data.file.column import Columns
from dlexp.data.file.encoding import Feature, encode_columns, settle
from dlexp.error import DataError


def columns(**named):
    content = {
        name: pyarrow.array([str(value) if value != "" else None for value in values], pyarrow.string())
        for name, values in named.items()
    }
    return Columns("t.csv", list(named), content, [(Path("t.csv"), len(next(iter(named.values()))), False)])


def encode(table, features, missing):
    return encode_columns(table, features, missing).inputs


def test_one_hot_equals_scikit_learn():
    colors = np.random.default_rng(0).choice(["red", "green", "blue"], 40)
    table = columns(color=colors)
    features = settle(table, ["color"], [], np.arange(40))
    expected = OneHotEncoder(sparse_output=False).fit_transform(colors[:, None])
    assert encode(table, features, "refuse").numpy().tolist() == expected.tolist()
    assert features[0].input_names == ["color=blue", "color=green", "color=red"]


def test_levels_come_from_the_training_rows():
    table = columns(color=["red", "green", "blue"])
    features = settle(table, ["color"], [], np.array([0, 1]))
    assert features == [Feature("color", ["green", "red"], "green")]
    assert encode(table, features, "refuse").tolist() == [[0, 1], [1, 0], [0, 0]]


def test_numbers_and_codes():
    table = columns(n=["1", "2.5", "-3e2"], code=["10", "20", "10"])
    features = settle(table, ["n", "code"], ["code"], np.arange(3))
    assert encode(table, features, "refuse").tolist() == [[1, 1, 0], [2.5, 0, 1], [-300, 1, 0]]


def test_missing():
    table = columns(n=["1", "", "3"], color=["a", "b", ""])
    features = settle(table, ["n", "color"], [], np.arange(3))
    imputed = encode(table, features, "impute")
    assert torch.equal(imputed.isnan(), torch.tensor([[0, 0, 0], [1, 0, 0], [0, 0, 0]]).bool())
    assert imputed[2].tolist() == [3, 0, 0]
    with pytest.raises(
        DataError, match=r"^t.csv, row 2, column n: got ''; a value is needed; fill it in, or set data.mis"
    ):
        encode(table, features, "refuse")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["1", "2", "abc", "4"], r"^t.csv, row 3, column c: got 'abc'; a number is needed"),
        (["1", "2", "inf", "4"], r"^t.csv, row 3, column c: got '?inf'?; a finite number"),
        (["", ""], r"^t.csv, column c: every training entry is missing; list it in data.drop"),
        ([f"name {i}" for i in range(101)], r"column c: got 101 different texts; list it in data.drop"),
    ],
)
def test_bad_columns(values, message):
    with pytest.raises(DataError, match=message):
        settle(columns(c=values), ["c"], [], np.arange(len(values)))


def test_new_rows_are_encoded_as_stored():
    features = settle(columns(n=["1", "2"], c=["a", "b"]), ["n", "c"], [], np.arange(2))
    stored = json.loads(json.dumps([vars(f) for f in features]))
    again = [Feature(**entry) for entry in stored]
    assert encode(columns(c=["b", "z"], n=["5", "6"]), again, "refuse").tolist() == [[5, 0, 1], [6, 0, 0]]
    with pytest.raises(DataError, match=r"column n: got 'x'; a number"):
        encode(columns(n=["x"], c=["a"]), again, "refuse")
    with pytest.raises(DataError, match=r"no column c \(a feature\)"):
        encode(columns(n=["1"]), again, "refuse")


def test_a_gap_where_training_had_none_counts_as_the_most_frequent_category():
    features = settle(columns(c=["a", "b", "b"]), ["c"], [], np.arange(3))
    assert encode(columns(c=["", "a"]), features, "impute").tolist() == [[0, 1], [1, 0]]
    features = settle(columns(c=["a", "b", ""]), ["c"], [], np.arange(3))
    assert encode(columns(c=["", "a"]), features, "impute").tolist() == [[0, 0], [1, 0]]


def test_one_category_written_in_several_ways_and_unseen_ones():
    features = settle(columns(c=["1", "2", "1"]), ["c"], ["c"], np.arange(3))
    encoded = encode_columns(columns(c=["1.0", " 2", "7", "8", "7"]), features, "refuse")
    assert encoded.inputs.tolist() == [[1, 0], [0, 1], [0, 0], [0, 0], [0, 0]]
    assert encoded.unseen == ["column c: 3 rows of categories 7, 8"]
    with pytest.raises(DataError, match=r"rows 3, 4, 5, column c: got '7'; training had no such category; data.unseen"):
        encode_columns(columns(c=["1.0", " 2", "7", "8", "7"]), features, "refuse", "error")


def test_numbers_with_a_comma_are_no_categories():
    with pytest.raises(DataError, match=r"column c: got '3,14'; numbers with a comma: set data.decimal=','"):
        settle(columns(c=["3,14", "2,72"]), ["c"], [], np.arange(2))
    assert settle(columns(c=["3,14", "2,72"]), ["c"], ["c"], np.arange(2))[0].levels == ["2,72", "3,14"]
