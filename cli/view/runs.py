"""What `dlexp runs` prints: a table of runs in the columns where they differ."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from dlexp.run.document import RunRecord

_COLORS = {"finished": "green", "stopped_early": "green", "running": "cyan"}

WIDTH_OF_A_FILE = 1000  # columns


def show(records: "list[RunRecord]", names: list[str], console: Console) -> None:
    """Print the table of runs.

    Args:
        records: Of the runs, in the order of the rows.
        names: Of the columns: fields, ``params.KEY`` or ``metrics.NAME``.
        console: For people.
    """
    table = Table(box=None, pad_edge=False)
    for name, header in zip(names, _headers(names), strict=True):
        is_whole = name in ("run_id", "kind", "status")
        table.add_column(escape(header), no_wrap=is_whole, overflow="fold", min_width=len(header))
    for record in records:
        table.add_row(*(_cell(record, name) for name in names))
    if not console.is_terminal:
        console.width = WIDTH_OF_A_FILE  # a line a run, for grep and awk
    console.print(table)


def _headers(names: list[str]) -> list[str]:
    """Shorten params to their last part where no other column ends so."""
    lasts = [name.rpartition(".")[2] for name in names]
    headers = []
    for name, last in zip(names, lasts, strict=True):
        is_clear = name.startswith("params.") and lasts.count(last) == 1
        headers.append(last if is_clear else name.partition(".")[2] or name)
    return ["run" if header == "run_id" else header for header in headers]


def _cell(record: "RunRecord", name: str) -> str:
    from dlexp.run.filter import value_of

    value = value_of(record, name)
    if value is None:
        return ""
    if name == "status":
        return f"[{_COLORS.get(value, 'yellow')}]{value}[/]"
    if isinstance(value, float):
        return f"{value:.1f}" if name == "seconds" else f"{value:.4g}"
    return escape(str(value))
