"""`dlexp predict`: what a trained model says of new examples."""

from pathlib import Path
from typing import Annotated

import typer

from ..argument import Debug, Device, Json, Quiet, RunsDir, Trust, allow, take_file
from ..output import people, show_json
from ..text import escape
from ..view import predict as view


def predict(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Id, unique prefix, folder or last.")],
    inputs: Annotated[
        list[Path], typer.Argument(metavar="INPUT...", help="Images, folders of them, .csv, .parquet or .npy files.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(parser=take_file, metavar="FILE", help="Write a .csv or .parquet file.", show_default=False),
    ] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Write a .csv's texts as they are, formulas and control characters too.")
    ] = False,
    ensemble: Annotated[
        bool,
        typer.Option("--ensemble", help="RUN is a cv: average the probabilities, or values, of its folds' models."),
    ] = False,
    device: Device = None,
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
    trust: Trust = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Predict class and probability, or value, of new examples.

    Example: `dlexp predict last photos/ --out predictions.csv`, or of all folds together
    `dlexp predict --ensemble CV photos/`
    """
    allow(trust)
    from dlexp.job.inference import predict as job

    if out is not None:
        job.check_out(out)
    predictions = job.predict(run, runs_dir, inputs, is_ensemble=ensemble, device=device or "cpu")
    console = people(json, is_quiet=quiet)
    for warning in predictions["warnings"]:
        console.print(f"[yellow]warning[/] {escape(warning)}")
    view.show(predictions, console)
    if out is not None:
        job.write(predictions, out, is_raw=raw)
        console.print(f"written  {escape(str(out))}")
    if json:
        show_json(predictions)
