"""`dlexp doctor`: what this machine has, and what is wrong with it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ..argument import Debug, Json, Quiet, RunsDir, Timeout
from ..output import people, show_json
from ..view import doctor as view


def doctor(
    overrides: Annotated[
        list[str] | None,
        typer.Argument(metavar="[launcher=NAME]...", help="Also ask a worker of a launcher.", show_default=False),
    ] = None,
    runs_dir: RunsDir = Path("runs"),
    uri: Annotated[
        str | None, typer.Option("--uri", metavar="URI", help="MLflow's store, as in tracking.uri.", show_default=False)
    ] = None,
    timeout: Timeout = None,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Check Python, packages, devices, memory, disk and the MLflow store; exit 1 when something needs a cure.

    With a launcher a worker of it is had for a moment: it must see the runs folder and have the same versions.

    Example: `dlexp doctor launcher=slurm launcher.partition=gpu`
    """
    from dlexp.doctor import examine

    findings = examine(runs_dir, uri, timeout, launcher_of(overrides or []))
    if json:
        show_json(findings)
    view.show(findings, people(json, is_quiet=quiet))
    return int(any(finding["status"] != "ok" for finding in findings))


def launcher_of(overrides: list[str]) -> dict[str, Any] | None:
    """Return the configuration of the launcher that overrides choose; None without any.

    Raises:
        ConfigError: They say anything else, or cannot work.
    """
    if not overrides:
        return None
    from dlexp.config.space import read_space
    from dlexp.error import ConfigError

    for text in overrides:
        if not text.startswith(("launcher=", "launcher.")):
            raise ConfigError(f"{text}: got no part of a launcher; give launcher=NAME and launcher.KEY=VALUE")
    return read_space([*overrides, "seed=0,1"], None)[1].config["launcher"]
