"""`dlexp train --from SWEEP`: the winner of a sweep trained anew, on more data or over several seeds."""

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dlexp.config import catalog, trust
from dlexp.config.override import Override, override_of, parse
from dlexp.config.rule.fitted import reads
from dlexp.config.source.defaults import read_defaults
from dlexp.config.source.folder import stored_copy
from dlexp.error import ConfigError, RunError
from dlexp.job.again import a_kind, resume_command
from dlexp.job.sweep.document import SeedSpread, SweepResult
from dlexp.number import noun
from dlexp.run import scan
from dlexp.run.folder import RunFolder
from dlexp.run.status import Status
from dlexp.run.stored import overrides_here
from dlexp.statistic.spread import deviation

JOINED = "train+val"
BY_VALIDATION = ("trainer.monitor", "trainer.patience", "trainer.min_delta")


@dataclass(frozen=True)
class Recipe:
    """What is to be trained and where it comes from.

    Attributes:
        overrides: Of the winner, with the user's on top.
        origin: Ids of the sweep and of the trial that won, for the manifest.
        notes: For the user, one line each.
        config_dir: The folder of YAML files that the overrides are composed with.
    """

    overrides: list[str]
    origin: dict[str, str]
    notes: list[str]
    config_dir: Path | None = None


def recipe(
    ref: str, runs_dir: Path, overrides: list[str], config_dir: Path | None = None, *, train_on: str = "train"
) -> Recipe:
    """Return how to train a sweep's winner; reads files only.

    With ``train+val`` the validation part joins the training part. Nothing is then left to choose an epoch by, so the
    winner's best epoch becomes the number of epochs, and stopping early by validation is off.

    Args:
        ref: The sweep as users name it; ``last`` is the newest sweep.
        runs_dir: Folder of all runs.
        overrides: What is to differ from the winner.
        config_dir: The user's folder of YAML files; None takes the copy kept with the sweep.
        train_on: "train" or "train+val".

    Raises:
        RunError: No such sweep, or no trial of it has finished.
        ConfigError: Overrides that cannot be read.
    """
    sweep = _find(ref, runs_dir)
    trials = _winner(sweep)
    trial = trials[0]  # of several seeds the first: the best of them would be luck
    best_epoch = statistics.median_low([(folder.result or {}).get("best_epoch", 0) for folder in trials])
    given = parse(overrides)
    config_dir = config_dir or stored_copy(sweep.path)
    groups = catalog.list_groups(config_dir)
    trust.require([name for o in parse(trial.overrides) if o.key == "trusted" for name in o.value], sweep.run_id)
    inherited = [o for o in parse(_as_trained(trial)) if not _is_replaced(o.key, given, groups)]
    origin = {"sweep": sweep.run_id, "trial": trial.run_id}
    notes = [f"from    trial {trial.run_id} of sweep {sweep.run_id}: {' '.join(o.text for o in inherited)}"]
    added: list[str] = []
    if train_on == JOINED:
        inherited = [o for o in inherited if o.key not in (*BY_VALIDATION, "train_on")]
        added.append(f"train_on={JOINED}")
        is_free = not any(o.key == "trainer.epochs" for o in given)
        if is_free and reads(trial.config["model"]["_target_"], "trainer.epochs"):
            inherited = [o for o in inherited if o.key != "trainer.epochs"]
            added.append(f"trainer.epochs={best_epoch}")
        notes += _explain(trial, best_epoch, given)
    if not any(o.key == "runs_dir" for o in given) and sweep.runs_dir != read_defaults().runs_dir.absolute():
        added.append(override_of("runs_dir", str(sweep.runs_dir)))
    texts = [o.text for o in inherited if o.key != "runs_dir"]
    if not any(o.key == "data" or o.key.startswith("data.") for o in given):
        texts = overrides_here(trial, texts)
    return Recipe([*texts, *added, *overrides], origin, notes, config_dir)


def over_seeds(overrides: list[str], num_seeds: int, first: int) -> list[str]:
    """Return the overrides of a sweep over seeds alone."""
    others = [o.text for o in parse(overrides) if o.key != "seed"]
    return [*others, f"seed={','.join(str(first + i) for i in range(num_seeds))}"]


def open_tests(result: SweepResult, runs_dir: Path) -> SeedSpread:
    """Evaluate the test part with each trial of a sweep over seeds, which is counted in each.

    Returns:
        Mean and standard deviation of each metric, and the number of runs.
    """
    from dlexp.job.inference.evaluate import evaluate

    records = [record for record in result["trials"] if Status(record["status"]).has_value]
    return spread(evaluate(str(record["run_dir"]), runs_dir, "test")["metrics"] for record in records)


def spread(measured: Iterable[Mapping[str, float | None]]) -> SeedSpread:
    """Return mean and standard deviation of each metric that every run has."""
    runs = list(measured)
    mean: dict[str, float] = {}
    std: dict[str, float | None] = {}
    for name in runs[0] if runs else {}:
        values = [run.get(name) for run in runs]
        numbers = [value for value in values if value is not None]
        if len(numbers) == len(runs):
            mean[name] = statistics.fmean(numbers)
            std[name] = deviation(numbers) if len(numbers) > 1 else None
    return {"runs": len(runs), "mean": mean, "std": std}


def _find(ref: str, runs_dir: Path) -> RunFolder:
    sweep = scan.find_sweep(ref, runs_dir)
    kind = sweep.manifest["kind"]
    if kind != "sweep":
        raise RunError(f"--from {ref}: got {a_kind(sweep)}; a sweep is needed, whose winner is trained anew")
    return sweep


def _winner(sweep: RunFolder) -> list[RunFolder]:
    """Return the trials of the best setting, one for each seed."""
    result = sweep.result or {}
    best = result.get("best")
    if best is None:
        cure = f"go on with {resume_command(sweep)}"
        raise RunError(f"--from {sweep.run_id}: no trial of this sweep has finished; {cure}")
    records = [record for record in result["trials"] if record["number"] == best["number"] and record["run_id"]]
    places = [(Path(record["run_dir"]), record["run_id"]) for record in records]
    return [RunFolder.open(path) if path.exists() else sweep.child(run_id) for path, run_id in places]


def _as_trained(trial: RunFolder) -> list[str]:
    """Return a trial's overrides with the threads that it took where they left them to the clock."""
    threads = trial.manifest.get("threads")
    if threads is None or trial.config["trainer"]["threads"] != "auto":
        return trial.overrides
    others = [text for text in trial.overrides if not text.startswith("trainer.threads=")]
    return [*others, f"trainer.threads={threads}"]


def _is_replaced(key: str, given: list[Override], groups: dict[str, list[str]]) -> bool:
    """Say whether the user's overrides take an override's place: the same key, or another option of its group."""
    keys = [o.key for o in given]
    return key in keys or (key not in groups and key.partition(".")[0] in set(keys) & set(groups))


def _explain(trial: RunFolder, best_epoch: int, given: list[Override]) -> list[str]:
    if not best_epoch:
        raise ConfigError(f"--on: got {JOINED}; trial {trial.run_id} has no best epoch, so give trainer.epochs")
    epochs = next((o.value for o in given if o.key == "trainer.epochs"), None)
    as_many = f"the {noun(best_epoch, 'epoch')} after which the winner was best"
    length = as_many if epochs is None else noun(epochs, "epoch")
    lines = [f"on      training and validation part for {length}; nothing is left to validate on"]
    schedule = trial.config["schedule"]["_target_"]
    if not schedule.endswith(".Constant"):
        lines.append(f"        the learning rate's schedule ({schedule.rpartition('.')[2]}) spans these epochs")
    return lines
