"""`dlexp eval`: metrics of a trained run on a part of its data."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..argument import Debug, Json, Quiet, RunsDir
from ..output import people, show_json


def evaluate(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Id, unique prefix, folder or last.")],
    split: Annotated[
        Literal["val", "test"], typer.Option(help="Part of the data; opening test is counted and logged.")
    ] = "val",
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Evaluate a run's best checkpoint and store the predictions in its folder; of a cv, its folds' models together.

    Example: `dlexp eval last --split test`
    """
    from dlexp.job.inference.evaluate import evaluate as job

    found = job(run, runs_dir, split)
    _show(found, people(json, is_quiet=quiet))
    if json:
        show_json(found)


def _show(found: dict[str, Any], console: Console) -> None:
    table = Table(title=f"{found['num_examples']:,} examples of {found['split']}", title_justify="left")
    table.add_column("metric")
    table.add_column("value", justify="right")
    for name, value in found["metrics"].items():
        table.add_row(name, "not finite" if value is None else f"{value:.4f}")
    console.print(table)
    if found["split"] == "test":
        times = "once" if found["openings"] == 1 else f"{found['openings']} times"
        console.print(f"the test part of this run has been opened {times}")
    if "models" in found and found["split"] == "test":
        console.print(f"the mean of {found['models']} models; --json has the score of each alone")
    elif "models" in found:
        console.print("every example is scored by the models that it was held out from")
    for warning in found["warnings"]:
        console.print(f"[yellow]{escape(warning)}[/]")
    console.print(f"predictions  {escape(found['run_dir'])}/predictions/{found['split']}.npz")
