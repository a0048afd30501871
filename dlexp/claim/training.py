"""Values of the networks that a claim trains: one sweep over seeds for each of its settings. S seeds."""

import math
import tempfile
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from dlexp.claim.recipe import Training
from dlexp.door.call import sweep
from dlexp.door.run import Run, load
from dlexp.error import RunError

Epochs = list[dict[str, Any]]  # the records of a training


@dataclass(frozen=True)
class Trained:
    """What came of the networks of a claim.

    Attributes:
        values: The statistic of each seed.
        curves: Of each setting, by its name: the epochs of each seed.
    """

    values: list[float]
    curves: dict[str, list[Epochs]]


def train(training: Training, seeds: int, folder: Path | None = None) -> Trained:
    """Train a claim's networks.

    Args:
        training: One setting, or two whose difference is taken.
        seeds: S; trainings with seeds 0 to S - 1, together where that is faster.
        folder: Where run folders stay; None: they are deleted.
    """
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="dlexp-claim-") as scratch:
            return train(training, seeds, Path(scratch))
    curves: dict[str, list[Epochs]] = {}
    values: list[list[float]] = []
    for setting in training["settings"]:
        network = [*training["common"], *setting["overrides"], f"seed=range(0,{seeds})"]
        result = sweep([*network, "tracking=none", f"runs_dir={folder}"])
        values.append([_value(training, trial, result["guess"]) for trial in result["trials"]])
        curves[setting["name"]] = [load(str(trial["run_dir"])).folder.history() for trial in result["trials"]]
    first, *rest = values
    for second in rest:
        first = [a - b for a, b in zip(first, second, strict=True)]
    return Trained(first, curves)


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
