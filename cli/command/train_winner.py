"""`dlexp train --from SWEEP`: the winner of a sweep, once or over seeds."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..output import FIRST_METRICS, show_json

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

    found = recipe(source, runs_dir, overrides, config_dir, train_on=train_on)
    for note in found.notes:
        console.print(escape(note))
    return found


def train_seeds(
    found: "Recipe",
    seeds: int,
    config_dir: Path | None,
    console: Console,
    *,
    open_test: bool,
    is_dry: bool,
    is_json: bool,
) -> int:
    """Train a recipe with several seeds, as a sweep over them; show mean and spread."""
    from dlexp.config.resolve import resolve
    from dlexp.job.sweep.winner import open_tests, over_seeds, spread

    from . import sweep as loop

    first = resolve(found.overrides, config_dir).config["seed"]
    overrides = over_seeds(found.overrides, seeds, first)
    if is_dry:
        return loop.forecast_sweep(overrides, config_dir, console, is_json)
    from dlexp.job.sweep import sweep as job

    announce = loop.Announcer(console)
    done = job.start(overrides, config_dir, announce=announce, open_test=open_test, origin=found.origin)
    result = done.outcome.result
    whole = [record for record in result["trials"] if record["status"] in ("finished", "stopped_early")]
    result["spread"] = spread(record["metrics"] for record in whole)
    if open_test and whole:
        result["test"] = open_tests(result, Path(result["run_dir"]).parent.parent)
    console.print(_table(result))
    for note in done.outcome.notes:
        console.print(f"[yellow]{escape(note)}[/]")
    console.print(f"sweep folder  {escape(result['run_dir'])}")
    if is_json:
        show_json(result)
    return done.outcome.exit_code


def _table(result: dict[str, Any]) -> Table:
    """Return mean and standard deviation of the metrics over seeds."""
    test = result.get("test", {"mean": {}, "std": {}})
    mean, std = {**result["spread"]["mean"], **test["mean"]}, {**result["spread"]["std"], **test["std"]}
    splits = [split for split in ("train", "val", "test") if any(name.startswith(f"{split}/") for name in mean)]
    count = result["spread"]["runs"]
    table = Table(title=f"best epochs of {count} seeds: mean ± standard deviation", title_justify="left")
    table.add_column("metric")
    for split in splits:
        table.add_column(split, justify="right")
    for name in [name for name in FIRST_METRICS if any(f"{split}/{name}" in mean for split in splits)]:
        table.add_row(name, *(_cell(mean.get(f"{split}/{name}"), std.get(f"{split}/{name}")) for split in splits))
    return table


def _cell(mean: float | None, std: float | None) -> str:
    if mean is None:
        return ""
    return f"{mean:.4f}" if std is None else f"{mean:.4f} ± {std:.4f}"
