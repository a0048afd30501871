"""`dlexp ui`: the MLflow dashboard on this project's store."""

import signal
import sys
import webbrowser
from contextlib import ExitStack, suppress
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console

from ..argument import Debug, Json, Quiet, RunsDir
from ..output import people, show_json
from ..text import escape

MOST_WRITTEN = 20  # pages of runs, of a second or so each


def ui(
    runs_dir: RunsDir = Path("runs"),
    uri: Annotated[
        str | None, typer.Option("--uri", metavar="URI", help="MLflow's store, as in tracking.uri.", show_default=False)
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on; 127.0.0.1 is this machine only.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 5000,
    should_open: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in a browser.")] = True,
    has_pages: Annotated[
        bool, typer.Option("--report", help="Serve the pages of `dlexp report` too; writes those that are missing.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Show the runs in MLflow's dashboard until Ctrl-C.

    Example: `dlexp ui --port 5001 --no-open`
    """
    from dlexp.tracking.dashboard import serve

    console = people(json, is_quiet=quiet)
    for signum in (signal.SIGTERM, signal.SIGHUP):  # SIGHUP: the terminal was closed
        signal.signal(signum, _leave)
    if has_pages:
        _write_pages(runs_dir, console)
    with ExitStack() as stack:
        with console.status("starting the MLflow server") as status:
            dashboard = stack.enter_context(
                serve(
                    runs_dir,
                    uri=uri,
                    host=host,
                    port=port,
                    has_pages=has_pages,
                    progress=lambda waited: status.update(f"starting the MLflow server, {waited:.0f} s (up to 40)"),
                )
            )
        if json:
            show_json(dashboard.document)
            sys.stdout.flush()
        console.print(escape(dashboard.url), soft_wrap=True)
        if dashboard.report:
            console.print(escape(dashboard.report), soft_wrap=True)
        if should_open and not webbrowser.open(dashboard.url):
            console.print("no browser was found; open the address above")
        if dashboard.process is not None:
            console.print("Ctrl-C stops it")
        return dashboard.wait()


def _write_pages(runs_dir: Path, console: Console) -> None:
    """Write the project's page, and before it those of the newest runs that have none."""
    from dlexp.error import DlexpError
    from dlexp.job.report.page import NAME, report
    from dlexp.run.scan import run_paths

    missing = [path for path in reversed(run_paths(runs_dir)) if not (path / f"{NAME}.html").is_file()]
    for path in missing[:MOST_WRITTEN]:
        with console.status(f"writing the page of {escape(path.name)}"), suppress(DlexpError):
            report([str(path)], runs_dir)  # one that has nothing to show yet has no page
    report([], runs_dir)
    if len(missing) > MOST_WRITTEN:
        console.print(f"{len(missing) - MOST_WRITTEN:,} older runs have no page; `dlexp report RUN` writes one")


def _leave(signum: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + signum)
