"""Targets of several kinds in one tensor."""

import math

import numpy as np
import pytest
import torch

from dlexp.data.joint.head import Head
from dlexp.data.joint.join import join, require_labels, strata_of
from dlexp.data.target import Target
from dlexp.error import DataError

KIND = Target(torch.tensor([1, 0, 1]), "binary", ["no", "yes"])
WHOLE = Target(torch.tensor([0.5, 1.5, 2.5], dtype=torch.float64), "regression", [])
SIZE = Target(torch.tensor([0.5, 2.5], dtype=torch.float64), "regression", [])
EVERY, GAPPED = np.array([True, True, True]), np.array([True, False, True])


def test_gaps_are_nan_and_classes_numbers():
    values, heads = join([("kind", KIND, EVERY), ("size", SIZE, GAPPED)], "t.csv")
    assert torch.equal(values.nan_to_num(-1.0), torch.tensor([[1, 0.5], [0, -1.0], [1, 2.5]]).double())
    assert heads == [Head("kind", "binary", ["no", "yes"], 1), Head("size", "regression", has_gaps=True)]


def test_names_that_metrics_cannot_tell_apart_are_refused():
    with pytest.raises(DataError, match=r"t\.csv: got a/b, which metrics cannot tell from another"):
        join([("a/b", KIND, EVERY), ("a_b", WHOLE, EVERY)], "t.csv")


def test_examples_are_divided_by_the_first_classes_without_gaps():
    values, heads = join([("size", SIZE, GAPPED), ("kind", KIND, EVERY)], "t.csv")
    assert strata_of(values, heads)[0].tolist() == [1, 0, 1]
    values, heads = join([("size", SIZE, GAPPED), ("mass", WHOLE, EVERY)], "t.csv")
    assert strata_of(values, heads)[1:] == ("regression", [])


def test_a_part_without_a_target_is_refused():
    values = torch.tensor([[0.0, 1.0], [1.0, math.nan]]).double()
    heads = [Head("kind", "binary", ["a", "b"]), Head("size", "regression", has_gaps=True)]
    rows = torch.arange(2)
    require_labels(values, heads, {"training": rows, "validation": rows[:0]}, "t")
    message = "t, target size: got a gap in every one of the 1 example of the validation part"
    with pytest.raises(DataError, match=message):
        require_labels(values, heads, {"training": rows, "validation": rows[1:]}, "t")
