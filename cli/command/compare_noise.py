"""`dlexp compare --noise`: how far seeds alone move a run."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..output import show_json
from .sweep import Announcer

if TYPE_CHECKING:
    from dlexp.job.sweep.sweep import Announcement


def show_noise(
    ref: str,
    runs_dir: Path,
    seeds: int,
    metric: str | None,
    config_dir: Path | None,
    figure: Path | None,
    console: Console,
    *,
    is_json: bool,
) -> int:
    """Measure and show; return the exit code."""
    from dlexp.job.compare.seed_noise import SOURCES, measure

    names = {source: f"other seeds of {name}" for source, name in SOURCES.items()} | {"all": "all seeds together"}
    measured = measure(
        ref, runs_dir, seeds, metric, config_dir, announce=lambda source: _Announcer(console, names[source])
    )
    found = measured.document
    if found is None:
        # sweeps are newer than the run: `last` would be one of them
        console.print(f"interrupted; go on with: dlexp compare --noise {measured.run_id} --seeds {seeds}")
        return measured.exit_code
    _show(found, console)
    if figure is not None:
        from dlexp.report.noise import draw

        console.print(f"figure  {escape(str(draw(found, figure)))}")
    if is_json:
        show_json(found)
    return 0


class _Announcer(Announcer):
    """Names what is measured, then passes the events to the board."""

    def __init__(self, console: Console, title: str) -> None:
        super().__init__(console)
        self.title = title

    def __call__(self, about: "Announcement") -> "_Announcer":
        from dlexp.console.board import Board

        self.console.print(f"{self.title}  {escape(str(about.folder.path))}" + ("" if about.is_new else ", going on"))
        self.board = Board(self.console, about.spec.metric, about.spec.is_high_better)
        return self


def _show(found: dict[str, Any], console: Console) -> None:
    title = f"{found['metric']} of {found['run_id']} is {found['value']:.4f}; with other seeds of"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for header in ("source", "runs", "mean", "std", "95 % interval", "share of variance", "95 % interval"):
        table.add_column(header, justify="left" if header == "source" else "right")
    for record in found["sources"]:
        if not record["is_absent"]:
            table.add_row(*_row(record), *_share(record))
    table.add_row(*_row(found["all"]))
    console.print(table)
    for record in found["sources"]:
        if record["is_absent"]:
            console.print(f"{record['name']} plays no part: {escape(record['why'])}")
    limit = found["least_difference"]
    console.print(
        f"two single runs differ by more than {limit:.4f} in one of twenty cases by seeds alone, means of four runs "
        f"each by {limit / 2:.4f}"
    )
    for note in found["notes"]:
        console.print(f"[yellow]{escape(note)}[/]")


def _row(record: dict[str, Any]) -> list[str]:
    low, high = record["interval"]
    return [
        record["name"],
        str(record["num"]),
        f"{record['mean']:.4f}",
        f"{record['std']:.4f}",
        f"{low:.4f} to {high:.4f}",
    ]


def _share(record: dict[str, Any]) -> list[str]:
    if record["share"] is None:
        return ["", ""]
    low, high = record["share_interval"]
    return [f"{record['share']:.0%}", f"{low:.0%} to {high:.0%}"]
