import math

import pytest

from dlexp.data.file.number import Notation, is_code, is_whole


@pytest.mark.parametrize(
    ("text", "notation", "expected"),
    [
        ("+1.5e3", Notation(), 1500),
        (".5", Notation(), 0.5),
        ("3,14", Notation(","), 3.14),
        ("1.234,5", Notation(",", "."), 1234.5),
        ("1,234,567", Notation(".", ","), 1234567),
        ("-1 234", Notation(".", " "), -1234),
        ("12,34,567", Notation(".", ","), None),
        ("3.14", Notation(","), None),
        ("1_000", Notation(), None),
        ("0x10", Notation(), None),
        ("-inf", Notation(), -math.inf),
        ("", Notation(), None),
    ],
)
def test_numbers(text, notation, expected):
    number = notation.number(text)
    assert math.isnan(number) if expected is None else number == expected


@pytest.mark.parametrize(
    ("texts", "piece"),
    [
        (["3,14", "2,5"], "set data.decimal=','; "),
        (["1,234", "5,678"], "set data.decimal=',', or data.thousands=','"),
        (["1,234,567", "5,678,901"], "set data.thousands"),
        (["1'000", "2'000"], "set data.thousands"),
        (["red", "3,14", "blue"], ""),
        ([], ""),
    ],
)
def test_other_notations_are_recognised(texts, piece):
    advice = Notation().advice(texts)
    assert piece in advice if piece else not advice


def test_codes_and_whole_numbers():
    assert [is_code(text) for text in ("007", "0", "10", "00501", "0.5")] == [True, False, False, True, False]
    assert [is_whole(text) for text in ("-7", "0", "007", "1.0", "9" * 30)] == [True, True, False, False, True]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("9007199254740993", True),
        ("9007199254740992", False),
        ("9007199254740993.0", True),
        ("1234567890123456789.5", True),
        ("100000000000000000.00", False),
        ("1e300", False),
        ("9_007_199_254_740_993", True),
    ],
)
def test_digits_that_float64_has_not(text, expected):
    assert Notation(thousands="_").is_rounded(text, float(text.replace("_", ""))) == expected
