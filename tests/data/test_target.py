import numpy as np
import pytest
import torch

from dlexp.data.target import encode, require_seen
from dlexp.error import ConfigError, DataError


@pytest.mark.parametrize(
    ("labels", "task", "names"),
    [
        (["b", "a", "b"], "binary", ["a", "b"]),
        ([True, False, True], "binary", ["False", "True"]),
        ([3, 1, 2] * 5, "multiclass", ["1", "2", "3"]),
        ([3.0, 1.0, 2.0] * 5, "multiclass", ["1", "2", "3"]),
        ([-1, 1] * 5, "binary", ["-1", "1"]),
        ([0.5, 1.0, 2.0] * 5, "regression", []),
        (list(range(100)), "regression", []),
        ([1e30, 2.5e30] * 5, "regression", []),
    ],
)
def test_inferred_task(labels, task, names):
    target = encode(np.array(labels), "auto", "x")
    assert (target.task, target.class_names) == (task, names)
    if names:
        assert [names[k] for k in target.values.tolist()] == [
            str(int(x)) if isinstance(x, float) else str(x) for x in labels
        ]
    else:
        assert target.values.tolist() == labels
        assert target.values.dtype == torch.float64


def test_task_that_is_asked_for():
    assert encode(np.array([3, 1, 2] * 5), "regression", "x").task == "regression"
    assert encode(np.arange(20), "multiclass", "x").task == "multiclass"
    assert encode(np.array([0, 1] * 5), "multiclass", "x").task == "multiclass"
    with pytest.raises(ConfigError, match="task: got binary; the data have 3 classes"):
        encode(np.array([3, 1, 2] * 5), "binary", "x")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([1.0, np.nan, np.inf], r"^x, rows 1, 2: got nan; a finite number"),
        (["a", "a"], r"^x: got only the label a; at least two"),
        ([1j, 2j], r"^x: got type complex128; real numbers"),
    ],
)
def test_bad_labels(labels, message):
    with pytest.raises(DataError, match=message):
        encode(np.array(labels), "auto", "x")


def test_text_cannot_be_regressed():
    with pytest.raises(DataError, match=r"got text such as 'a'; task=regression needs numbers"):
        encode(np.array(["a", "b"]), "regression", "x")


@pytest.mark.parametrize("task", ["multiclass", "binary", "pairs"])
@pytest.mark.parametrize("type_of", [np.float32, np.float64])
def test_values_that_are_asked_for_as_classes_have_a_cure(task, type_of):
    values = np.array([0.125, 1.75, -2.5, 3.0, 1.75], dtype=type_of)
    with pytest.raises(DataError) as raised:
        encode(values, task, "x.csv, column y")
    assert str(raised.value) == (
        "x.csv, column y: got -2.5, 0.125 and more, 4 different numbers with a fraction in 5 examples; "
        f"task={task} needs classes, task=regression takes them as values"
    )
    grades = encode(np.array([0.5, 1.5, 1.0] * 2), "multiclass", "x")
    assert grades.class_names == ["0.5", "1.0", "1.5"]


def test_named_classes():
    target = encode(np.array([0, 2], np.uint8), "auto", "x", ["a", "b", "c"])
    assert target.class_names == ["a", "b", "c"]
    assert target.values.tolist() == [0, 2]
    with pytest.raises(DataError, match=r"^x, rows 1, 2: got 3; labels are whole numbers from 0 to 2"):
        encode(np.array([0, 3, -1]), "auto", "x", ["a", "b", "c"])
    with pytest.raises(DataError, match="got type float64"):
        encode(np.array([0.0, 1.0]), "auto", "x", ["a", "b"])


def test_label_that_training_has_not():
    target = encode(np.array(["a", "b", "a", "b", "c"]), "auto", "x")
    with pytest.raises(DataError, match=r"^x: label 'c' of the val part \(row 1\) is out of range"):
        require_seen(target, torch.arange(3), {"val": torch.tensor([3, 4])}, "x")
    require_seen(target, torch.arange(5), {"val": torch.tensor([4])}, "x")


def test_names_of_numbers():
    assert encode(np.array([1.0, 1.5, 2.0, 2.5] * 5), "multiclass", "x").class_names == ["1.0", "1.5", "2.0", "2.5"]
    large = np.array([1234567890123456789, 1234567890123456788] * 5)
    assert encode(large, "auto", "x").class_names == ["1234567890123456788", "1234567890123456789"]
    assert encode(np.array([b"cat", b"dog"] * 5), "auto", "x").class_names == ["cat", "dog"]


def test_many_whole_numbers_are_values_and_it_is_said():
    (note,) = encode(np.arange(60), "auto", "x").notes
    assert note.startswith("x: 60 different whole numbers in 60 examples are taken as values (regression); task=")
    assert not encode(np.arange(60), "regression", "x").notes
    assert not encode(np.arange(60) + 0.5, "auto", "x").notes


def test_a_value_whose_square_float64_has_not_is_refused():
    with pytest.raises(DataError, match=r"y, row 1: got 1e\+300; errors are squared"):
        encode(np.array([0.5, 1e300, 2.5]), "auto", "y")
