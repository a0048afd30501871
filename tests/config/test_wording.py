"""Types and values in words."""

import math

import pytest

from dlexp.config.wording import plural, setting_text, show, type_text, yaml_value


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        ("Count", "an integer >= 1"),
        ("PerTrial[Positive]", "a number > 0"),
        ("PerTrial[Positive] | None", "a number > 0 or null"),
        ("Literal['fp32', 'bf16']", "fp32|bf16"),
        ("Literal[18, 34]", "18|34"),
        ("list[int]", "a list of integers"),
        ("list[Count] | None", "a list of integers >= 1 or null"),
        ("Widths", "a list of integers >= 1"),
        ("Annotated[float, Interval(gt=0)]", "a number > 0"),
        ("Annotated[float, Interval(ge=0, le=180)]", "a number in [0, 180]"),
        ("Annotated[float, Interval(gt=0, le=1)] | None", "a number in (0, 1] or null"),
        ("Annotated[int, Ge(2)]", "an integer >= 2"),
        ("PerTrial[Annotated[list[Probability], Len(2, 2)]]", "a list of numbers in [0, 1)"),
        ("str", "a text"),
        ("bool", "true or false"),
        ("SomethingElse", "SomethingElse"),
    ],
)
def test_type_text(annotation, words):
    assert type_text(annotation) == words


def test_plural():
    assert plural("an integer >= 1") == "integers >= 1"
    assert plural("a text") == "texts"
    assert plural("a class of a package, by its path") == "classes of a package, by its path"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "null"),
        (True, "true"),
        (0.1, "0.1"),
        (math.nan, "nan (not finite)"),
        (-math.inf, "-inf (not finite)"),
        ("", "''"),
        ("abc", "abc"),
        ("a\nb\x00", "a\\nb\\x00"),
        ([None, True, "x"], "[null,true,x]"),
        ({"a": [1], "b": False}, "{a:[1],b:false}"),
        (["a\nb"], "['a b']"),
        ("x" * 60, "x" * 60),
        ("x" * 61, "x" * 57 + "..."),
        (10**70, "1" + "0" * 56 + "..."),
    ],
)
def test_show(value, shown):
    assert show(value) == shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (0.1, "0.1"),
        (3, "3"),
        ("relu", "relu"),
        ("/home/me/runs/a-1", "/home/me/runs/a-1"),
        ("/home/me/my runs", "'/home/me/my runs'"),
        ("", "''"),
        ("true", "'true'"),
        ({"a": [1e-8]}, "{a:[1e-08]}"),
        ([64, None, [True]], "[64,null,[true]]"),
    ],
)
def test_a_value_is_written_as_an_override_has_it(value, text):
    assert yaml_value(value) == text


def test_a_setting_in_one_line():
    setting = {"optimizer.lr": 0.000947213, "regularizer.weight": 0.1, "model": "mlp", "model.widths": [64, 64]}
    assert setting_text(setting) == "optimizer.lr=9.47e-04 regularizer.weight=0.1 model=mlp model.widths=[64,64]"
    assert setting_text(setting, is_short=True) == "lr: 9.47e-04, reg: 0.1, model: mlp, widths: [64,64]"
