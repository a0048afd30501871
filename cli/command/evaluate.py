"""`dlexp eval`: metrics of a trained run on a part of its data."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from ..argument import Debug, Device, Json, Quiet, RunsDir, Trust, allow
from ..output import people, show_json
from ..view import evaluate as view


def evaluate(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Id, unique prefix, folder or last.")],
    split: Annotated[
        Literal["val", "test"], typer.Option(help="Part of the data; opening test is counted and logged.")
    ] = "val",
    device: Device = None,
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
    trust: Trust = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Evaluate a run's best checkpoint, of a cv or an ensemble its models together, and store the predictions.

    Example: `dlexp eval last --split test`
    """
    allow(trust)
    from dlexp.job.ensemble.member import averaged
    from dlexp.job.inference.evaluate import evaluate as job

    together = averaged(run, runs_dir, is_ensemble=False)
    evaluation = job(run, runs_dir, split, device, together)
    view.show(evaluation, people(json, is_quiet=quiet), is_ensemble=together is not None)
    if json:
        show_json(evaluation)
