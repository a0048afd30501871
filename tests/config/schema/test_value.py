"""What a parameter takes, from its annotation."""

from typing import Any, Literal

import pytest
from jsonschema import Draft202012Validator

from dlexp.config.schema.value import in_file, of_parameter
from dlexp.config.signature import COMPUTED, REQUIRED, Parameter
from dlexp.type import Count, Fraction, NonNegative, PerTrial, Positive, Widths

DEFS = {"$defs": {"any": {}}}


def takes(annotation, value, text="", *, is_file=False):
    """Say whether a parameter of a type takes a value."""
    schema = of_parameter(Parameter("x", annotation, text, REQUIRED, "Words."))
    return Draft202012Validator({**(in_file(schema) if is_file else schema), **DEFS}).is_valid(value)


@pytest.mark.parametrize(
    ("annotation", "right", "wrong"),
    [
        (Count, [1, 10**9], [0, -1, 1.5, True, "1", None, 10**9 + 1]),
        (PerTrial[Positive], [1e-9, 3], [0, -1, False, "a"]),
        (NonNegative, [0, 0.0, 1e300], [-1e-9]),
        (Fraction, [0.5], [0, 1]),
        (Widths, [[1], [3, 4]], [[], [0], 3, [1.5], ["a"]]),
        (Count | None, [None, 1], [0]),
        (Literal["a", "b"], ["a"], ["c", 1]),
        (Literal[18, 34], [18], ["18", 19]),
        (bool, [True], [1, 0, "true"]),
        (str, ["a", ""], [1, None, "???"]),
        (Any, [1, "a", None, {}, []], []),
    ],
)
def test_types(annotation, right, wrong):
    assert [value for value in right if not takes(annotation, value)] == []
    assert [value for value in wrong if takes(annotation, value)] == []


def test_a_column_may_be_called_by_a_number():
    assert takes(str, 3, "Name")
    assert not takes(str, True, "Name")
    assert not takes(str, 3, "str")


def test_a_file_may_refer_to_another_value_or_leave_it_open():
    assert all(takes(Positive, value, is_file=True) for value in (1, "${optimizer.lr}", "???"))
    assert not any(takes(Positive, value, is_file=True) for value in (-1, "a", "$x"))


def test_words_and_default():
    about = of_parameter(Parameter("lr", Positive, "Positive", 0.1, "Step size."), "", 0.5)
    assert (about["description"], about["default"]) == ("Step size. a number > 0", 0.5)
    assert (
        of_parameter(Parameter("lr", Positive, "Positive", 0.1, "Step size."), "step, > 0")["description"]
        == "step, > 0"
    )
    for unknown in (REQUIRED, COMPUTED, "???", float("inf")):
        assert "default" not in of_parameter(Parameter("lr", Any, "Any", unknown, ""))
