"""Tables that fit the terminal: a column that does not is left out whole and counted, no cell is broken."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from dlexp.number import noun

LEAST = 16  # columns that a shortened text keeps


def show_table(table: Table, console: Console, last: Sequence[str] = (), *, shortened: str = "") -> None:
    """Print a table.

    Args:
        table: Its headers are texts; the first column stays.
        console: For people; off a terminal the table is printed whole.
        last: Headers of the columns that are left out first, in this order; then the rightmost.
        shortened: Header of a column of texts, which are shortened before a column is left out.
    """
    hidden = 0
    if console.is_terminal:
        for column in table.columns:
            column.no_wrap = True
        text = next((column for column in table.columns if column.header == shortened), None)
        while len(table.columns) > 2 and _excess(table, console) > _spare(text, console):
            table.columns.remove(_weakest(table, last, text))
            hidden += 1
        if text is not None and (excess := _excess(table, console)) > 0:
            text.max_width, text.overflow = max(1, _length(text, console) - excess), "ellipsis"
    console.print(table)
    if hidden:
        count = Text(f"+{noun(hidden, 'column')} (--json has all)", style="dim")
        console.print(count, no_wrap=True, overflow="ellipsis")


def _excess(table: Table, console: Console) -> int:
    """Return by how much the table's cells, without its title, are wider than the terminal."""
    title, table.title = table.title, None
    try:
        unbounded = console.options.update(max_width=10_000)
        return table.__rich_measure__(console, unbounded).maximum - console.width
    finally:
        table.title = title


def _length(text: Column, console: Console) -> int:
    return max((console.render_str(str(cell)).cell_len for cell in text.cells), default=0)


def _spare(text: Column | None, console: Console) -> int:
    return 0 if text is None else max(0, _length(text, console) - LEAST)


def _weakest(table: Table, last: Sequence[str], text: Column | None) -> Column:
    candidates = [column for column in table.columns[1:] if column is not text]
    headers = {str(column.header): column for column in candidates}
    return next((headers[name] for name in last if name in headers), candidates[-1])
