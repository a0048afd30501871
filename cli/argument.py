"""The arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Overrides = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[OVERRIDE]...",
        help="Hydra overrides, for example model=cnn optimizer.lr=0.1",
        show_default=False,
    ),
]
ConfigDir = Annotated[
    Path | None,
    typer.Option("--config-dir", metavar="DIR", help="A folder with your own YAML files.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout, all else on stderr.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
Trust = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PACKAGE",
        help="Let code of this package run, which the run's configuration names; repeat for more.",
        show_default=False,
    ),
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check everything that can be checked, then stop.")]
Resume = Annotated[
    str | None,
    typer.Option(metavar="RUN", help="Go on where it ended: id, unique prefix, folder or last.", show_default=False),
]
ResumeDir = Annotated[Path, typer.Option("--runs-dir", help="The folder in which a run is looked for.")]
RunsDir = Annotated[Path, typer.Option("--runs-dir", metavar="DIR", help="The folder of all runs.")]


def allow(packages: list[str] | None) -> None:
    """Let the code of the packages run that the user named with --trust."""
    if packages:
        from dlexp.config.trust import accept

        accept(packages)
