"""The folds of a cross-validation: training runs in folders inside the cv's, begun, resumed or found done."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlexp.data.dataset import Dataset
from dlexp.data.fold import Fold
from dlexp.job.crew import Crew
from dlexp.job.execute import Assignment, End
from dlexp.job.interrupt import Interrupt
from dlexp.random import derive
from dlexp.tracker.folder import RunFolder
from dlexp.tracker.mlflow import NONE

FOLDER = "folds"
DONE = ("finished", "stopped_early", "diverged")
_OF_THE_CV = ("run_id", "slug", "status", "start", "end", "resumes", "monitor")


@dataclass(frozen=True)
class FoldEnd:
    """How one fold ended.

    Attributes:
        fold: Which.
        record: `fold`, `repeat`, `run_id`, `status`, `metrics`, as a cv's result has them.
        seconds: Of training, over all resumes.
        error: Why it failed, in one line; "" when it did not.
        is_new: False when an earlier process had done it.
    """

    fold: Fold
    record: dict[str, Any]
    seconds: float
    error: str = ""
    is_new: bool = True


def configure(config: dict[str, Any], fold: Fold) -> dict[str, Any]:
    """Return the configuration of one fold, with which it can be trained, resumed or evaluated by itself.

    Each fold has its own seed, so that the spread of the folds holds that of initialisation and order. The cv's own
    outbox sends the folds to MLflow.
    """
    tracking = {"_target_": NONE, "experiment": config["tracking"]["experiment"]}
    seed = derive(config["seed"], "fold", fold.repeat, fold.fold) % 2**31
    place = {"repeat": fold.repeat, "fold": fold.fold}
    return {**config, "seed": seed, "tracking": tracking, "fold": place}


def train_folds(
    cv: RunFolder, config: dict[str, Any], dataset: Dataset, folds: list[Fold], interrupt: Interrupt
) -> Iterator[FoldEnd]:
    """Yield a `FoldEnd` for each fold, until all are done or an interrupt comes.

    First those that an earlier process did; then the others, in one program where that is faster, else one by one.
    A fold's failure is recorded and makes the cv incomplete; the others go on.
    """
    known = {(m["repeat"], m["fold"]): child for child in cv.children() if (m := child.manifest)["kind"] == "fold"}
    crew = Crew(cv.runs_dir / "fuse.json", interrupt)
    waiting: dict[Path, tuple[Fold, RunFolder]] = {}
    assignments = []
    for fold in folds:
        folder = known.get((fold.repeat, fold.fold))
        done = None if folder is None else result_of(folder)
        if folder is not None and done is not None:
            yield FoldEnd(fold, _record(fold, folder, done), done["seconds"], is_new=False)
            continue
        own = configure(config, fold)
        folder = folder or _create(cv, own, fold)
        crew.datasets.keep(own, dataset.with_parts(fold.train, fold.val))
        waiting[folder.path] = fold, folder
        assignments.append(Assignment(own, folder.path, "fold"))
    for heard in crew.train(assignments):
        if isinstance(heard, End):
            yield _end(*waiting[heard.path], heard)


def _create(cv: RunFolder, config: dict[str, Any], fold: Fold) -> RunFolder:
    """Make a fold's folder; the cv's lock covers it."""
    about = {name: value for name, value in cv.manifest.items() if name not in _OF_THE_CV}
    place = {"kind": "fold", "cv": cv.run_id, "repeat": fold.repeat, "fold": fold.fold, "seed": config["seed"]}
    described = {**about, **place, "params": {}}
    folder = RunFolder.create(cv.path, FOLDER, fold.name, config=config, overrides=cv.overrides, manifest=described)
    folder.unlock()
    return folder


def _end(fold: Fold, folder: RunFolder, end: End) -> FoldEnd:
    result = folder.result if end.status != "failed" else None
    if result is None:
        seconds = sum(record["seconds"] for record in folder.history())
        return FoldEnd(fold, _record(fold, folder, {"status": "failed", "metrics": {}}), seconds, end.reason)
    return FoldEnd(fold, _record(fold, folder, result), result["seconds"] / end.size)


def result_of(folder: RunFolder) -> dict[str, Any] | None:
    """Return the result of a fold that is done; None when there is something to train."""
    result, status = folder.result, folder.manifest["status"]
    return result if result is not None and result["status"] == status and status in DONE else None


def _record(fold: Fold, folder: RunFolder, result: dict[str, Any]) -> dict[str, Any]:
    identity = {"fold": fold.fold, "repeat": fold.repeat, "run_id": folder.run_id}
    return {**identity, "status": result["status"], "metrics": result["metrics"]}
