"""`dlexp doctor`: what this machine has, and what is wrong with it."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from ..argument import Debug, Json, Quiet, RunsDir
from ..output import people, show_json


def doctor(
    runs_dir: RunsDir = Path("runs"),
    uri: Annotated[
        str | None, typer.Option(metavar="URI", help="MLflow's store, as in tracking.uri.", show_default=False)
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Check Python, packages, devices, memory, disk and the MLflow store; exit 1 when something needs a cure.

    Example: `dlexp doctor`
    """
    from dlexp.doctor import examine

    findings = examine(runs_dir, uri)
    if json:
        show_json(findings)
    table = Table(box=None, show_header=False, pad_edge=False)
    for found in findings:
        color = "green" if found["status"] == "ok" else "yellow"
        cure = "" if found["cure"] is None else f"\n[yellow]{escape(found['cure'])}[/]"
        table.add_row(f"[{color}]{found['status']}[/]", escape(found["name"]), escape(found["value"]) + cure)
    people(json, is_quiet=quiet).print(table)
    return int(any(found["status"] != "ok" for found in findings))
