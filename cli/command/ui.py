"""`dlexp ui`: the MLflow dashboard on this project's store."""

import signal
import sys
import webbrowser
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from ..argument import Debug, Json, Quiet, RunsDir
from ..output import people, show_json
from ..text import escape


def ui(
    runs_dir: RunsDir = Path("runs"),
    uri: Annotated[
        str | None, typer.Option(metavar="URI", help="MLflow's store, as in tracking.uri.", show_default=False)
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on; 127.0.0.1 is this machine only.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 5000,
    should_open: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in a browser.")] = True,
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
    with ExitStack() as stack:
        with console.status("starting the MLflow server") as status:
            dashboard = stack.enter_context(
                serve(
                    runs_dir,
                    uri=uri,
                    host=host,
                    port=port,
                    progress=lambda waited: status.update(f"starting the MLflow server, {waited:.0f} s (up to 40)"),
                )
            )
        if json:
            show_json(dashboard.document)
            sys.stdout.flush()
        console.print(escape(dashboard.url), soft_wrap=True)
        if should_open and not webbrowser.open(dashboard.url):
            console.print("no browser was found; open the address above")
        if dashboard.process is not None:
            console.print("Ctrl-C stops it")
        return dashboard.wait()


def _leave(signum: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + signum)
