"""`dlexp train --verify-trial RUN`: trains a run again, alone, and says whether it is the same to the bit."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..output import people, show_json

ALONE = {
    "solo": "its module",
    "batched": "batched, one trial",
    "vmapped": "vmapped, one trial",
    "graphed": "as a graph",
}


def verify_trial(run: str, runs_dir: Path, others: object, *, is_json: bool, is_quiet: bool) -> int:
    """Verify a run and return the exit code: 0 the same to the bit, 1 not.

    Args:
        run: Id, unique prefix, folder or last; trials and folds too.
        runs_dir: Folder of all runs.
        others: Whatever else was given, which has no meaning here.
        is_json: Print one JSON document.
        is_quiet: Print nothing but errors.
    """
    from dlexp.error import ConfigError
    from dlexp.run import scan

    if others:
        raise ConfigError("--verify-trial: got other settings too; a run is verified as it is, so give it alone")
    if not list(runs_dir.glob("*")):
        scan.find(runs_dir, run)  # an unknown run is known before torch is imported, which takes seconds
    from dlexp.job.train.verify import verify

    console = people(is_json, is_quiet=is_quiet)
    found = verify(run, runs_dir, console.print)
    _show(found, console)
    if is_json:
        show_json(found)
    return 0 if found["is_bitwise"] else 1


def _show(found: dict[str, Any], console: Console) -> None:
    table = Table(title="largest difference from what is stored", title_justify="left")
    table.add_column("")
    for engine in found["differences"]:
        table.add_column(ALONE[engine], justify="right")
    for name in dict.fromkeys(name for own in found["differences"].values() for name in own):
        table.add_row(name, *(_cell(own.get(name)) for own in found["differences"].values()))
    console.print(table)
    verdict = "the same to the last bit" if found["is_bitwise"] else "[yellow]not the same[/]"
    threads = "" if found["threads"] is None else f", {found['threads']} thread(s)"
    console.print(f"{found['run_id']}  engine {found['engine']}{threads}, {found['epochs']} epochs: {verdict}")
    for reason in found["reasons"]:
        console.print(f"may be because {escape(reason)}")


def _cell(value: float | None) -> str:
    return "not comparable" if value is None else "0" if value == 0 else f"{value:.1e}"
