"""One fold of a cross-validation: a training run in its own folder inside the cv's, begun, resumed or found done."""

from dataclasses import dataclass
from typing import Any

from dlexp.data.dataset import Dataset
from dlexp.data.fold import Fold
from dlexp.job import train
from dlexp.job.assemble import assemble
from dlexp.job.interrupt import Interrupt
from dlexp.random import derive
from dlexp.tracker.folder import RunFolder
from dlexp.tracker.mlflow import NONE

FOLDER = "folds"
DONE = ("finished", "stopped_early", "diverged")


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
) -> Any:
    """Yield a `FoldEnd` for each fold, those that are done already first, until all are or an interrupt comes."""
    known = {(m["repeat"], m["fold"]): child for child in cv.children() if (m := child.manifest)["kind"] == "fold"}
    for fold in folds:
        if interrupt():
            return
        yield _train_fold(cv, configure(config, fold), dataset, fold, known.get((fold.repeat, fold.fold)), interrupt)


def _train_fold(
    cv: RunFolder,
    config: dict[str, Any],
    dataset: Dataset,
    fold: Fold,
    folder: RunFolder | None,
    interrupt: Interrupt,
) -> FoldEnd:
    done = None if folder is None else _result_of(folder)
    if done is not None and folder is not None:
        return FoldEnd(fold, _record(fold, folder, done), done["seconds"], is_new=False)
    built = assemble(config, dataset.with_parts(fold.train, fold.val))
    if folder is None:
        described = {"kind": "fold", "params": {}, **train.describe(built, config)}
        place = {"experiment": cv.manifest["experiment"], "cv": cv.run_id, "repeat": fold.repeat, "fold": fold.fold}
        folder = RunFolder.create(
            cv.path, FOLDER, fold.name, config=config, overrides=cv.overrides, manifest={**described, **place}
        )
        train.write_parts(folder, built.dataset)
    else:
        folder.lock()
        train.write_parts(folder, built.dataset)
        train.rewind(built, folder)
    try:
        result = train.carry_out(built, folder, _no_listener, interrupt, has_figures=False).result
    except Exception as error:
        # One fold's failure is recorded and makes the cv incomplete; it must not take the others with it.
        failed = {"status": "failed", "metrics": {}}
        return FoldEnd(fold, _record(fold, folder, failed), built.run.elapsed, f"{type(error).__name__}: {error}")
    finally:
        folder.unlock()
    return FoldEnd(fold, _record(fold, folder, result), result["seconds"])


def _result_of(folder: RunFolder) -> dict[str, Any] | None:
    result, status = folder.result, folder.manifest["status"]
    return result if result is not None and result["status"] == status and status in DONE else None


def _record(fold: Fold, folder: RunFolder, result: dict[str, Any]) -> dict[str, Any]:
    identity = {"fold": fold.fold, "repeat": fold.repeat, "run_id": folder.run_id}
    return {**identity, "status": result["status"], "metrics": result["metrics"]}


def _no_listener(_about: train.Announcement) -> train.Listener:
    return lambda _event: None
