"""`dlexp cv`: k-fold validation of one configuration."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .argument import ConfigDir, Debug, DryRun, Json, Overrides, Quiet
from .output import people, show_json

if TYPE_CHECKING:
    from dlexp.config.compose import Composed
    from dlexp.job.cv import Announcement, Listener
    from dlexp.job.fold import FoldEnd
    from dlexp.job.train import Outcome

SHOWN = ("loss", "accuracy", "top5_accuracy", "f1_macro", "roc_auc", "calibration_error", "rmse", "mae", "r2")


def cv(
    overrides: Overrides = None,
    resume: Annotated[
        str | None,
        typer.Option(metavar="CV", help="Go on with a cv: id, unique prefix, folder or last.", show_default=False),
    ] = None,
    audit: Annotated[
        bool, typer.Option("--audit", help="Show that nothing fitted depends on held-out rows; trains an epoch a fold.")
    ] = False,
    runs_dir: Annotated[Path, typer.Option(help="With --resume: where the cv is looked for.")] = Path("runs"),
    config_dir: ConfigDir = None,
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Cross-validate one configuration: every fold, mean, spread, interval and the pooled out-of-fold predictions.

    Example: `dlexp cv data=breast_cancer model=mlp cv.k=5 cv.repeats=2`
    """
    from dlexp.error import ConfigError
    from dlexp.job.config import resolve

    console = people(json, is_quiet=quiet)
    if resume is not None and (overrides or dry_run or config_dir or audit):
        raise ConfigError("--resume: got other settings too; a cv goes on as it is, so give --resume alone")
    if resume is not None:
        from dlexp.job import cv as job

        outcome = job.resume(resume, runs_dir, announce=_announcer(console))
    else:
        composed = resolve(overrides or [], config_dir, job="cv")
        if audit:
            return _audit(composed, console, json)
        if dry_run:
            return _dry_run(composed, console, json)
        from dlexp.job import cv as job

        outcome = job.start(composed, announce=_announcer(console))
    _show(outcome, console)
    if json:
        show_json(outcome.result)
    return outcome.exit_code


def _announcer(console: Console) -> Any:
    def announce(about: "Announcement") -> "Listener":
        data, folds = about.dataset, about.folds
        tests = f", {len(data.test):,} sealed for test" if len(data.test) else ""
        num = len(data.train) + len(data.val)
        console.print(f"data    {data.name} ({data.task}): {num:,} examples in {len(folds)} folds{tests}")
        console.print(f"device  {about.device_line}")
        console.print(f"cv      {escape(str(about.folder.path))}")

        def listen(end: "FoldEnd") -> None:
            value = end.record["metrics"].get(about.metric)
            shown = "" if value is None else f"  {about.metric} {value:.4f}"
            earlier = "" if end.is_new else "  done before"
            place = f"repeat {end.fold.repeat + 1} " if folds[-1].repeat else ""
            status = end.record["status"]
            console.print(f"{place}fold {end.fold.fold + 1}  {status}{shown}  {end.seconds:.1f} s{earlier}")

        return listen

    return announce


def _show(outcome: "Outcome", console: Console) -> None:
    result = outcome.result
    num = len(result["folds"])
    console.print(f"[bold]{result['status']}[/] after {num} folds, {result['seconds']:.1f} s of training")
    if result["complete"]:
        console.print(_table(result))
        console.print(
            "The interval over folds is optimistic, because they share training data; the other allows for that."
        )
        console.print("Compare two settings with `dlexp compare CV CV`, which pairs them fold by fold.")
    for note in outcome.notes:
        console.print(f"[yellow]{escape(note)}[/]")
    console.print(f"cv folder  {escape(result['run_dir'])}")


def _table(result: dict[str, Any]) -> Table:
    table = Table(title="validation", title_justify="left")
    for header in ("metric", "mean", "std", "95 % interval", "corrected", "pooled"):
        table.add_column(header, justify="left" if header == "metric" else "right")
    for name in [name for name in SHOWN if f"val/{name}" in result["mean"]]:
        key = f"val/{name}"
        spans = [_span(result[kind][key]) for kind in ("interval", "interval_corrected")]
        pooled = result["out_of_fold"].get(name)
        spread = [f"{result['mean'][key]:.4f}", f"{result['std'][key]:.4f}"]
        table.add_row(name, *spread, *spans, "" if pooled is None else f"{pooled:.4f}")
    return table


def _span(interval: list[float | None]) -> str:
    low, high = interval
    return "unknown" if low is None or high is None else f"{low:.4f} to {high:.4f}"


def _dry_run(composed: "Composed", console: Console, is_json: bool) -> int:
    from dlexp.job.cv import plan

    found = plan(composed)
    data = found["data"]
    console.print(
        f"data     {data['name']} ({found['task']}): {data['num_train']:,} train, {data['num_val']:,} held out"
    )
    console.print(f"model    {found['num_params']:,} parameters, {found['input_shape']} -> {found['output_shape'][1:]}")
    console.print(f"device   {found['device']}")
    console.print(f"folds    {found['trials']}, one after another, {found['steps']:,} updates")
    console.print(f"memory   about {found['memory'] / 2**20:,.0f} MiB for weights, activations and data")
    console.print(f"time     about {found['seconds']:,.0f} s of training, evaluation apart")
    console.print("nothing was trained and nothing written")
    if is_json:
        show_json(found)
    return 0


def _audit(composed: "Composed", console: Console, is_json: bool) -> int:
    from dlexp.job.audit import audit

    found = audit(composed.config)
    table = Table(title="audit of the folds", title_justify="left")
    for header in ("fold", "train", "held out", "in both", "groups in both", "duplicates", "changed by held-out rows"):
        table.add_column(header, justify="left" if header in ("fold", "changed by held-out rows") else "right")
    for fold in found["folds"]:
        counts = [fold[key] for key in ("num_train", "num_val", "in_both", "groups_in_both", "duplicates")]
        changed = ", ".join(fold["changed"]) or "nothing"
        table.add_row(f"{fold['repeat'] + 1}.{fold['fold'] + 1}", *map(str, counts), changed)
    console.print(table)
    for finding in found["findings"]:
        console.print(f"[yellow]{escape(finding)}[/]")
    console.print("[green]no leak found[/]" if found["clean"] else "[red]held-out rows reach the training[/]")
    if is_json:
        show_json(found)
    return 0 if found["clean"] else 1
