"""`dlexp train`: trains one configuration."""

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
from ..devices import agreed, require_plain, start, take_devices
from ..measuring import measuring
from ..output import Ending, people, show_json
from ..text import escape
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
    events: Events = False,
    trust: Trust = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Train one configuration; without arguments, an MLP on handwritten digits.

    Example: `dlexp train data=fashion_mnist model=cnn optimizer=adam optimizer.lr=0.001 trainer.epochs=3`
    """
    event.check_alone(events, json=json, dry_run=dry_run, verify_trial=verify, seeds=seeds)
    allow(trust)
    from dlexp.config.resolve import resolve
    from dlexp.job.transfer.weights import with_weights
    from dlexp.launcher.devices.launched import is_launched, rank
    from dlexp.run import scan

    devices, overrides = take_devices(overrides)
    require_plain(devices, verify_trial=verify, seeds=seeds, dry_run=dry_run and is_launched())
    if verify is not None:
        others = resume or source or test or config_dir or dry_run
        return verify_trial(verify, runs_dir, overrides, others, is_json=json, is_quiet=quiet)
    console = people(json or events, is_quiet=quiet or rank() > 0)
    overrides = agreed(partial(with_weights, overrides, config_dir))
    _check_alone(resume, overrides or dry_run or config_dir)
    check_options(source, train_on, seeds, resume)
    origin = None
    if source is not None:
        recipe = read_recipe(source, runs_dir, overrides, config_dir, train_on, console)
        if seeds is not None:
            again = command_again(
                recipe, runs_dir, overrides, config_dir, train_on=train_on, seeds=seeds, open_test=test
            )
            return train_seeds(recipe, seeds, console, again, open_test=test, is_dry=dry_run, is_json=json)
        overrides, origin, config_dir = recipe.overrides, recipe.origin, recipe.config_dir
    composed = agreed(lambda: resolve(overrides, config_dir)) if resume is None else None
    if resume is not None and not rank():
        scan.find(runs_dir, resume)  # an unknown run is known before torch is imported, which takes seconds
    if devices > 1 and not dry_run:
        return start(devices, composed)
    _tell_unsearched(overrides, config_dir, console)
    if composed is not None and dry_run:
        return _dry_run(composed, console, is_json=json)
    return _train(composed, str(resume), runs_dir, origin, console, open_test=test, is_json=json, is_followed=events)


def _train(
    composed: "Composed | None",
    resume: str,
    runs_dir: Path,
    origin: dict[str, str] | None,
    console: Console,
    *,
    open_test: bool,
    is_json: bool,
    is_followed: bool,
) -> int:
    """Train what is checked, or go on with a run; of many processes the first one shows and writes."""
    from dlexp.job.train import devices
    from dlexp.job.train import train as job
    from dlexp.launcher.devices.world import join

    world = join()
    if world.rank:
        code = devices.attend(None if composed is None else composed.config, world, open_test=open_test)
        world.close()
        return code
    announcer, ending = view.Announcer(console), Ending(console, partial(view.show, console=console))
    announce = event.of_train(announcer, is_followed=is_followed)
    options = {"announce": announce, "tell": ending.tell, "open_test": open_test, "world": world}
    try:
        if composed is not None:
            outcome = job.start(composed, origin=origin, **options)
        else:
            outcome = job.resume(resume, runs_dir, **options)
    finally:
        ending.stop()
        announcer.close()
    world.close()
    ending.close(outcome)
    return event.conclude(outcome, is_json=is_json, is_followed=is_followed)


def _tell_unsearched(overrides: list[str], config_dir: Path | None, console: Console) -> None:
    """Say what the chosen experiment searches, which one training run does not."""
    from dlexp.config.source.question import searched_keys

    if keys := searched_keys(overrides, config_dir):
        console.print(
            f"note    {escape(', '.join(keys))} would be searched by `dlexp sweep` or `dlexp cv`; trained once here"
        )


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
