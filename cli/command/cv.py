"""`dlexp cv`: k-fold validation of one configuration, of every setting of a product, or of a search."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
from ..view import cv as view

if TYPE_CHECKING:
    from dlexp.job.cv.document import AnyCVResult
    from dlexp.job.outcome import Outcome


def cv(
    overrides: Overrides = None,
    resume: Resume = None,
    audit: Annotated[
        bool, typer.Option("--audit", help="Show that nothing fitted depends on held-out rows; trains an epoch a fold.")
    ] = False,
    runs_dir: ResumeDir = Path("runs"),
    config_dir: ConfigDir = None,
    figure_format: FigureFormat = "png",
    figure_size: FigureSize = None,
    figure_dpi: FigureDpi = 200,
    dry_run: DryRun = False,
    json: Json = False,
    events: Events = False,
    trust: Trust = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Cross-validate: every fold, mean, spread, interval and pooled predictions.

    Sweep expressions cross-validate every setting of their product on the same folds; seed='range(0,5)' trains each
    fold under every seed; cv=nested lets a search inside each fold choose.

    Example: `dlexp cv data=breast_cancer model=mlp cv.k=5 cv.repeats=2`
    """
    event.check_alone(events, json=json, dry_run=dry_run, audit=audit)
    allow(trust)
    from dlexp.error import ConfigError

    console = people(json or events, is_quiet=quiet)
    if resume is not None and (overrides or dry_run or config_dir or audit):
        raise ConfigError("--resume: got other settings too; a cv goes on as it is, so give --resume alone")
    if resume is None:
        from dlexp.config.source.question import with_searched
        from dlexp.job.transfer.weights import with_weights

        overrides = with_searched(with_weights(overrides or [], config_dir, "cv"), config_dir)
        _check(overrides, config_dir)
    if audit:
        return _audit(overrides or [], config_dir, console, is_json=json)
    if dry_run:
        return _dry_run(overrides or [], config_dir, console, is_json=json)
    from dlexp.job.cv import cv as job

    ending, announcer = Ending(console, partial(view.show, console=console)), view.Announcer(console)

    announce = event.of_cv(announcer, is_followed=events)

    def tell(outcome: "Outcome[AnyCVResult]") -> None:
        announcer.close()
        ending.tell(outcome)

    try:
        if resume is not None:
            outcome = job.resume(resume, runs_dir, announce=announce, tell=tell)
        else:
            outcome = job.start(overrides or [], config_dir, announce=announce, tell=tell)
    finally:
        announcer.close()
        ending.stop()
    ending.close(outcome)
    return event.conclude(outcome, is_json=json, is_followed=events)


def _check(overrides: list[str], config_dir: Path | None) -> None:
    """Say what is wrong with the configuration before torch is imported."""
    from dlexp.config.override import parse
    from dlexp.config.resolve import resolve
    from dlexp.config.space import read_space

    if any(override.is_sweep for override in parse(overrides)):
        read_space(overrides, config_dir, job="cv")
    else:
        resolve(overrides, config_dir, job="cv")


def _dry_run(overrides: list[str], config_dir: Path | None, console: Console, *, is_json: bool) -> int:
    from dlexp.job.cv.dry_run import forecast

    with measuring(console) as tell:
        document = forecast(overrides, config_dir, tell=tell)
    view.show_dry_run(document, console)
    if is_json:
        show_json(document)
    return 0


def _audit(overrides: list[str], config_dir: Path | None, console: Console, *, is_json: bool) -> int:
    from dlexp.job.cv.audit import audit

    document = audit(overrides, config_dir)
    view.show_audit(document, console)
    if is_json:
        show_json(document)
    return 0 if document["clean"] else 1
