"""`dlexp train`: trains one configuration."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..argument import ConfigDir, Debug, DryRun, Json, Overrides, Quiet
from ..output import FIRST_METRICS, Ending, people, show_json, show_notes
from .train_verify import verify_trial
from .train_winner import check_options, read_recipe, train_seeds

if TYPE_CHECKING:
    from dlexp.config.compose import Composed
    from dlexp.console.progress import ConsoleTracker
    from dlexp.job.outcome import Outcome
    from dlexp.job.train.train import Announcement, Listener

BY_CLASS = ("precision", "recall", "f1")
MOST_CLASSES = 20


def train(
    overrides: Overrides = None,
    resume: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Go on with a run: id, unique prefix, folder or last.", show_default=False),
    ] = None,
    test: Annotated[
        bool, typer.Option("--test", help="Open the sealed test part at the end; this is counted.")
    ] = False,
    source: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="SWEEP", help="Train the winner of a sweep, overrides on top.", show_default=False
        ),
    ] = None,
    train_on: Annotated[
        str, typer.Option("--on", metavar="PARTS", help="With --from: train, or train+val, which leaves no val.")
    ] = "train",
    verify: Annotated[
        str | None,
        typer.Option(
            "--verify-trial",
            metavar="RUN",
            help="Train a run, trial or fold again, alone, and say whether it is the same to the bit.",
            show_default=False,
        ),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(metavar="N", help="With --from: over N seeds; mean and spread.", show_default=False)
    ] = None,
    runs_dir: Annotated[
        Path, typer.Option(help="With --resume, --from, --verify-trial: where it is looked for.")
    ] = Path("runs"),
    config_dir: ConfigDir = None,
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Train one configuration; without arguments, an MLP on handwritten digits.

    Example: `dlexp train data=fashion_mnist model=cnn optimizer=adam optimizer.lr=0.001 trainer.epochs=3`
    """
    from dlexp.config.resolve import resolve
    from dlexp.run import scan

    if verify is not None:
        others = overrides or resume or source or test or config_dir or dry_run
        return verify_trial(verify, runs_dir, others, is_json=json, is_quiet=quiet)
    console = people(json, is_quiet=quiet)
    _check_alone(resume, overrides or dry_run or config_dir)
    check_options(source, train_on, seeds, resume)
    overrides, origin = overrides or [], None
    if source is not None:
        found = read_recipe(source, runs_dir, overrides, config_dir, train_on, console)
        if seeds is not None:
            return train_seeds(found, seeds, config_dir, console, open_test=test, is_dry=dry_run, is_json=json)
        overrides, origin = found.overrides, found.origin
    composed = resolve(overrides, config_dir) if resume is None else None
    if composed is not None and dry_run:
        return _dry_run(composed, console, json)
    if resume is not None:
        scan.find(runs_dir, resume)  # an unknown run is known before torch is imported, which takes seconds
    from dlexp.job.train import train as job

    announcer, ending = _Announcer(console), Ending(console, partial(_show, console=console))
    try:
        if composed is not None:
            outcome = job.start(composed, announce=announcer, tell=ending.tell, open_test=test, origin=origin)
        else:
            outcome = job.resume(str(resume), runs_dir, announce=announcer, tell=ending.tell, open_test=test)
    finally:
        ending.stop()
        announcer.close()
    ending.close(outcome)
    if json:
        show_json(outcome.result)
    return outcome.exit_code


def _check_alone(resume: str | None, others: object) -> None:
    from dlexp.error import ConfigError

    if resume is not None and others:
        raise ConfigError(
            "--resume: got other settings too; a run goes on as it is, so give --resume alone or start a new run"
        )


class _Announcer:
    """Shows what is about to be trained, then its progress; `close` leaves the terminal as it was."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.tracker: ConsoleTracker | None = None

    def __call__(self, about: "Announcement") -> "Listener":
        from dlexp.console.progress import ConsoleTracker
        from dlexp.direction import is_better_high

        console, data, run = self.console, about.built.dataset, about.built.run
        tests = f", {len(data.test):,} sealed for test" if len(data.test) else ""
        console.print(f"data    {data.name} ({data.task}): {len(data.train):,} train, {len(data.val):,} val{tests}")
        params = sum(p.numel() for p in about.built.model.parameters())
        console.print(f"model   {type(about.built.model).__name__}, {params:,} parameters")
        console.print(f"device  {about.built.device_line}")
        console.print(f"best    by {run.monitor}, {'higher' if is_better_high(run.monitor) else 'lower'} is better")
        for warning in about.warnings:
            console.print(f"[yellow]warning[/] {escape(warning)}")
        begin = f", from epoch {about.epochs_done + 1}" if about.epochs_done else ""
        console.print(f"run     {escape(_short(about.folder.path))}{begin}")
        self.tracker = ConsoleTracker(
            console,
            epochs=run.trainer.epochs,
            epochs_done=about.epochs_done,
            steps_per_epoch=run.steps_per_epoch,
            monitor=run.monitor,
            num_train=run.task.num_drawn,
        )
        return self.tracker

    def close(self) -> None:
        if self.tracker is not None:
            self.tracker.close()


def _show(outcome: "Outcome", console: Console) -> None:
    result = outcome.result
    console.print(f"[bold]{result['status']}[/] after {result['epochs']} epochs, {result['seconds']:.1f} s of training")
    if result["metrics"]:
        console.print(_table(result))
    if result["data"].get("is_imbalanced") and "val" in result.get("report", {}):
        console.print(_class_table(result))
    show_notes(outcome.notes, console)
    console.print(f"run folder  {escape(_short(Path(result['run_dir'])))}")
    if outcome.exit_code == 0:
        console.print("next        dlexp ui            the dashboard: curves and comparisons")
        console.print("            dlexp runs          all runs, best first")
        console.print("            dlexp options       what else can be chosen")


def _table(result: dict[str, Any]) -> Table:
    """Return the best epoch's metrics, a row each, a column for each part of the data."""
    metrics = result["metrics"]
    splits = [split for split in ("train", "val", "test") if any(name.startswith(f"{split}/") for name in metrics)]
    table = Table(title=f"best epoch: {result['best_epoch']}", title_justify="left")
    table.add_column("metric")
    for split in splits:
        table.add_column(split, justify="right")
    for name in [name for name in FIRST_METRICS if any(f"{split}/{name}" in metrics for split in splits)]:
        table.add_row(name, *(_cell(metrics, f"{split}/{name}") for split in splits))
    return table


def _class_table(result: dict[str, Any]) -> Table:
    """Return the validation metrics of each class, the smallest classes first."""
    values, counts = result["report"]["val"], result["data"]["train_counts"]
    table = Table(title="classes are unequal: validation by class", title_justify="left")
    table.add_column("class")
    for title in ("train examples", "val examples", *BY_CLASS):
        table.add_column(title, justify="right")
    rarest = sorted(counts, key=counts.get)[:MOST_CLASSES]
    for name in rarest:
        numbers = [values[f"{metric}_class"][name] for metric in BY_CLASS]
        shown = ["-" if number is None else f"{number:.4f}" for number in numbers]
        table.add_row(escape(name), f"{counts[name]:,}", f"{values['support_class'][name] or 0:,.0f}", *shown)
    if len(counts) > len(rarest):
        table.caption = f"the rarest {len(rarest)} of {len(counts)} classes; all are in result.json"
    return table


def _cell(metrics: dict[str, Any], name: str) -> str:
    if name not in metrics:
        return ""
    return "not finite" if metrics[name] is None else f"{metrics[name]:.4f}"


def _short(path: Path) -> str:
    """Return a path as seen from the working directory where it lies below that."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _dry_run(composed: "Composed", console: Console, is_json: bool) -> int:
    from dlexp.job.train.dry_run import plan

    found = plan(composed)
    data = found["data"]
    console.print(f"data     {data['name']} ({found['task']}): {data['num_train']:,} train, {data['num_val']:,} val")
    console.print(f"model    {found['num_params']:,} parameters, {found['input_shape']} -> {found['output_shape'][1:]}")
    console.print(f"device   {found['device']}")
    console.print(f"trials   1, solo, {found['steps']:,} updates")
    console.print(f"memory   about {found['memory'] / 2**20:,.0f} MiB for weights, activations and data")
    console.print(f"time     about {found['seconds']:,.1f} s with evaluation and checkpoints")
    console.print("nothing was trained and nothing written")
    if is_json:
        show_json(found)
    return 0
