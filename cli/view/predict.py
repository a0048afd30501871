"""What `dlexp predict` prints: the first predictions."""

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from dlexp.number import decimal, noun

from ..text import escape

if TYPE_CHECKING:
    from dlexp.job.inference.document import Prediction, Predictions

SHOWN = 20


def show(predictions: "Predictions", console: Console) -> None:
    """Print the first predictions."""
    entries = predictions["predictions"]
    rows = [_answers(entry) for entry in entries[:SHOWN]]
    table = Table(box=None, pad_edge=False)
    for key, answer in rows[0].items():
        table.add_column(escape(key), justify="right" if isinstance(answer, float) else "left")
    for row in rows:
        table.add_row(*(decimal(each) if isinstance(each, float) else escape(each) for each in row.values()))
    console.print(table)
    if predictions["models"] > 1:
        console.print(f"the mean of {noun(predictions['models'], 'model')}")
    if len(entries) > SHOWN:
        console.print(f"... and {len(entries) - SHOWN:,} more; --out FILE.csv or --json has all")


def _answers(entry: "Prediction") -> dict[str, str | float]:
    """Return what is said of an example by the title of its column; of several targets each under its name."""
    shown: dict[str, Any] = {key: value for key, value in entry.items() if key not in ("probabilities", "targets")}
    for name, said in entry.get("targets", {}).items():
        plain: dict[str, Any] = {**said}
        shown[name] = plain.get("class", plain.get("value"))
        if "probability" in plain:
            shown[f"{name} probability"] = plain["probability"]
    return shown
