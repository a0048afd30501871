"""`dlexp runs`: a table of runs, in the columns where they differ."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from ..argument import Debug, Json, Quiet, RunsDir
from ..output import people, show_json

_COLORS = {"finished": "green", "stopped_early": "green", "running": "cyan"}
WIDTH_OF_A_FILE = 1000  # columns


def runs(
    experiment: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only the runs of this experiment.", show_default=False)
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="metrics.NAME (best first), params.KEY or a field; a leading - turns it round.",
            show_default=False,
        ),
    ] = None,
    filter: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="For example: metrics.val/accuracy > 0.9 and params.model = cnn", show_default=False
        ),
    ] = None,
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """List the runs, best first.

    Example: `dlexp runs --filter 'metrics.val/accuracy > 0.9' --sort seconds`
    """
    from dlexp.run.listing import columns, list_runs

    records = list_runs(runs_dir, experiment=experiment, sort=sort, filter=filter)
    if json:
        show_json(records)
        return
    console = people(is_quiet=quiet)
    if not records:
        why = "no run matches" if filter or experiment else "no runs yet; `dlexp train` makes one"
        console.print(f"{escape(str(runs_dir))}: {why}")
        return
    names = columns(records, sort)
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


def _cell(record: dict[str, Any], name: str) -> str:
    from dlexp.run.filter import value_of

    value = value_of(record, name)
    if value is None:
        return ""
    if name == "status":
        return f"[{_COLORS.get(value, 'yellow')}]{value}[/]"
    if isinstance(value, float):
        return f"{value:.1f}" if name == "seconds" else f"{value:.4g}"
    return escape(str(value))
