"""What `dlexp train` prints: what is trained, the metrics of the best epoch, and what a run would take."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from dlexp.number import decimal, duration, noun, significant
from dlexp.run.name import reference, runs_dir_flags

from ..output import first_metrics, metric_label, show_next, show_notes
from ..text import escape, short_path
from .data import show_classes
from .fit import show_table
from .selection import show_selection

if TYPE_CHECKING:
    from torch import nn

    from dlexp.console.progress import ConsoleTracker
    from dlexp.job.outcome import Outcome
    from dlexp.job.train.document import TrainPlan
    from dlexp.job.train.train import Announcement, Listener
    from dlexp.run.document import TrainResult

MOST_CLASSES = 20
BASELINES = (("guess", "val by guess"), ("neighbors", "val by 5-NN"))  # columns of fields of a result


class Announcer:
    """Shows what is about to be trained, then its progress; `close` leaves the terminal as it was."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.tracker: ConsoleTracker | None = None

    def __call__(self, about: "Announcement") -> "Listener":
        """Show what is known beforehand; return what shows the progress."""
        from dlexp.console.progress import ConsoleTracker
        from dlexp.data.fact.guess import guess
        from dlexp.data.pair.require import describe_pairs
        from dlexp.data.quality import describe_inputs
        from dlexp.direction import is_better_high

        console, data, run = self.console, about.built.dataset, about.built.run
        tests = f", {len(data.test):,} sealed for test" if len(data.test) else ""
        console.print(
            f"data    {escape(data.name)} ({data.task}): {len(data.train):,} train, {len(data.val):,} val{tests}"
        )
        if data.pairs is not None:
            console.print(f"pairs   {escape(describe_pairs(data))}")
        inputs = describe_inputs(data)
        if inputs:
            console.print(f"inputs  {escape(inputs)}")
        show_classes(data, console)
        console.print(f"model   {type(about.built.model).__name__}, {_params(about.built.model)}")
        if about.built.start.taken:
            console.print(f"start   {escape(_start(about))}")
        console.print(f"device  {about.built.device_line}")
        console.print(f"best    by {run.monitor}, {'higher' if is_better_high(run.monitor) else 'lower'} is better")
        for name, value in guess(data).items():
            how = "most frequent class" if name.endswith("/accuracy") else "mean"
            console.print(f"guess   {name} {significant(value)}, by the {how}")
        for warning in about.warnings:
            console.print(f"[yellow]warning[/] {escape(warning)}")
        begin = f", from epoch {about.epochs_done + 1}" if about.epochs_done else ""
        console.print(f"run     {escape(short_path(about.folder.path))}{begin}", soft_wrap=True)
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
        """Leave the terminal as it was."""
        if self.tracker is not None:
            self.tracker.close()


def _params(model: "nn.Module") -> str:
    """Return how many parameters there are, and how many of them are frozen."""
    sizes = [(p.numel(), p.requires_grad) for p in model.parameters()]
    frozen = sum(size for size, is_trained in sizes if not is_trained)
    return noun(sum(size for size, _ in sizes), "parameter") + (f", {frozen:,} of them frozen" if frozen else "")


def _start(about: "Announcement") -> str:
    """Return whose weights the run begins with."""
    begun = about.folder.manifest["init_from"]
    whose = f"run {begun['run']}" if "run" in begun else short_path(begun["file"])
    return f"{about.built.start.words} of {whose}"


def show(outcome: "Outcome[TrainResult]", console: Console) -> None:
    """Print how a run ended and the metrics of its best epoch."""
    result = outcome.result
    took = f"{duration(result['seconds'])} of training"
    console.print(f"[bold]{result['status']}[/] after {noun(result['epochs'], 'epoch')}, {took}")
    if result["metrics"]:
        show_table(_table(result), console, tuple(title for _, title in BASELINES))
    if result["data"].get("is_imbalanced") and "val" in result.get("report", {}):
        show_table(_class_table(result), console, ("train examples",), shortened="class")
    _show_selection(result, console)
    show_notes(outcome.notes, console)
    console.print(f"run folder  {escape(short_path(result['run_dir']))}", soft_wrap=True)
    if outcome.exit_code == 0:
        from dlexp.run.folder import RunFolder  # its lock is not there on every platform: not before that is checked

        run = RunFolder(Path(result["run_dir"]))
        elsewhere = runs_dir_flags(run.runs_dir)
        show_next(
            console,
            (shlex.join(["dlexp", "runs", *elsewhere]), "all runs, best first"),
            (shlex.join(["dlexp", "show", reference(run)]), "everything of this one"),
            (shlex.join(["dlexp", "ui", *elsewhere]), "the dashboard"),
        )


def _show_selection(result: "TrainResult", console: Console) -> None:
    """Print what the choice of the best epoch did to the metric that chose it."""
    selection = result.get("selection")
    if selection:
        split = "training" if selection["metric"].startswith("train/") else "validation"
        best = f"{selection['metric']} {decimal(selection['value'])} is the best of {noun(result['epochs'], 'epoch')}"
        show_selection(console, f"{best}, picked by the {split} part", "epoch", selection)


def _table(result: "TrainResult") -> Table:
    """Return the best epoch's metrics, a row each, a column for each part of the data."""
    metrics = result["metrics"]
    splits = [split for split in ("train", "val", "test") if any(name.startswith(f"{split}/") for name in metrics)]
    table = Table(title=f"best epoch: {result['best_epoch']}", title_justify="left")
    table.add_column("metric")
    for split in splits:
        table.add_column(split, justify="right")
    columns = [(values, title) for key, title in BASELINES if (values := result.get(key))]
    for _, title in columns:
        table.add_column(title, justify="right")
    for name in [name for name in first_metrics(result) if any(f"{split}/{name}" in metrics for split in splits)]:
        beside = [significant(values[f"val/{name}"]) if f"val/{name}" in values else "" for values, _ in columns]
        label = escape(metric_label(name, result["data"].get("positive")))
        table.add_row(label, *(_cell(metrics, f"{split}/{name}") for split in splits), *beside)
    return table


def _class_table(result: "TrainResult") -> Table:
    """Return the validation metrics of each class, the smallest classes first."""
    values, counts = result.get("report", {})["val"], result["data"].get("train_counts", {})
    table = Table(title="classes are unequal: validation by class", title_justify="left")
    table.add_column("class")
    by_class = {kind: values.get(f"{kind}_class", {}) for kind in ("precision", "recall", "f1")}
    for title in ("train examples", "val examples", *by_class):
        table.add_column(title, justify="right")
    rarest = sorted(counts, key=lambda name: counts[name])[:MOST_CLASSES]
    for name in rarest:
        numbers = [named.get(name) for named in by_class.values()]
        shown = ["-" if number is None else decimal(number) for number in numbers]
        table.add_row(
            escape(name), f"{counts[name]:,}", f"{values.get('support_class', {}).get(name) or 0:,.0f}", *shown
        )
    if len(counts) > len(rarest):
        table.caption = f"the rarest {len(rarest)} of {noun(len(counts), 'class')}; all are in result.json"
    return table


def _cell(metrics: dict[str, Any], name: str) -> str:
    return decimal(metrics[name]) if name in metrics else ""


def show_dry_run(plan: "TrainPlan", console: Console) -> None:
    """Print what a run would take."""
    data = plan["data"]
    console.print(
        f"data     {escape(data['name'])} ({plan['task']}): {data['num_train']:,} train, {data['num_val']:,} val"
    )
    console.print(
        f"model    {noun(plan['num_params'], 'parameter')}, {plan['input_shape']} -> {plan['output_shape'][1:]}"
    )
    console.print(f"device   {plan['device']}")
    console.print(f"trials   1, solo, {noun(plan['steps'], 'update')}")
    console.print(f"memory   about {plan['memory'] / 2**20:,.0f} MiB for weights, activations and data")
    console.print(f"time     about {plan['seconds']:,.1f} s with evaluation and checkpoints")
    console.print("nothing was trained and nothing written")
