"""`dlexp surface`: update rules on a function of two variables."""

from pathlib import Path
from typing import Annotated

import typer

from ...argument import Debug, FigureDpi, FigureSize, Json, Quiet, take_figure, take_file
from ...output import people, show_json
from ...view.claim import surface as view


def surface(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="quadratic, saddle, rosenbrock, beale or two_minima.")
    ] = "quadratic",
    rule: Annotated[
        list[str] | None,
        typer.Option("--rule", metavar="RULE", help="An option of optimizer; repeat for more.", show_default="all"),
    ] = None,
    lr: Annotated[
        float | None,
        typer.Option(min=1e-12, max=1e6, help="Step size of every rule.", show_default="each rule's soonest of 21"),
    ] = None,
    steps: Annotated[int, typer.Option(min=1, max=100_000, help="After which a path is given up.")] = 1000,
    condition: Annotated[float, typer.Option(min=1, max=1e6, help="Condition number of the quadratic.")] = 20.0,
    figure: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write paths over level lines.", show_default=False, parser=take_figure),
    ] = None,
    film: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the paths as an animated GIF.", show_default=False, parser=take_file),
    ] = None,
    figure_size: FigureSize = None,
    figure_dpi: FigureDpi = 200,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Show how far every update rule comes on a function of two variables: the very rules that train networks.

    Example: `dlexp surface rosenbrock --figure paths.png`
    """
    from dlexp.claim.surface.show import show

    document = show(name, rules=rule or (), lr=lr, steps=steps, condition=condition, figure=figure, film=film)
    view.show(document, people(json, is_quiet=quiet))
    if json:
        show_json(document)
