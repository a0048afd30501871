"""The flags that stand before any command: the version, and shell completion."""

from typing import Annotated

import typer

from .completion import script


def show_version(is_wanted: bool) -> None:
    """Print the version of the installed package; nothing else is imported for it."""
    if is_wanted:
        from importlib.metadata import version

        print(f"dlexp {version('dlexp')}")
        raise typer.Exit


def flags(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    install_completion: Annotated[
        bool,
        typer.Option(
            "--install-completion",
            callback=script.install,
            is_eager=True,
            help="Install completion for this shell.",
        ),
    ] = False,
    show_completion: Annotated[
        bool,
        typer.Option("--show-completion", callback=script.show, is_eager=True, help="Print the completion script."),
    ] = False,
) -> None:
    """Take the flags that stand before any command."""
