import pytest

from dlexp.data.file.text import category


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.0", "1"),
        ("-2.", "-2"),
        ("TRUE", "True"),
        ("2021-03-09T00:00:00", "2021-03-09"),
        ("007", "007"),
        ("1.50", "1.50"),
        ("x", "x"),
    ],
)
def test_one_category_written_in_several_ways(text, expected):
    assert category(text) == expected
