"""`dlexp runs`: tables of runs, an experiment each, in the columns where they differ."""

import gc
from pathlib import Path
from typing import Annotated

import typer

from ...argument import Debug, Json, Quiet, RunsDir
from ...output import people, show_json
from ...text import escape
from ...view.run import runs as view


def runs(
    experiment: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only the runs of this experiment.", show_default=False)
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="metrics.NAME (best first), params.KEY or a field such as start; a leading - turns it round.",
            show_default=False,
        ),
    ] = None,
    filter: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="For example: metrics.val/accuracy > 0.9 and params.model = cnn", show_default=False
        ),
    ] = None,
    tag: Annotated[
        str | None, typer.Option("--tag", metavar="TAG", help="Only runs that bear this tag.", show_default=False)
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="At most N runs of each experiment.", show_default=False)
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,NAME",
            help="These columns, as they are headed: run, done, took, started, lr, ...; or metrics.NAME, params.KEY.",
            show_default=False,
        ),
    ] = None,
    wide: Annotated[
        bool, typer.Option("--wide", help="Show every column, wider than the terminal if need be.")
    ] = False,
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """List the runs of each experiment, best first; sweeps and cross-validations by their winner.

    In another order than that of a metric all runs stand in one table: `dlexp runs --sort -start --limit 10` shows the
    newest.

    Example: `dlexp runs --filter 'metrics.val/accuracy > 0.9' --limit 10`
    """
    from dlexp.run.listing.column import check_columns
    from dlexp.run.listing.ranking import rank, records_of

    from .wait import count_jobs

    rankings = rank(runs_dir, experiment=experiment, sort=sort, filter=filter, tag=tag, is_glance=limit is not None)
    gc.freeze()  # a look for garbage would go through all runs that are listed, which stay to the end
    records = records_of(rankings)
    names = None if columns is None else check_columns([name.strip() for name in columns.split(",")], records)
    rankings = [ranking.limited(limit) for ranking in rankings]
    count_jobs(records_of(rankings))
    if json:
        show_json(records_of(rankings))
        return
    console = people(is_quiet=quiet)
    if not records:
        why = "no run matches" if filter or experiment or tag else "no runs yet; `dlexp train` makes one"
        console.print(f"{escape(str(runs_dir))}: {why}")
        return
    view.show(rankings, names, console, is_wide=wide)
