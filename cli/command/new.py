"""`dlexp new`: a working class of the user's, with its YAML file and its test, to be changed."""

from pathlib import Path
from typing import Annotated

import typer

from ..argument import ConfigDir, Debug, Json, Quiet
from ..output import people, show_json, show_next
from ..text import escape


def new(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND",
            help="model, optimizer, schedule, loss, activation, norm, init, regularizer, augment, data or metric.",
            show_default=False,
        ),
    ],
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Small letters, digits and _: the option's name.", show_default=False)
    ],
    package: Annotated[str, typer.Option(metavar="NAME", help="The folder for the code.")] = "my_parts",
    config_dir: ConfigDir = None,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Write a component of your own that works: a class, its YAML file and its test, in the working directory.

    Change the class; `dlexp options` lists it, and it is checked like any other. Nothing is overwritten.

    Example: `dlexp new optimizer sign`
    """
    from dlexp.config.override import override_of
    from dlexp.config.source.defaults import read_defaults
    from dlexp.config.source.template import write_component
    from dlexp.config.wording import command_line

    folder = config_dir or Path("conf")
    written = write_component(kind, name, package, folder)
    console = people(json, is_quiet=quiet)
    console.print(f"wrote       {escape(written['code'])}", soft_wrap=True)
    for path in (written["test"], written["settings"]):
        console.print(f"            {escape(path)}", soft_wrap=True)
    named = None if read_defaults().config_dir == folder else folder
    trust = [] if kind == "metric" else [override_of("trusted", [package])]
    show_next(
        console,
        (f"pytest {written['test']}", "tests it"),
        (command_line("train", [*trust, written["option"]], named), "uses it"),
    )
    if json:
        show_json(written)
