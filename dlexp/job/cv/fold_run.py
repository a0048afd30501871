"""The trainings of cross-validations: run folders inside the cv's, begun, resumed or found done.

A fold run is one training: a fold of one setting under one seed, or an inner fold of a nested cross-validation.
"""

import logging
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dlexp.build.components import Components
from dlexp.config.space import JOB_GROUPS
from dlexp.data.dataset import Dataset
from dlexp.data.fold import Fold
from dlexp.engine.event import EpochEnd, TrialEnd
from dlexp.execution.assignment import Assignment
from dlexp.execution.dispatcher import Dispatcher
from dlexp.execution.integrity import checksums, is_intact
from dlexp.random import derive
from dlexp.run.document import FoldRecord
from dlexp.run.folder import FOLDS, TRIALS, RunFolder
from dlexp.run.jsonable import plain
from dlexp.run.status import Status
from dlexp.tracking.mlflow import NONE

_log = logging.getLogger(__name__)
_OF_THE_CV = ("run_id", "slug", "status", "start", "end", "resumes", "monitor", "seeds", "form", "number", "config_dir")


@dataclass(frozen=True)
class FoldRun:
    """One training of a cross-validation.

    Attributes:
        cv: The folder of its setting's cv.
        fold: Its place and rows; of an inner one the outer place.
        seed: The replicate's, from which the fold's own seed is derived.
        config: Its own; see `configure`.
        inner: Number of the inner fold; None for one that the cv reports.
        number: Of the setting that an inner search tries.
        params: What tells it from others besides fold and number, for MLflow: the setting, the seed.
    """

    cv: RunFolder
    fold: Fold
    seed: int
    config: dict[str, Any]
    inner: int | None = None
    number: int | None = None
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> tuple[Any, ...]:
        """What tells it from the others of its cv."""
        return (self.fold.repeat, self.fold.fold, self.seed, self.inner, self.number)

    @property
    def name(self) -> str:
        """What its folder is called."""
        setting = [] if self.number is None else [f"setting{self.number + 1}", f"inner{(self.inner or 0) + 1}"]
        seed = [f"seed{self.seed}"] if len(self.cv.manifest["seeds"]) > 1 else []
        return "-".join([*setting, self.fold.name, *seed])

    @property
    def words(self) -> str:
        """What the user is told of it: setting, repeat and fold, counted from 1."""
        setting = [] if self.number is None else [f"setting {self.number + 1} inner fold {(self.inner or 0) + 1}"]
        seed = [f"seed {self.seed}"] if len(self.cv.manifest["seeds"]) > 1 else []
        return " ".join([*setting, self.fold.words, *seed])


@dataclass(frozen=True)
class FoldResult:
    """How one training ended.

    Attributes:
        fold_run: Which.
        record: `fold`, `repeat`, `seed`, `run_id`, `status`, `metrics`, as a cv's result has them.
        seconds: Of training, over all resumes.
        error: Why it failed, in one line; "" when it did not.
        is_new: False when an earlier process had done it.
    """

    fold_run: FoldRun
    record: FoldRecord
    seconds: float
    error: str = ""
    is_new: bool = True

    @property
    def fold(self) -> Fold:
        """Return the fold that the run trains."""
        return self.fold_run.fold


@dataclass(frozen=True)
class FoldEpoch:
    """An epoch of a training ended.

    Attributes:
        fold_run: The training.
        epoch: Epochs done.
        metrics: Of the epoch.
    """

    fold_run: FoldRun
    epoch: int
    metrics: dict[str, float]


def nobody(_event: FoldEpoch) -> None:
    """Hear of epochs and do nothing."""


def configure(config: dict[str, Any], fold: Fold, seed: int | None = None, inner: int | None = None) -> dict[str, Any]:
    """Return the configuration of one fold, with which it can be trained, resumed or evaluated by itself.

    Each fold has its own seed, so that the spread of the folds holds that of initialisation and order. The cv's own
    outbox sends the folds to MLflow.

    Args:
        config: Of the setting.
        fold: The outer fold.
        seed: The replicate's; None for the configuration's.
        inner: Number of the inner fold.
    """
    tracking = {"_target_": NONE, "experiment": config["tracking"]["experiment"]}
    place = {"repeat": fold.repeat, "fold": fold.fold} | ({} if inner is None else {"inner": inner})
    fold_seed = derive(config["seed"] if seed is None else seed, "fold", *place.values()) % 2**31
    groups = {name: node for name, node in config.items() if name not in JOB_GROUPS}
    return {**groups, "seed": fold_seed, "tracking": tracking, "fold": place}


def train_fold_runs(
    fold_runs: Iterable[FoldRun],
    dataset: Dataset,
    dispatcher: Dispatcher,
    hear: Callable[[FoldEpoch], None] = nobody,
    *,
    is_retrying: bool = True,
) -> Iterator[FoldResult]:
    """Yield a `FoldResult` for each training, until all are done or the dispatcher is to stop.

    First those that an earlier process did; then the others, in one program where that is faster, else one by one.
    One that fails is recorded and the others go on.

    Args:
        fold_runs: Of any settings, folds and seeds.
        dataset: The whole data.
        dispatcher: Has them trained.
        hear: Called with each epoch.
        is_retrying: Whether one that failed in an earlier process is trained again.
    """
    known: dict[Path, dict[tuple[Any, ...], RunFolder]] = {}
    waiting: dict[Path, tuple[FoldRun, RunFolder]] = {}
    assignments = []
    for fold_run in fold_runs:
        if fold_run.cv.path not in known:
            known[fold_run.cv.path] = _known(fold_run.cv)
        folder = known[fold_run.cv.path].get(fold_run.place)
        if folder is not None and _is_of_another(fold_run, folder):
            folder = None
        if folder is not None and (ended := _earlier(fold_run, folder, is_retrying)):
            yield ended
            continue
        folder = folder or _create(fold_run)
        components = Components(fold_run.config, dataset.with_parts(fold_run.fold.train, fold_run.fold.val))
        waiting[folder.path] = fold_run, folder
        assignments.append(Assignment(fold_run.config, folder.path, "fold", built=components))
    for event in dispatcher.train(assignments):
        if isinstance(event.event, TrialEnd):
            yield _end(*waiting[event.path], event.event, event.size)
        elif isinstance(event.event, EpochEnd):
            hear(FoldEpoch(waiting[event.path][0], event.event.epoch, event.event.metrics))


def _known(cv: RunFolder) -> dict[tuple[Any, ...], RunFolder]:
    """Return the trainings in a cv's folder by their places; what can be trained anew and is damaged is dropped.

    A fold that is over is not: its damage is told where its files are read.
    """
    fold_folders = {}
    for child in cv.children():
        if not (child.is_synced and Status(child.manifest["status"]).is_over) and not is_intact(child):
            _log.warning("%s: damaged; it begins anew", child.path)
            shutil.rmtree(child.path)
            continue
        m = child.manifest
        if m["kind"] in ("fold", "trial"):
            fold_folders[m["repeat"], m["fold"], m["replicate"], m.get("inner"), m.get("number")] = child
    return fold_folders


def _is_of_another(fold_run: FoldRun, folder: RunFolder) -> bool:
    """Drop a fold's training of another setting: the search inside the fold chose anew after failures were mended."""
    is_winner = fold_run.inner is None and fold_run.cv.manifest["form"] == "nested"
    is_other = is_winner and folder.manifest["params"] != plain(fold_run.params)
    if is_other:
        _log.warning("%s: its setting is no longer chosen; the fold begins anew", folder.path)
        shutil.rmtree(folder.path)
    return is_other


def _create(fold_run: FoldRun) -> RunFolder:
    """Make a training's folder; the cv's lock covers it."""
    cv, fold, is_inner = fold_run.cv, fold_run.fold, fold_run.inner is not None
    about = {name: value for name, value in cv.manifest.items() if name not in _OF_THE_CV}
    place: dict[str, Any] = {"kind": "fold", "cv": cv.run_id, "repeat": fold.repeat, "fold": fold.fold}
    if is_inner:
        place |= {"kind": "trial", "inner": fold_run.inner, "number": fold_run.number}
    seeds = {"seed": fold_run.config["seed"], "replicate": fold_run.seed}
    folder = RunFolder.create(
        cv.path,
        TRIALS if is_inner else FOLDS,  # thousands of them need not wait for the disk
        fold_run.name,
        config=fold_run.config,
        overrides=cv.overrides,
        manifest={**about, **place, **seeds, "params": fold_run.params},
    )
    folder.unlock()
    return folder


def _earlier(fold_run: FoldRun, folder: RunFolder, is_retrying: bool) -> FoldResult | None:
    """Return how a training ended in an earlier process; None where there is something to train."""
    done, manifest = result_of(folder), folder.manifest
    if done is not None:
        seconds = manifest.get("seconds", done["seconds"])
        return FoldResult(fold_run, _record(fold_run, folder, done), seconds, is_new=False)
    if is_retrying or manifest["status"] != Status.FAILED:
        return None
    return replace(_failed(fold_run, folder, manifest.get("reason", "")), is_new=False)


def _failed(fold_run: FoldRun, folder: RunFolder, reason: str) -> FoldResult:
    seconds = sum(record["seconds"] for record in folder.history())
    return FoldResult(fold_run, _record(fold_run, folder, {"status": "failed", "metrics": {}}), seconds, reason)


def _end(fold_run: FoldRun, folder: RunFolder, end: TrialEnd, size: int) -> FoldResult:
    result = folder.result if end.status != "failed" else None
    if result is None:
        return _failed(fold_run, folder, end.reason)
    seconds = result["seconds"] / size  # of a program's time, the share of each
    sealed = {} if folder.is_synced else {"sealed": checksums(folder)}
    folder.update_manifest(seconds=seconds, **sealed)
    return FoldResult(fold_run, _record(fold_run, folder, result), seconds)


def result_of(folder: RunFolder) -> dict[str, Any] | None:
    """Return the result of a training that is done; None when there is something to train."""
    result, status = folder.result, folder.manifest["status"]
    return result if result is not None and result["status"] == status and Status(status).is_over else None


def _record(fold_run: FoldRun, folder: RunFolder, result: dict[str, Any]) -> FoldRecord:
    return {
        "fold": fold_run.fold.fold,
        "repeat": fold_run.fold.repeat,
        "seed": fold_run.seed,
        "run_id": folder.run_id,
        "status": result["status"],
        "metrics": result["metrics"],
    }
