"""What `dlexp surface` prints: steps of each update rule to the level."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from ...text import escape
from ..fit import show_table

if TYPE_CHECKING:
    from dlexp.claim.surface.document import SurfaceDocument


def show(document: "SurfaceDocument", console: Console) -> None:
    """Print the table, the soonest first."""
    x, y = document["start"]
    console.print(f"{document['name']}: {escape(document['formula'])}", soft_wrap=True)
    console.print(f"from ({x:g}, {y:g}) until it stays at {document['level']:g} or below", soft_wrap=True)
    table = Table(box=None, pad_edge=False)
    table.add_column("rule")
    for header in ("steps", "lr", "value", "x", "y"):
        table.add_column(header, justify="right")
    for path in document["paths"]:
        steps = f"> {document['most_steps']}" if path["steps"] is None else str(path["steps"])
        x, y = path["end"]
        cells = (f"{number:.4g}" for number in (path["lr"], path["value"], x, y))
        table.add_row(escape(path["rule"]), steps, *cells)
    show_table(table, console)
    for what in ("figure", "film"):
        if document[what]:
            console.print(f"{what:7} {escape(document[what])}", soft_wrap=True)
