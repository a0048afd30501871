"""`dlexp train`: trains one configuration."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from .argument import ConfigDir, Debug, DryRun, Json, Overrides, Quiet
from .output import people, show_json

if TYPE_CHECKING:
    from dlexp.config.compose import Composed
    from dlexp.job.train import Announcement, Listener, Outcome


def train(
    overrides: Overrides = None,
    resume: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Go on with a run: id, unique prefix, folder or last.", show_default=False),
    ] = None,
    test: Annotated[
        bool, typer.Option("--test", help="Open the sealed test part at the end; this is counted.")
    ] = False,
    runs_dir: Annotated[Path, typer.Option(help="With --resume: where the run is looked for.")] = Path("runs"),
    config_dir: ConfigDir = None,
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Train one configuration; without arguments, an MLP on handwritten digits.

    Example: `dlexp train data=fashion_mnist model=cnn optimizer=adam optimizer.lr=0.001 trainer.epochs=3`
    """
    from dlexp.error import ConfigError
    from dlexp.job.config import resolve

    console = people(json, is_quiet=quiet)
    if resume is not None and (overrides or dry_run):
        raise ConfigError(
            "--resume: got overrides too; a run goes on as it is, so give --resume alone or start a new run"
        )
    if resume is not None:
        from dlexp.job.train import resume as resume_job

        outcome = resume_job(resume, runs_dir, announce=_announcer(console), open_test=test)
    else:
        composed = resolve(overrides or [], config_dir)
        if dry_run:
            return _dry_run(composed, console, json)
        from dlexp.job.train import start

        outcome = start(composed, announce=_announcer(console), open_test=test)
    _show(outcome, console)
    if json:
        show_json(outcome.result)
    return outcome.exit_code


def _announcer(console: Console) -> Any:
    def announce(about: "Announcement") -> "Listener":
        from dlexp.tracker.console import ConsoleTracker

        data, run = about.built.dataset, about.built.run
        tests = f", {len(data.test):,} sealed for test" if len(data.test) else ""
        console.print(f"data    {data.name} ({data.task}): {len(data.train):,} train, {len(data.val):,} val{tests}")
        params = sum(p.numel() for p in about.built.model.parameters())
        console.print(f"model   {type(about.built.model).__name__}, {params:,} parameters")
        console.print(f"device  {about.built.device_line}")
        for warning in about.built.warnings:
            console.print(f"[yellow]warning[/] {warning}")
        console.print(
            f"run     {about.folder.path}" + (f", from epoch {about.epochs_done + 1}" if about.epochs_done else "")
        )
        return ConsoleTracker(
            console,
            epochs=run.trainer.epochs,
            epochs_done=about.epochs_done,
            steps_per_epoch=run.steps_per_epoch,
            monitor=run.monitor,
            num_train=len(data.train),
        )

    return announce


def _show(outcome: "Outcome", console: Console) -> None:
    result = outcome.result
    table = Table(
        title=f"{result['status']} after {result['epochs']} epochs, {result['seconds']:.1f} s", title_justify="left"
    )
    table.add_column("metric")
    table.add_column(f"best epoch ({result['best_epoch']})", justify="right")
    for name, value in result["metrics"].items():
        table.add_row(name, "not finite" if value is None else f"{value:.4f}")
    console.print(table)
    for note in outcome.notes:
        console.print(f"[yellow]{note}[/]")
    console.print(f"run folder  {result['run_dir']}")
    if outcome.exit_code == 0:
        console.print("next        dlexp ui            the dashboard: curves and comparisons")
        console.print("            dlexp runs          all runs, best first")
        console.print("            dlexp options       what else can be chosen")


def _dry_run(composed: "Composed", console: Console, is_json: bool) -> int:
    from dlexp.job.plan import plan

    found = plan(composed)
    data = found["data"]
    console.print(f"data     {data['name']} ({found['task']}): {data['num_train']:,} train, {data['num_val']:,} val")
    console.print(f"model    {found['num_params']:,} parameters, {found['input_shape']} -> {found['output_shape'][1:]}")
    console.print(f"device   {found['device']}")
    console.print(f"trials   1, solo, {found['steps']:,} updates")
    console.print(f"memory   about {found['memory'] / 2**20:,.0f} MiB for weights, activations and data")
    console.print(f"time     about {found['seconds']:,.0f} s of training, evaluation apart")
    console.print("nothing was trained and nothing written")
    if is_json:
        show_json(found)
    return 0
