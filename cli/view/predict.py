"""What `dlexp predict` prints: the first predictions."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from dlexp.number import decimal, noun

from ..text import escape

if TYPE_CHECKING:
    from dlexp.job.inference.document import Predictions

SHOWN = 20


def show(predictions: "Predictions", console: Console) -> None:
    """Print the first predictions."""
    entries = predictions["predictions"]
    numbers = ("probability", "similarity", "threshold", "value", "error")
    keys = [key for key in ("id", "class", *numbers) if key in entries[0]]
    table = Table(box=None, pad_edge=False)
    for key in keys:
        table.add_column(key, justify="right" if key in numbers else "left")
    for entry in entries[:SHOWN]:
        table.add_row(*(decimal(entry[k]) if isinstance(entry[k], float) else escape(str(entry[k])) for k in keys))
    console.print(table)
    if predictions["models"] > 1:
        console.print(f"the mean of {noun(predictions['models'], 'model')}")
    if len(entries) > SHOWN:
        console.print(f"... and {len(entries) - SHOWN:,} more; --out FILE.csv or --json has all")
