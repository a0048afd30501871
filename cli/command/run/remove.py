"""`dlexp rm`: moves runs to the trash, brings them back, or deletes for good what is there."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from ...argument import Debug, Json, Quiet, RunsDir
from ...output import people, show_json
from ...text import escape, short_path

if TYPE_CHECKING:
    from dlexp.run.listing.trash import MovedRun


def remove(
    run: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN]...", help="Ids, unique prefixes, folders or last; none lists the trash.", show_default=False
        ),
    ] = None,
    restore: Annotated[bool, typer.Option("--restore", help="Bring these runs back from the trash.")] = False,
    empty: Annotated[bool, typer.Option("--empty", help="Delete for good what is in the trash.")] = False,
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Move runs to the trash, from where --restore brings them back; MLflow keeps what it was sent.

    Example: `dlexp rm 1qv44ts5`
    """
    from dlexp.run.listing import trash
    from dlexp.run.name import runs_dir_flags

    _check(run, restore, empty)
    if empty:
        moved, state = trash.empty(runs_dir), "deleted for good"
    elif restore:
        moved, state = trash.restore(runs_dir, run or []), "brought back"
    else:
        moved, state = trash.remove(runs_dir, run) if run else trash.trashed(runs_dir), "in the trash"
    console = people(json, is_quiet=quiet)
    _show(moved, state, console)
    if run and not restore:
        ids = [record["run_id"] for record in moved]
        back = shlex.join(["dlexp", "rm", "--restore", *ids, *runs_dir_flags(runs_dir)])
        console.print(f"back again  {escape(back)}", soft_wrap=True)
    if json:
        show_json(moved)


def _check(run: list[str] | None, restore: bool, empty: bool) -> None:
    from dlexp.error import ConfigError

    if empty and (run or restore):
        raise ConfigError("--empty: got runs too; it empties the whole trash, so give it alone")
    if restore and not run:
        raise ConfigError("--restore: got no run; name those that are to come back")


def _show(moved: "list[MovedRun]", state: str, console: Console) -> None:
    for record in moved:
        console.print(f"{record['run_id']}  {state}  {escape(short_path(record['run_dir']))}", soft_wrap=True)
    if not moved:
        console.print("the trash is empty")
