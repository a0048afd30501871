"""What a target's columns are, and how it is called."""

import numpy as np

from dlexp.data.joint.head import Head, of_columns, of_target

HEADS = [
    Head("kind", "multiclass", ["a", "b", "c"]),
    Head("side", "binary", ["l", "r"]),
    Head("size (m/s)", "regression"),
]


def test_two_classes_and_a_value_take_a_column():
    assert of_columns(HEADS) == [slice(0, 3), slice(3, 4), slice(4, 5)]


def test_a_label_has_nothing_that_names_of_metrics_may_not_have():
    assert [head.label for head in HEADS] == ["kind", "side", "size _m_s_"]


def test_predictions_of_one_target_are_those_of_the_examples_that_have_it():
    stored = {
        "id": np.array(["x", "y"]),
        "target": np.array([[2.0, np.nan, 1.5], [0.0, 1.0, np.nan]]),
        "output": np.arange(10.0).reshape(2, 5),
    }
    kind, side, size = (of_target(stored, HEADS, place) for place in range(3))
    assert (kind["target"].tolist(), kind["output"].tolist()) == ([2, 0], [[0, 1, 2], [5, 6, 7]])
    assert kind["target"].dtype == np.int64
    assert (side["id"].tolist(), side["target"].tolist(), side["output"].tolist()) == (["y"], [1], [[8]])
    assert (size["id"].tolist(), size["target"].tolist(), size["output"].tolist()) == (["x"], [1.5], [4])
