"""`dlexp reproduce`: claims of the literature, re-run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...argument import Debug, FigureDpi, FigureSize, Json, Quiet, take_figure
from ...output import people, show_json
from ...view.claim import reproduce as view

if TYPE_CHECKING:
    from dlexp.claim.document import JudgedClaim


def reproduce(
    name: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Claims; none: they are listed.", show_default=False),
    ] = None,
    is_all: Annotated[bool, typer.Option("--all", help="Re-run every claim.")] = False,
    is_control: Annotated[
        bool, typer.Option("--control", help="Make the swap under which a claim must not hold.")
    ] = False,
    seeds: Annotated[
        int | None, typer.Option(min=2, max=1000, help="Repetitions.", show_default="the recipe's")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep the run folders here.", show_default=False)
    ] = None,
    figure: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Draw the training curves of one claim to a .png, .pdf or .svg.",
            show_default=False,
            parser=take_figure,
        ),
    ] = None,
    figure_size: FigureSize = None,
    figure_dpi: FigureDpi = 200,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Re-run what papers say of deep networks, and judge it: holds, does not hold, cannot tell.

    Exit code 1 where a claim does not hold, or with --control where one does.

    Example: `dlexp reproduce he-thirty-layers`
    """
    from dlexp.claim import recipe
    from dlexp.claim.reproduce import describe
    from dlexp.claim.reproduce import reproduce as rerun
    from dlexp.error import ConfigError

    console = people(json, is_quiet=quiet)
    chosen = recipe.names() if is_all else name or []
    if figure is not None and not chosen:
        raise ConfigError("--figure: got no claim; name one")
    if not chosen:
        listed = [describe(each) for each in recipe.names()]
        view.show_list(listed, console)
        if json:
            show_json({"kind": "reproduction", "claims": listed})
        return
    judged: list[JudgedClaim] = []
    for claim in rerun(chosen, is_control=is_control, seeds=seeds, folder=keep, figure=figure):
        view.show(claim, console)
        judged.append(claim)
    if len(judged) > 1:
        view.show_table(judged, console)
    if json:
        show_json({"kind": "reproduction", "claims": judged})
    unwanted = "holds" if is_control else "does not hold"
    if any(claim["verdict"] == unwanted for claim in judged):
        raise typer.Exit(1)
