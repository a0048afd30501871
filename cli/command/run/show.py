"""`dlexp show`: everything that is known of one run, on a page."""

from pathlib import Path
from typing import Annotated

import typer

from ...argument import Debug, Json, Quiet, RunsDir
from ...output import people, show_json
from ...view.run import show as view

Run = Annotated[str, typer.Argument(metavar="RUN", help="Id, unique prefix, folder or last; trials and folds too.")]


def show(
    run: Run,
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Show everything that is known of one run: command, data, metrics, curve, checkpoints, figures, notes, log.

    Example: `dlexp show last`
    """
    from dlexp.run.listing.page import page
    from dlexp.run.scan import find

    document = page(find(runs_dir, run))
    view.show(document, people(json, is_quiet=quiet))
    if json:
        show_json(document)
