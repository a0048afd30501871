"""`dlexp runs`: a table of runs, in the columns where they differ."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from ..argument import Debug, Json, Quiet, RunsDir
from ..output import people, show_json
from ..view import runs as view


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
    view.show(records, columns(records, sort), console)
