"""What `dlexp compare --noise` prints: the spread that each source of randomness causes."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from dlexp.number import decimal

from ..text import escape, short_path
from .fit import show_table
from .sweep import Announcer

if TYPE_CHECKING:
    from dlexp.job.compare.document import AllSources, Noise, PresentSource
    from dlexp.job.sweep.sweep import Announcement


class SourceAnnouncer(Announcer):
    """Names what is measured, then passes the events to the board."""

    def __init__(self, console: Console, title: str, number: int, total: int) -> None:
        super().__init__(console)
        self.title = f"{title}, {number} of {total}"

    def __call__(self, about: "Announcement") -> "SourceAnnouncer":
        """Show which source is measured; return what listens."""
        from dlexp.console.board import Board

        going_on = "" if about.is_new else ", going on"
        self.console.print(self.title)
        self.console.print(f"sweep   {escape(short_path(about.folder.path))}{going_on}", soft_wrap=True)
        epochs = about.spec.first.run.trainer.epochs
        self.board = Board(self.console, about.spec.metric, about.spec.is_high_better, epochs=epochs)
        return self


def show(noise: "Noise", console: Console) -> None:
    """Print the spread by source, and by how much two single runs differ by chance."""
    title = f"{noise['metric']} of {noise['run_id']} is {decimal(noise['value'])}; with other seeds of"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for header in ("source", "runs", "mean", "std", "95 % interval", "share of variance", "95 % interval"):
        table.add_column(header, justify="left" if header == "source" else "right")
    for record in noise["sources"]:
        if record["is_absent"] is False:
            table.add_row(*_row(record), *_share(record))
    table.add_row(*_row(noise["all"]))
    show_table(table, console)
    for record in noise["sources"]:
        if record["is_absent"] is True:
            console.print(f"{record['name']} plays no role: {escape(record['why'])}")
    limit = noise["least_difference"]
    console.print(
        f"two single runs differ by more than {decimal(limit)} in one of twenty cases by seeds alone, means of four "
        f"runs each by {decimal(limit / 2)}"
    )
    for note in noise["notes"]:
        console.print(f"[yellow]{escape(note)}[/]")


def _row(record: "PresentSource | AllSources") -> list[str]:
    low, high = record["interval"]
    return [
        record["name"],
        str(record["num"]),
        decimal(record["mean"]),
        decimal(record["std"]),
        f"{decimal(low)} to {decimal(high)}",
    ]


def _share(record: "PresentSource") -> list[str]:
    if record["share"] is None:
        return ["", ""]
    low, high = record["share_interval"]
    return [f"{record['share']:.0%}", f"{low:.0%} to {high:.0%}"]
