"""`dlexp init`: a project to begin with."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from ...argument import Debug, Json, Quiet
from ...output import people, show_json, show_next
from ...text import escape


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A folder that is absent or empty.", show_default=False)
    ],
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Write a project: questions, a network of its own with its test, schema for the editor, CI, README.

    Example: `dlexp init digits_project`
    """
    from dlexp.config.source.project import write_project

    written = write_project(folder)
    console = people(json, is_quiet=quiet)
    for number, name in enumerate(written["files"]):
        console.print(f"{'' if number else 'wrote':<12}{escape(str(folder / name))}", soft_wrap=True)
    show_next(
        console,
        (shlex.join(["cd", str(folder)]), "its README.md says what is where"),
        ("pytest my_parts", "tests its network"),
        ("dlexp train +experiment=first", "asks its first question"),
    )
    if json:
        show_json(written)
