"""Values of the networks that a claim trains: one sweep over seeds for each of its settings. S seeds."""

import math
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from dlexp.claim.recipe import Setting, Training
from dlexp.door.call import sweep
from dlexp.door.run import Run, load
from dlexp.error import RunError


def values(training: Training, seeds: int, folder: Path | None = None) -> list[float]:
    """Return a claim's statistic for each seed.

    Args:
        training: One setting, or two whose difference is taken.
        seeds: S; trainings with seeds 0 to S - 1, together where that is faster.
        folder: Where run folders stay; None: they are deleted.
    """
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="dlexp-claim-") as scratch:
            return values(training, seeds, Path(scratch))
    first, *rest = (_of_setting(training, setting, seeds, folder) for setting in training["settings"])
    for second in rest:
        first = [a - b for a, b in zip(first, second, strict=True)]
    return first


def _of_setting(training: Training, setting: Setting, seeds: int, folder: Path) -> list[float]:
    network = [*training["common"], *setting["overrides"], f"seed=range(0,{seeds})"]
    result = sweep([*network, "tracking=none", f"runs_dir={folder}"])
    return [_value(training, trial, result["guess"]) for trial in result["trials"]]


def _value(training: Training, trial: Any, guess: dict[str, Any]) -> float:
    """Return a trial's value; a training that diverged counts as guessing."""
    name = training["value"]
    if "/" not in name:
        measured = getattr(import_module("dlexp.claim.measure.trained"), name)
        return float(measured(load(trial["run_dir"])))
    run = load(trial["run_dir"])
    metrics = run.result["metrics"] if training["epoch"] == "best" else _last(run)
    value = metrics.get(name)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    guessed = guess.get(f"val/{name.partition('/')[2]}")
    if trial["status"] != "diverged" or guessed is None:
        raise RunError(f"{trial['run_dir']}: no {name}; its status is {trial['status']}")
    return float(guessed)


def _last(run: Run) -> dict[str, Any]:
    history = run.folder.history()
    return history[-1] if history else {}
