"""`dlexp note`: what the user has to say about a run."""

from pathlib import Path
from typing import Annotated

import typer

from ...argument import Debug, Json, Quiet, RunsDir
from ...output import people, show_json
from ...text import escape
from .show import Run


def note(
    run: Run,
    text: Annotated[
        str | None,
        typer.Argument(
            metavar="[TEXT]", help="Replaces the note; '' takes it away, none shows it.", show_default=False
        ),
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", metavar="TAG", help="Add a tag; repeat for more.", show_default=False)
    ] = None,
    untag: Annotated[
        list[str] | None, typer.Option(metavar="TAG", help="Take a tag away; repeat for more.", show_default=False)
    ] = None,
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Write a note about a run, or tag it; `dlexp runs` lists both, and `dlexp runs --tag TAG` what bears one.

    Example: `dlexp note last "loss explodes at epoch 3" --tag suspect`
    """
    from dlexp.run.listing import note as notes
    from dlexp.run.scan import find

    folder = find(runs_dir, run)
    if text is None and not tag and not untag:
        noted = notes.read(folder.path)
    else:
        noted = notes.write(folder.path, note=text, add=tag or [], remove=untag or [])
    console = people(json, is_quiet=quiet)
    console.print(f"run   {folder.run_id}")
    console.print(f"note  {escape(noted['note']) or 'none'}")
    console.print(f"tags  {escape(' '.join(noted['tags'])) or 'none'}")
    if json:
        show_json({"run_id": folder.run_id, **noted})
