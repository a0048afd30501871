"""Cells of tables as text, the same in every form."""

from dlexp.number import decimal
from dlexp.report.model import Exact, Table, Value


def text_of(value: Value) -> str:
    """Return what a reader sees of a cell: integers with thousands, other numbers as `dlexp.number.decimal`.

    Numbers that were set, `Exact`, have the digits that tell them apart from others, at most six.
    """
    if value is None:
        return ""
    if isinstance(value, Exact):
        return f"{value:g}"
    if isinstance(value, float):
        return decimal(value)
    return f"{value:,}" if isinstance(value, int) else value


def are_numbers(table: Table) -> list[bool]:
    """Return for each column whether all that stands in it are numbers, which are set flush right."""
    columns = [[row.cells[place] for row in table.rows] for place in range(len(table.columns))]
    return [
        any(isinstance(c, int | float) for c in cells) and not any(isinstance(c, str) for c in cells)
        for cells in columns
    ]
