"""`dlexp predict`: what a trained model says of new examples."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..argument import Debug, Json, Quiet, RunsDir
from ..output import people, show_json

SHOWN = 20


def predict(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Id, unique prefix, folder or last.")],
    inputs: Annotated[
        list[Path], typer.Argument(metavar="INPUT...", help="Images, folders of them, .csv, .parquet or .npy files.")
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a .csv or .parquet file.", show_default=False)
    ] = None,
    ensemble: Annotated[
        bool,
        typer.Option("--ensemble", help="RUN is a cv: average the probabilities, or values, of its folds' models."),
    ] = False,
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Predict class and probability, or value, of new examples.

    Example: `dlexp predict last photos/ --out predictions.csv`, or of all folds together
    `dlexp predict --ensemble CV photos/`
    """
    from dlexp.job.inference import predict as job

    found = job.predict(run, runs_dir, inputs, is_ensemble=ensemble)
    console = people(json, is_quiet=quiet)
    for warning in found["warnings"]:
        console.print(f"[yellow]warning[/] {escape(warning)}")
    _show(found, console)
    if out is not None:
        job.write(found, out)
        console.print(f"written  {escape(str(out))}")
    if json:
        show_json(found)


def _show(found: dict[str, Any], console: Console) -> None:
    entries = found["predictions"]
    keys = [key for key in ("id", "class", "probability", "value") if key in entries[0]]
    table = Table(box=None, pad_edge=False)
    for key in keys:
        table.add_column(key, justify="right" if key in ("probability", "value") else "left")
    for entry in entries[:SHOWN]:
        table.add_row(*(f"{entry[k]:.4f}" if isinstance(entry[k], float) else escape(str(entry[k])) for k in keys))
    console.print(table)
    if found["models"] > 1:
        console.print(f"the mean of {found['models']} models")
    if len(entries) > SHOWN:
        console.print(f"... and {len(entries) - SHOWN:,} more; --out FILE.csv or --json has all")
