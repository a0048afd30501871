import pytest

from dlexp import number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.96666, "0.9667"),
        (1.0, "1.000"),
        (0.0, "0.000"),
        (-0.5, "-0.5000"),
        (3136.2, "3136"),
        (123456, "1.235e+05"),
        (0.00002345678, "2.346e-05"),
        (99999, "1.000e+05"),
    ],
)
def test_four_significant_digits(value, text):
    assert number.significant(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.034, "0.03 s"),
        (4.24, "4.2 s"),
        (9.96, "10 s"),
        (59.6, "1 min"),
        (125, "2 min 5 s"),
        (3599.7, "1 h"),
        (9360, "2 h 36 min"),
        (7199, "2 h"),
        (86_399, "1 d"),
        (273_600, "3 d 4 h"),
    ],
)
def test_a_time_in_its_two_largest_units(seconds, text):
    assert number.duration(seconds) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 epochs"), (1, "1 epoch"), (1200, "1,200 epochs")])
def test_a_noun_in_its_number(count, text):
    assert number.noun(count, "epoch") == text
