"""Labels of several targets, before it is known what they are."""

import numpy as np
import pytest

from dlexp.data.file.text import Texts
from dlexp.data.joint.label import Labels, check_names, encode_all, to_divide_by
from dlexp.error import ConfigError, DataError

KIND = Labels("kind", np.array(["b", "a", "", "a"]), np.array([True, True, False, True]), ["two spellings"])
SIZE = Labels("size", np.array([0.5, 1.5, 2.5, 3.5]), np.ones(4, dtype=bool), ["not said"])


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["size", "size"], "data.target: got size twice; name each target once"),
        (["size"], r"data.target: got \['size'\]; name two targets or more"),
    ],
)
def test_a_list_that_is_none_is_refused(names, message):
    with pytest.raises(ConfigError, match=message):
        check_names(names)


def test_gaps_have_no_class_and_spellings_of_classes_are_said():
    values, heads, notes = encode_all([KIND, SIZE], "auto", "a.npz")
    assert values.nan_to_num(-1.0).tolist() == [[1, 0.5], [0, 1.5], [-1, 2.5], [0, 3.5]]
    assert [(head.task, head.class_names, head.has_gaps) for head in heads] == [
        ("binary", ["a", "b"], True),
        ("regression", [], False),
    ]
    assert notes == ["two spellings"]
    assert to_divide_by(values, heads, notes).notes == notes


def test_what_cannot_be_a_target_is_named_with_its_spellings():
    alone = Labels("kind", np.array(["a", "a"]), np.ones(2, dtype=bool), ["two spellings"])
    with pytest.raises(DataError, match=r"^t.csv, column kind: got only the label a; .*; two spellings$"):
        encode_all([alone, SIZE], "auto", "t.csv")


def test_some_rows_stay_in_their_order():
    rest = KIND.keep([3, 2])
    assert isinstance(rest.values, np.ndarray)
    assert (rest.values.tolist(), rest.is_present.tolist()) == (["a", ""], [True, False])
    coded = Labels("kind", Texts(np.array([1, -1, 0], np.int32), ["a", "b"]), np.array([True, False, True])).keep(
        [0, 1]
    )
    assert isinstance(coded.values, Texts)
    assert coded.values.codes.tolist() == [1, -1]
