"""What outputs say of an example."""

import math

import pytest
import torch

from dlexp.data.joint.head import Head
from dlexp.job.inference.answer import flat, say, say_several

HEADS = [Head("kind", "binary", ["no", "yes"]), Head("size", "regression")]


def test_a_class_has_its_probabilities_and_a_value_is_alone():
    (entry,) = say(["x"], torch.tensor([[math.log(3.0)]]), ["no", "yes"], "softmax")
    assert entry["id"] == "x"
    assert entry.get("class") == "yes"
    assert entry.get("probabilities") == pytest.approx({"no": 0.25, "yes": 0.75})
    assert say(["x"], torch.tensor([2.5]), [], "softmax") == [{"id": "x", "value": 2.5}]


def test_several_targets_have_their_answers_by_name_and_a_column_each():
    (entry,) = say_several(["x"], torch.tensor([[math.log(3.0), 2.5]]), HEADS)
    assert entry.get("targets", {})["size"] == {"value": 2.5}
    row = flat(entry)
    assert list(row) == ["id", "kind", "kind probability", "kind probability no", "kind probability yes", "size"]
    assert (row["kind"], row["size"]) == ("yes", 2.5)
    assert flat({"id": "x", "value": 1.0}) == {"id": "x", "value": 1.0}
