"""`dlexp train --from SWEEP`: the winner of a sweep, once or over seeds."""

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from ..output import show_json
from ..text import escape
from ..view import sweep as sweep_view
from ..view import train_winner as view
from .sweep import dry_run_sweep

if TYPE_CHECKING:
    from dlexp.job.sweep.winner import Recipe

PARTS = ("train", "train+val")


def check_options(source: str | None, train_on: str, seeds: int | None, resume: str | None) -> None:
    """Refuse options that do not go together.

    Raises:
        ConfigError: They do not.
    """
    from dlexp.error import ConfigError

    if source is not None and resume is not None:
        raise ConfigError("--from: got --resume too; a run goes on as it is, so give one of them")
    if source is None and train_on != "train":
        raise ConfigError(f"--on: got {train_on} without --from SWEEP; train_on={train_on} does it for any run")
    if source is None and seeds is not None:
        raise ConfigError(f"--seeds: got {seeds} without --from SWEEP; dlexp sweep seed='range(0,{seeds})' does it")
    if train_on not in PARTS:
        raise ConfigError(f"--on: got {train_on}; choose one of {', '.join(PARTS)}")
    if seeds is not None and seeds < 1:
        raise ConfigError(f"--seeds: got {seeds}; an integer >= 1 is needed")


def read_recipe(
    source: str, runs_dir: Path, overrides: list[str], config_dir: Path | None, train_on: str, console: Console
) -> "Recipe":
    """Return how the winner is trained, and tell where it comes from."""
    from dlexp.job.sweep.winner import recipe

    winner_recipe = recipe(source, runs_dir, overrides, config_dir, train_on=train_on)
    for note in winner_recipe.notes:
        console.print(escape(note))
    return winner_recipe


def command_again(
    recipe: "Recipe",
    runs_dir: Path,
    overrides: list[str],
    config_dir: Path | None,
    *,
    train_on: str,
    seeds: int,
    open_test: bool,
) -> str:
    """Return the command that goes on with interrupted seeds: of this very sweep, for `last` would be a newer one."""
    from dlexp.config.wording import command_line
    from dlexp.figure.style.look import flags
    from dlexp.run import scan
    from dlexp.run.name import reference

    sweep = reference(scan.find(runs_dir, recipe.origin["sweep"]))
    options = ["--from", sweep, "--seeds", str(seeds), *(["--on", train_on] if train_on != "train" else [])]
    return command_line("train", [*options, *(["--test"] if open_test else []), *flags(), *overrides], config_dir)


def train_seeds(
    recipe: "Recipe",
    seeds: int,
    console: Console,
    again: str,
    *,
    open_test: bool,
    is_dry: bool,
    is_json: bool,
) -> int:
    """Train a recipe with several seeds, as a sweep over them; show mean and spread.

    `again` is the command that goes on when this one is interrupted.
    """
    from dlexp.config.resolve import resolve
    from dlexp.job.sweep.winner import open_tests, over_seeds, spread
    from dlexp.run.status import Status

    first = resolve(recipe.overrides, recipe.config_dir).config["seed"]
    overrides = over_seeds(recipe.overrides, seeds, first)
    if is_dry:
        return dry_run_sweep(overrides, recipe.config_dir, console, is_json=is_json)
    from dlexp.job.sweep import sweep as job

    announce = sweep_view.Announcer(console)
    done = job.start(
        overrides, recipe.config_dir, announce=announce, open_test=open_test, origin=recipe.origin, again=again
    )
    result = done.outcome.result
    whole = [record for record in result["trials"] if Status(record["status"]).has_value]
    result["spread"] = spread(record["metrics"] for record in whole)
    if open_test and whole:
        result["test"] = open_tests(result, Path(result["run_dir"]).parent.parent)
    view.show(result, done.outcome.notes, console)
    if is_json:
        show_json(result)
    return done.outcome.exit_code
