"""`dlexp train`: trains one configuration."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from ..argument import (
    ConfigDir,
    Debug,
    DryRun,
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
from ..view import train as view
from .train_verify import verify_trial
from .train_winner import check_options, command_again, read_recipe, train_seeds

if TYPE_CHECKING:
    from dlexp.config.compose import Composed


def train(
    overrides: Overrides = None,
    resume: Resume = None,
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
    runs_dir: ResumeDir = Path("runs"),
    config_dir: ConfigDir = None,
    figure_format: FigureFormat = "png",
    figure_size: FigureSize = None,
    figure_dpi: FigureDpi = 200,
    dry_run: DryRun = False,
    json: Json = False,
    trust: Trust = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Train one configuration; without arguments, an MLP on handwritten digits.

    Example: `dlexp train data=fashion_mnist model=cnn optimizer=adam optimizer.lr=0.001 trainer.epochs=3`
    """
    allow(trust)
    from dlexp.config.resolve import resolve
    from dlexp.run import scan

    if verify is not None:
        others = resume or source or test or config_dir or dry_run
        return verify_trial(verify, runs_dir, overrides or [], others, is_json=json, is_quiet=quiet)
    console = people(json, is_quiet=quiet)
    _check_alone(resume, overrides or dry_run or config_dir)
    check_options(source, train_on, seeds, resume)
    overrides, origin = overrides or [], None
    if source is not None:
        recipe = read_recipe(source, runs_dir, overrides, config_dir, train_on, console)
        if seeds is not None:
            again = command_again(
                recipe, runs_dir, overrides, config_dir, train_on=train_on, seeds=seeds, open_test=test
            )
            return train_seeds(recipe, seeds, console, again, open_test=test, is_dry=dry_run, is_json=json)
        overrides, origin, config_dir = recipe.overrides, recipe.origin, recipe.config_dir
    composed = resolve(overrides, config_dir) if resume is None else None
    if composed is not None and dry_run:
        return _dry_run(composed, console, is_json=json)
    if resume is not None:
        scan.find(runs_dir, resume)  # an unknown run is known before torch is imported, which takes seconds
    from dlexp.job.train import train as job

    announcer, ending = view.Announcer(console), Ending(console, partial(view.show, console=console))
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


def _dry_run(composed: "Composed", console: Console, *, is_json: bool) -> int:
    from dlexp.job.train.dry_run import plan

    with measuring(console) as tell:
        document = plan(composed, tell=tell)
    view.show_dry_run(document, console)
    if is_json:
        show_json(document)
    return 0
