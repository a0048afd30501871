import pytest

from dlexp.report.cell import are_numbers, text_of
from dlexp.report.model import Exact, Row, Table


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("a", "a"),
        (1234, "1,234"),
        (0.5, "0.5000"),
        (2.757e-8, "2.757e-08"),
        (Exact(0.1), "0.1"),
        (Exact(3e-5), "3e-05"),
    ],
)
def test_a_cell_as_a_reader_sees_it(value, text):
    assert text_of(value) == text


def test_a_column_is_of_numbers_where_nothing_else_stands_in_it():
    rows = [Row(("a", 1, 0.5, None)), Row(("b", None, "x", None))]
    assert are_numbers(Table("", ("t", "n", "mixed", "empty"), rows)) == [False, True, False, False]
