"""`dlexp sync`: sends to MLflow what run folders hold and MLflow lacks."""

from pathlib import Path
from typing import Annotated

import typer

from dlexp.number import noun

from ..argument import Debug, Json, Quiet, RunsDir, Timeout
from ..output import people, show_json
from ..text import escape


def sync(
    run: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN]...", help="Id, unique prefix, folder or last; none: all that lack.", show_default=False
        ),
    ] = None,
    runs_dir: RunsDir = Path("runs"),
    uri: Annotated[
        str | None,
        typer.Option(
            "--uri", metavar="URI", help="Another store than the one the runs were meant for.", show_default=False
        ),
    ] = None,
    timeout: Timeout = None,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Send runs to MLflow, after its server was away; sending twice changes nothing.

    Example: `dlexp sync last`
    """
    from dlexp.tracking.sync import sync as sync_job

    console = people(json, is_quiet=quiet)
    done = sync_job(runs_dir, run or [], lambda line: console.print(escape(line)), uri, timeout)
    if json:
        show_json(done)
    for record in done:
        if record["problem"] is not None:
            console.print(f"[yellow]{record['run_id']}: {escape(record['problem'])}[/]")
    failed = sum(not record["sent"] for record in done)
    console.print(f"{len(done) - failed} of {noun(len(done), 'run')} sent" if done else "MLflow has everything")
    return int(failed > 0)
