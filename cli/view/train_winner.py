"""What `dlexp train --from SWEEP --seeds N` prints: mean and standard deviation over seeds."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from dlexp.number import decimal, noun

from ..output import first_metrics, show_notes
from ..text import escape, short_path
from .fit import show_table

if TYPE_CHECKING:
    from dlexp.job.sweep.document import SeedSpread, SweepResult


def show(result: "SweepResult", notes: list[str], console: Console) -> None:
    """Print mean and standard deviation over seeds, what the user should not miss, and where it all is."""
    if "spread" in result:
        show_table(_table(result, result["spread"]), console, ("train",))
    show_notes(notes, console)
    console.print(f"sweep folder  {escape(short_path(result['run_dir']))}", soft_wrap=True)


def _table(result: "SweepResult", spread: "SeedSpread") -> Table:
    """Return mean and standard deviation of the metrics over seeds."""
    test = result.get("test")
    mean, std = dict(spread["mean"]), dict(spread["std"])
    if test is not None:
        mean, std = mean | test["mean"], std | test["std"]
    splits = [split for split in ("train", "val", "test") if any(name.startswith(f"{split}/") for name in mean)]
    count = spread["runs"]
    table = Table(title=f"best epochs of {noun(count, 'seed')}: mean ± standard deviation", title_justify="left")
    table.add_column("metric")
    for split in splits:
        table.add_column(split, justify="right")
    for name in [name for name in first_metrics(result) if any(f"{split}/{name}" in mean for split in splits)]:
        table.add_row(name, *(_cell(mean.get(f"{split}/{name}"), std.get(f"{split}/{name}")) for split in splits))
    return table


def _cell(mean: float | None, std: float | None) -> str:
    if mean is None:
        return ""
    return decimal(mean) if std is None else f"{decimal(mean)} ± {decimal(std)}"
