"""The trainings of cross-validations: run folders inside the cv's, begun, resumed or found done.

A cell is one training: a fold of one setting under one seed, or an inner fold of a nested cross-validation.
"""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlexp.config.space import JOB_GROUPS
from dlexp.data.dataset import Dataset
from dlexp.data.fold import Fold
from dlexp.execution.dispatcher import Crew
from dlexp.execution.executor import Assignment, End
from dlexp.execution.integrity import is_intact, seal
from dlexp.random import derive
from dlexp.run.folder import TRIALS, RunFolder
from dlexp.tracking.mlflow import NONE

FOLDER = "folds"
DONE = ("finished", "stopped_early", "diverged")
_OF_THE_CV = ("run_id", "slug", "status", "start", "end", "resumes", "monitor", "seeds", "form", "number", "config_dir")


@dataclass(frozen=True)
class Cell:
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
        setting = [] if self.number is None else [f"setting{self.number}", f"inner{self.inner}"]
        several = [f"seed{self.seed}"] if len(self.cv.manifest["seeds"]) > 1 else []
        return "-".join([*setting, self.fold.name, *several])


@dataclass(frozen=True)
class FoldEnd:
    """How one training ended.

    Attributes:
        cell: Which.
        record: `fold`, `repeat`, `seed`, `run_id`, `status`, `metrics`, as a cv's result has them.
        seconds: Of training, over all resumes.
        error: Why it failed, in one line; "" when it did not.
        is_new: False when an earlier process had done it.
    """

    cell: Cell
    record: dict[str, Any]
    seconds: float
    error: str = ""
    is_new: bool = True

    @property
    def fold(self) -> Fold:
        """Its fold."""
        return self.cell.fold


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
    own = derive(config["seed"] if seed is None else seed, "fold", *place.values()) % 2**31
    kept = {name: node for name, node in config.items() if name not in JOB_GROUPS}
    return {**kept, "seed": own, "tracking": tracking, "fold": place}


def train_cells(cells: Iterable[Cell], dataset: Dataset, crew: Crew) -> Iterator[FoldEnd]:
    """Yield a `FoldEnd` for each training, until all are done or the crew is to stop.

    First those that an earlier process did; then the others, in one program where that is faster, else one by one.
    One that fails is recorded and the others go on.

    Args:
        cells: Of any settings, folds and seeds.
        dataset: The whole data.
        crew: Has them trained.
    """
    known: dict[Path, dict[tuple[Any, ...], RunFolder]] = {}
    waiting: dict[Path, tuple[Cell, RunFolder]] = {}
    assignments = []
    for cell in cells:
        if cell.cv.path not in known:
            known[cell.cv.path] = _known(cell.cv)
        folder = known[cell.cv.path].get(cell.place)
        done = None if folder is None else result_of(folder)
        if folder is not None and done is not None:
            seconds = folder.manifest.get("seconds", done["seconds"])
            yield FoldEnd(cell, _record(cell, folder, done), seconds, is_new=False)
            continue
        folder = folder or _create(cell)
        crew.datasets.keep(cell.config, dataset.with_parts(cell.fold.train, cell.fold.val))
        waiting[folder.path] = cell, folder
        assignments.append(Assignment(cell.config, folder.path, "fold"))
    for heard in crew.train(assignments):
        if isinstance(heard, End):
            yield _end(*waiting[heard.path], heard)


def _known(cv: RunFolder) -> dict[tuple[Any, ...], RunFolder]:
    """Return the trainings in a cv's folder by their places; inner ones that a power cut damaged are dropped."""
    found = {}
    for child in cv.children():
        if not child.is_synced and not is_intact(child):
            shutil.rmtree(child.path)
            continue
        m = child.manifest
        if m["kind"] in ("fold", "trial"):
            found[m["repeat"], m["fold"], m["replicate"], m.get("inner"), m.get("number")] = child
    return found


def _create(cell: Cell) -> RunFolder:
    """Make a training's folder; the cv's lock covers it."""
    cv, fold, is_inner = cell.cv, cell.fold, cell.inner is not None
    about = {name: value for name, value in cv.manifest.items() if name not in _OF_THE_CV}
    place: dict[str, Any] = {"kind": "fold", "cv": cv.run_id, "repeat": fold.repeat, "fold": fold.fold}
    if is_inner:
        place |= {"kind": "trial", "inner": cell.inner, "number": cell.number}
    seeds = {"seed": cell.config["seed"], "replicate": cell.seed}
    folder = RunFolder.create(
        cv.path,
        TRIALS if is_inner else FOLDER,  # thousands of them need not wait for the disk
        cell.name,
        config=cell.config,
        overrides=cv.overrides,
        manifest={**about, **place, **seeds, "params": cell.params},
    )
    folder.unlock()
    return folder


def _end(cell: Cell, folder: RunFolder, end: End) -> FoldEnd:
    result = folder.result if end.status != "failed" else None
    if result is None:
        seconds = sum(record["seconds"] for record in folder.history())
        return FoldEnd(cell, _record(cell, folder, {"status": "failed", "metrics": {}}), seconds, end.reason)
    seconds = result["seconds"] / end.size  # of a program's time, the share of each
    sealed = {} if folder.is_synced else {"sealed": seal(folder)}
    folder.update_manifest(seconds=seconds, **sealed)
    return FoldEnd(cell, _record(cell, folder, result), seconds)


def result_of(folder: RunFolder) -> dict[str, Any] | None:
    """Return the result of a training that is done; None when there is something to train."""
    result, status = folder.result, folder.manifest["status"]
    return result if result is not None and result["status"] == status and status in DONE else None


def _record(cell: Cell, folder: RunFolder, result: dict[str, Any]) -> dict[str, Any]:
    identity = {"fold": cell.fold.fold, "repeat": cell.fold.repeat, "seed": cell.seed, "run_id": folder.run_id}
    return {**identity, "status": result["status"], "metrics": result["metrics"]}
