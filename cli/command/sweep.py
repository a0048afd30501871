"""`dlexp sweep`: searches the settings of a space for the best one."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from .. import event
from ..argument import (
    ConfigDir,
    Debug,
    DryRun,
    Events,
    FigureDpi,
    FigureFormat,
    FigureSize,
    Json,
    Overrides,
    Quiet,
    Resume,
    ResumeDir,
    Trust,
    allow,
)
from ..measuring import measuring
from ..output import Ending, people, show_json
from ..view import sweep as view


def sweep(
    overrides: Overrides = None,
    resume: Resume = None,
    runs_dir: ResumeDir = Path("runs"),
    config_dir: ConfigDir = None,
    figure_format: FigureFormat = "png",
    figure_size: FigureSize = None,
    figure_dpi: FigureDpi = 200,
    dry_run: DryRun = False,
    detach: Annotated[
        bool, typer.Option("--detach", help="Leave the trials to jobs (launcher=slurm); collect them by dlexp wait.")
    ] = False,
    json: Json = False,
    events: Events = False,
    trust: Trust = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Search: every override with a sweep expression is a dimension. The same command again runs only what is missing.

    Example: `dlexp sweep optimizer.lr='tag(log,interval(1e-4,1))' search=coarse_to_fine search.trials=30`
    """
    event.check_alone(events, json=json, dry_run=dry_run, detach=detach)
    allow(trust)
    from dlexp.error import ConfigError

    console = people(json or events, is_quiet=quiet)
    if resume is not None and (overrides or dry_run or detach):
        raise ConfigError("--resume: got overrides too; give --resume alone, or the changed command without it")
    if resume is None:
        from dlexp.config.source.question import with_searched
        from dlexp.config.space import read_space
        from dlexp.job.transfer.weights import with_weights

        overrides = with_searched(with_weights(overrides or [], config_dir, "sweep"), config_dir)
        read_space(overrides, config_dir)  # what is wrong with the space is said before torch is imported
    if dry_run:
        return dry_run_sweep(overrides or [], config_dir, console, is_json=json)
    if detach:
        return detach_sweep(overrides or [], config_dir, console, is_json=json)
    from dlexp.job.sweep import sweep as job

    announcer, ending = view.Announcer(console), Ending(console, partial(view.show, console=console))
    announce = event.of_sweep(announcer, is_followed=events)
    try:
        if resume is not None:
            findings = job.resume(resume, runs_dir, config_dir, announce=announce, tell=ending.tell)
        else:
            findings = job.start(overrides or [], config_dir, announce=announce, tell=ending.tell)
    finally:
        ending.stop()
    ending.close(findings)
    return event.conclude(findings.outcome, is_json=json, is_followed=events)


def detach_sweep(overrides: list[str], config_dir: Path | None, console: Console, *, is_json: bool) -> int:
    """Submit a sweep's trials and leave them to their jobs; return the exit code."""
    from dlexp.job.detached import detach
    from dlexp.job.sweep.sweep import Findings

    left = detach(overrides, config_dir, announce=view.Announcer(console))
    if isinstance(left, Findings):  # nothing was missing
        view.show(left, console)
        if is_json:
            show_json(left.outcome.result)
        return left.outcome.exit_code
    view.show_detached(left, console)
    if is_json:
        show_json(left)
    return 0


def dry_run_sweep(overrides: list[str], config_dir: Path | None, console: Console, *, is_json: bool) -> int:
    """Show what a sweep would take; return the exit code."""
    from dlexp.job.sweep.dry_run import forecast

    with measuring(console) as tell:
        document = forecast(overrides, config_dir, tell=tell)
    view.show_dry_run(document, console)
    if is_json:
        show_json(document)
    return 0
