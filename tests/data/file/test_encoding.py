import json

import numpy as np
import pytest
import torch
from sklearn.preprocessing import OneHotEncoder

from dlexp.data.file.column import Columns
from dlexp.data.file.encoding import Feature, encode_columns, settle
from dlexp.error import DataError


def columns(**named):
    return Columns("t.csv", 2, {name: np.array(values) for name, values in named.items()})


def test_one_hot_equals_scikit_learn():
    colors = np.random.default_rng(0).choice(["red", "green", "blue"], 40)
    table = columns(color=colors)
    features = settle(table, ["color"], [], np.arange(40))
    expected = OneHotEncoder(sparse_output=False).fit_transform(colors[:, None])
    assert encode_columns(table, features, "refuse").numpy().tolist() == expected.tolist()
    assert features[0].input_names == ["color=blue", "color=green", "color=red"]


def test_levels_come_from_the_training_rows():
    table = columns(color=["red", "green", "blue"])
    features = settle(table, ["color"], [], np.array([0, 1]))
    assert features == [Feature("color", ["green", "red"])]
    assert encode_columns(table, features, "refuse").tolist() == [[0, 1], [1, 0], [0, 0]]


def test_numbers_and_codes():
    table = columns(n=["1", "2.5", "-3e2"], code=["10", "20", "10"])
    features = settle(table, ["n", "code"], ["code"], np.arange(3))
    assert encode_columns(table, features, "refuse").tolist() == [[1, 1, 0], [2.5, 0, 1], [-300, 1, 0]]


def test_missing():
    table = columns(n=["1", "", "3"], color=["a", "b", ""])
    features = settle(table, ["n", "color"], [], np.arange(3))
    imputed = encode_columns(table, features, "impute")
    assert torch.equal(imputed.isnan(), torch.tensor([[0, 0, 0], [1, 0, 0], [0, 0, 0]]).bool())
    assert imputed[2].tolist() == [3, 0, 0]
    with pytest.raises(
        DataError, match=r"^t.csv, row 3, column n: got ''; a value is needed; fill it in, or set data.mis"
    ):
        encode_columns(table, features, "refuse")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["1", "2", "abc", "4"], r"^t.csv, row 4, column c: got 'abc'; a number is needed"),
        (["1", "2", "inf", "4"], r"^t.csv, row 4, column c: got 'inf'; a finite number"),
        (["", ""], r"^t.csv, column c: every entry is missing; list it in data.drop"),
        ([f"name {i}" for i in range(101)], r"column c: got 101 different texts; list it in data.drop"),
    ],
)
def test_bad_columns(values, message):
    with pytest.raises(DataError, match=message):
        settle(columns(c=values), ["c"], [], np.arange(len(values)))


def test_new_rows_are_encoded_as_stored():
    features = settle(columns(n=["1", "2"], c=["a", "b"]), ["n", "c"], [], np.arange(2))
    stored = json.loads(json.dumps([{"name": f.name, "levels": f.levels} for f in features]))
    again = [Feature(**entry) for entry in stored]
    assert encode_columns(columns(c=["b", "z"], n=["5", "6"]), again, "refuse").tolist() == [[5, 0, 1], [6, 0, 0]]
    with pytest.raises(DataError, match=r"column n: got 'x'; a number"):
        encode_columns(columns(n=["x"], c=["a"]), again, "refuse")
    with pytest.raises(DataError, match=r"no column c \(a feature\)"):
        encode_columns(columns(n=["1"]), again, "refuse")
