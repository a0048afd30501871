from pathlib import Path

import pyarrow
import pytest

from dlexp.data.file.column import Columns
from dlexp.data.file.label import read_labels
from dlexp.data.file.text import Texts
from dlexp.error import DataError


def table(texts):
    array = pyarrow.array([text or None for text in texts], pyarrow.string())
    return Columns("t.csv", ["y"], {"y": array}, [(Path("t.csv"), len(texts), False)])


def labels_of(texts, task):
    labels = read_labels(table(texts), "y", task)
    return (labels.spread(labels.names, "") if isinstance(labels, Texts) else labels).tolist()


@pytest.mark.parametrize(
    ("texts", "task", "expected"),
    [
        (["1", "2.0", "1.0"], "auto", [1, 2, 1]),
        (["001", "002"], "auto", ["001", "002"]),
        (["001", "002"], "regression", [1.0, 2.0]),
        (["1234567890123456789", "1234567890123456788"], "auto", [1234567890123456789, 1234567890123456788]),
        (["9" * 25, "8" * 25], "auto", ["9" * 25, "8" * 25]),
        (["1", "1.5"], "auto", [1.0, 1.5]),
        (["TRUE", "false", "True"], "auto", ["True", "False", "True"]),
    ],
)
def test_labels_to_the_last_digit(texts, task, expected):
    assert labels_of(texts, task) == expected


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["a", ""], "row 2, column y: got ''; a target is needed"),
        (["1.5", "2.5", "x"], "row 3, column y: got 'x'; a number is needed"),
        (["3,14", "2,5"], "rows 1, 2, column y: got '3,14'; numbers with a comma: set data.decimal=','"),
    ],
)
def test_refused(texts, message):
    with pytest.raises(DataError, match=message):
        read_labels(table(texts), "y", "auto")


def test_a_value_whose_square_float64_has_not_is_refused_by_its_row():
    texts = ["0.5", "-1e300", "1e150"]
    with pytest.raises(DataError, match=r"column y: got '-1e300'; errors are squared, .* to 1e\+150"):
        read_labels(table(texts), "y", "auto")
    assert labels_of(texts, "multiclass") == [0.5, -1e300, 1e150]
