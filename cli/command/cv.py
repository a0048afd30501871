"""`dlexp cv`: k-fold validation of one configuration, of every setting of a product, or of a search."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from ..argument import ConfigDir, Debug, DryRun, Json, Overrides, Quiet
from ..output import Ending, people, show_json, show_notes
from ..view.cv_table import audit_table, describe, show_result, show_settings

if TYPE_CHECKING:
    from dlexp.job.cv.cv import Announcement, Listener
    from dlexp.job.cv.fold_run import FoldResult
    from dlexp.job.cv.nested import InnerChoice
    from dlexp.job.cv.spec import CVSpec
    from dlexp.job.outcome import Outcome

INNER_LINES = 50  # inner trainings between two lines about them


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
    """Cross-validate: every fold, mean, spread, interval and pooled predictions.

    Sweep expressions cross-validate every setting of their product on the same folds; seed='range(0,5)' trains each
    fold under every seed; cv=nested lets a search inside each fold choose.

    Example: `dlexp cv data=breast_cancer model=mlp cv.k=5 cv.repeats=2`
    """
    from dlexp.error import ConfigError

    console = people(json, is_quiet=quiet)
    if resume is not None and (overrides or dry_run or config_dir or audit):
        raise ConfigError("--resume: got other settings too; a cv goes on as it is, so give --resume alone")
    if resume is None:
        _check(overrides or [], config_dir)
    if audit:
        return _audit(overrides or [], config_dir, console, json)
    if dry_run:
        return _dry_run(overrides or [], config_dir, console, json)
    from dlexp.job.cv import cv as job

    ending = Ending(console, partial(_show, console=console))
    try:
        if resume is not None:
            outcome = job.resume(resume, runs_dir, announce=_announcer(console), tell=ending.tell)
        else:
            outcome = job.start(overrides or [], config_dir, announce=_announcer(console), tell=ending.tell)
    finally:
        ending.stop()
    ending.close(outcome)
    if json:
        show_json(outcome.result)
    return outcome.exit_code


def _check(overrides: list[str], config_dir: Path | None) -> None:
    """Say what is wrong with the configuration before torch is imported."""
    from dlexp.config.override import parse
    from dlexp.config.resolve import resolve
    from dlexp.config.space import read_space

    if any(override.is_sweep for override in parse(overrides)):
        read_space(overrides, config_dir, job="cv")
    else:
        resolve(overrides, config_dir, job="cv")


def _announcer(console: Console) -> Any:
    def announce(about: "Announcement") -> "Listener":
        _introduce(console, about)
        counted = 0
        spec = about.spec

        def listen(event: "FoldResult | InnerChoice") -> None:
            from dlexp.job.cv.nested import InnerChoice

            nonlocal counted
            if isinstance(event, InnerChoice):
                console.print(_chosen_line(event))
            elif event.fold_run.inner is None:
                console.print(_fold_line(spec, event))
            else:
                counted += 1
                if counted % INNER_LINES == 0:
                    console.print(f"{counted} inner trainings")

        return listen

    return announce


def _introduce(console: Console, about: "Announcement") -> None:
    spec = about.spec
    data, folds = spec.dataset, spec.folds
    tests = f", {len(data.test):,} sealed for test" if len(data.test) else ""
    console.print(
        f"data    {data.name} ({data.task}): {len(folds[0].train) + len(folds[0].val):,} examples in "
        f"{len(folds)} folds{tests}"
    )
    if len(spec.seeds) > 1:
        console.print(f"seeds   {', '.join(map(str, spec.seeds))}: each fold under every one")
    if spec.inner is not None:
        for d in spec.inner.space.dimensions:
            console.print(f"search  {escape(d.text)}, inside each fold, best {spec.metric}")
    elif len(spec.settings) > 1:
        console.print(f"cv of   {len(spec.settings)} settings on the same folds")
    console.print(f"device  {about.folder.manifest['device']}")
    console.print(f"cv      {escape(str(about.folder.path))}")


def _fold_line(spec: "CVSpec", end: "FoldResult") -> str:
    value = end.record["metrics"].get(spec.metric)
    shown = "" if value is None else f"  {spec.metric} {value:.4f}"
    earlier = "" if end.is_new else "  done before"
    repeat = f"repeat {end.fold.repeat + 1} " if spec.repeats > 1 else ""
    several = {} if spec.form == "plain" else dict(end.fold_run.params)
    if len(spec.seeds) > 1:
        several["seed"] = end.fold_run.seed
    setting = f"{escape(describe(several))}  " if several else ""
    place = f"{setting}{repeat}fold {end.fold.fold + 1}"
    return f"{place}  {end.record['status']}{shown}  {end.seconds:.1f} s{earlier}"


def _chosen_line(chosen: "InnerChoice") -> str:
    place = f"repeat {chosen.fold.repeat + 1} fold {chosen.fold.fold + 1}"
    if chosen.setting is None:
        return f"[yellow]{place}: no setting could be scored[/]"
    return f"{place} chose {escape(describe(chosen.setting.values))} of {len(chosen.tried)}: {chosen.value:.4f} inside"


def _show(outcome: "Outcome", console: Console) -> None:
    result = outcome.result
    if "settings" in result:
        done = f"{sum(entry['complete'] for entry in result['settings'])} settings"
    else:
        done = f"{len(result['folds'])} folds"
    console.print(f"[bold]{result['status']}[/] after {done}, {result['seconds']:.1f} s of training")
    if "settings" in result:
        show_settings(result, console)
    elif result["complete"]:
        show_result(result, console)
    show_notes(outcome.notes, console)
    console.print(f"cv folder  {escape(result['run_dir'])}")


def _dry_run(overrides: list[str], config_dir: Path | None, console: Console, is_json: bool) -> int:
    from dlexp.job.cv.dry_run import forecast

    found = forecast(overrides, config_dir)
    data = found["data"]
    console.print(
        f"data     {data['name']} ({found['task']}): {data['num_train']:,} train, {data['num_val']:,} held out"
    )
    console.print(f"model    {found['num_params']:,} parameters, {found['input_shape']}")
    console.print(f"device   {found['device']}")
    settings = "" if found["settings"] in (None, 1) else f"{found['settings']} settings x "
    seeds = "" if found["seeds"] == 1 else f"{found['seeds']} seeds x "
    searched = " and what is searched inside them" if found["form"] == "nested" else ""
    console.print(
        f"folds    {settings}{seeds}{found['folds']} folds{searched}: {found['trials']:,} trainings, "
        f"{found['steps']:,} updates"
    )
    for group in found["groups"]:
        how = "alone" if group["engine"] == "solo" else f"{group['stack']} at once"
        console.print(
            f"group    {group['size']:,} trainings, {how if group['stack'] else group['engine']}: "
            f"{escape(group['reason'])}"
        )
    console.print(f"memory   about {found['memory'] / 2**20:,.0f} MiB for weights, activations and data")
    console.print(f"time     about {found['seconds']:,.0f} s in one process")
    console.print("nothing was trained and nothing written")
    if is_json:
        show_json(found)
    return 0


def _audit(overrides: list[str], config_dir: Path | None, console: Console, is_json: bool) -> int:
    from dlexp.job.cv.audit import audit

    found = audit(overrides, config_dir)
    console.print(audit_table(found))
    for finding in found["findings"]:
        console.print(f"[yellow]{escape(finding)}[/]")
    console.print("[green]no leak found[/]" if found["clean"] else "[red]held-out rows reach the training[/]")
    if is_json:
        show_json(found)
    return 0 if found["clean"] else 1
