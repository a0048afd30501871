"""`dlexp options`: what can be chosen."""

from typing import Annotated

import typer

from ..argument import ConfigDir, Debug, Json, Quiet
from ..output import people, show_json
from ..view import options as view


def options(
    group: Annotated[str | None, typer.Argument(help="Only this group.", show_default=False)] = None,
    option: Annotated[
        str | None,
        typer.Argument(help="Only this option, with all parameters.", show_default=False),
    ] = None,
    config_dir: ConfigDir = None,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """List what can be chosen, the default first; `dlexp options metric` lists the metrics with their formulas.

    Example: `dlexp options optimizer adam`
    """
    from dlexp.config.options import describe_options

    groups = describe_options(group, option, config_dir)
    if json:
        show_json(groups)
        return
    console = people(is_quiet=quiet)
    if group is None:
        for name, choices in groups.items():
            view.show_group(console, name, choices)
        console.print("metrics are not chosen; `dlexp options metric` lists them with their formulas")
    else:
        for name, choice in groups[group].items():
            view.show_option(console, group, name, choice)
        if group == "metric" and option is None:
            console.print("metrics of your own: `dlexp new metric NAME` writes a class to change")
