"""`dlexp data`: what was read, without training."""

from pathlib import Path
from typing import Annotated

import typer

from ..argument import ConfigDir, Debug, FigureDpi, FigureSize, Json, Overrides, Quiet, take_figure
from ..output import people, show_json
from ..view import data as view


def data(
    overrides: Overrides = None,
    figure: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Draw examples or columns to a .png, .pdf or .svg.",
            show_default=False,
            parser=take_figure,
        ),
    ] = None,
    figure_size: FigureSize = None,
    figure_dpi: FigureDpi = 200,
    config_dir: ConfigDir = None,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Show what was read: parts, classes, columns, gaps, examples, leaks; nothing is trained.

    Example: `dlexp data data=csv data.path=people.csv data.target=sick`
    """
    from dlexp.config.resolve import resolve

    composed = resolve(overrides or [], config_dir)
    from dlexp.build.inspection import inspect

    document = inspect(composed, figure)
    view.show(document, people(json, is_quiet=quiet))
    if json:
        show_json(document)
