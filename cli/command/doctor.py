"""`dlexp doctor`: what this machine has, and what is wrong with it."""

from pathlib import Path
from typing import Annotated

import typer

from ..argument import Debug, Json, Quiet, RunsDir, Timeout
from ..output import people, show_json
from ..view import doctor as view


def doctor(
    runs_dir: RunsDir = Path("runs"),
    uri: Annotated[
        str | None, typer.Option(metavar="URI", help="MLflow's store, as in tracking.uri.", show_default=False)
    ] = None,
    timeout: Timeout = None,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Check Python, packages, devices, memory, disk and the MLflow store; exit 1 when something needs a cure.

    Example: `dlexp doctor`
    """
    from dlexp.doctor import examine

    findings = examine(runs_dir, uri, timeout)
    if json:
        show_json(findings)
    view.show(findings, people(json, is_quiet=quiet))
    return int(any(finding["status"] != "ok" for finding in findings))
