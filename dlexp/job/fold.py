"""The folds of a cross-validation: training runs in folders inside the cv's, begun, resumed or found done."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlexp.data.dataset import Dataset
from dlexp.data.fold import Fold
from dlexp.engine import checkpoint
from dlexp.engine.event import TrialEnd
from dlexp.engine.snapshot import restore
from dlexp.job import train
from dlexp.job.assemble import Assembled, assemble
from dlexp.job.finish import conclude
from dlexp.job.fuse import SOLO
from dlexp.job.group import Group, Member, plan_groups, train_group
from dlexp.job.interrupt import Interrupt
from dlexp.random import derive
from dlexp.tracker.folder import RunFolder
from dlexp.tracker.manifest import now
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
    waiting: dict[Path, tuple[Fold, Member]] = {}
    for fold in folds:
        folder = known.get((fold.repeat, fold.fold))
        done = None if folder is None else _result_of(folder)
        if folder is not None and done is not None:
            yield FoldEnd(fold, _record(fold, folder, done), done["seconds"], is_new=False)
            continue
        member = _member(cv, configure(config, fold), dataset.with_parts(fold.train, fold.val), fold, folder)
        waiting[member.folder.path] = fold, member
    for group in _plan([member for _, member in waiting.values()], cv.runs_dir / "fuse.json"):
        size = group.choice.size
        for start in range(0, len(group.members), size):
            if group.choice.engine != "solo" and not interrupt():
                program = Group(group.members[start : start + size], group.choice)
                yield from _train_together(program, waiting, interrupt)
        for member in group.members:
            if member.folder.path in waiting and not interrupt():
                fold, _ = waiting.pop(member.folder.path)
                yield _train_alone(fold, member, interrupt)


def _plan(members: list[Member], cache: Path) -> list[Group]:
    """Choose how folds train; where that fails, one by one, so that each says why."""
    try:
        return plan_groups(members, cache)
    except Exception:
        return [Group([member], SOLO) for member in members]


def _member(cv: RunFolder, config: dict[str, Any], dataset: Dataset, fold: Fold, folder: RunFolder | None) -> Member:
    """Return a fold with its folder, made or to be gone on with; the cv's lock covers it."""
    if folder is None:
        about = {name: value for name, value in cv.manifest.items() if name not in _OF_THE_CV}
        place = {"kind": "fold", "cv": cv.run_id, "repeat": fold.repeat, "fold": fold.fold, "seed": config["seed"]}
        described = {**about, **place, "params": {}}
        folder = RunFolder.create(cv.path, FOLDER, fold.name, config=config, overrides=cv.overrides, manifest=described)
        folder.unlock()
    train.write_parts(folder, dataset)
    return Member(config, dataset, folder)


def _train_together(group: Group, waiting: dict[Path, tuple[Fold, Member]], interrupt: Interrupt) -> Iterator[FoldEnd]:
    """Train a group as one program and take those that ended from `waiting`; a failure leaves the others there."""
    for member in group.members:
        _reopen(member.folder)
    try:
        for told in train_group(group, interrupt):
            if isinstance(told.event, TrialEnd):
                fold, member = waiting[told.member.folder.path]
                end = _conclude(fold, member, told.event, len(group.members))
                del waiting[member.folder.path]
                yield end
    except Exception as error:
        for member in group.members:
            if member.folder.path in waiting:
                member.folder.log(f"trained together with others: {type(error).__name__}: {error}; now alone")


def _conclude(fold: Fold, member: Member, end: TrialEnd, size: int) -> FoldEnd:
    """Evaluate what a fold of a program of some size ended with, as if it had been trained alone."""
    folder = member.folder
    built = _assemble(member)
    result = conclude(built, folder, end, seed=member.config["seed"], open_test=False, has_figures=False)
    folder.log(f"{end.status} {end.reason}".rstrip())
    folder.update_manifest(status=end.status, end=now())
    return FoldEnd(fold, _record(fold, folder, result), result["seconds"] / size)


def _train_alone(fold: Fold, member: Member, interrupt: Interrupt) -> FoldEnd:
    folder = member.folder
    built = _assemble(member)
    _reopen(folder)
    folder.truncate_history(built.run.epoch)
    try:
        result = train.carry_out(built, folder, _no_listener, interrupt, has_figures=False).result
    except Exception as error:
        failed = {"status": "failed", "metrics": {}}
        return FoldEnd(fold, _record(fold, folder, failed), built.run.elapsed, f"{type(error).__name__}: {error}")
    return FoldEnd(fold, _record(fold, folder, result), result["seconds"])


def _assemble(member: Member) -> Assembled:
    """Build a fold's run at its last checkpoint, or at its beginning."""
    built = assemble(member.config, member.dataset)
    if checkpoint.exists(last := member.folder.checkpoints / "last"):
        restore(built.run, *checkpoint.load(last, built.device))
    return built


def _reopen(folder: RunFolder) -> None:
    manifest = folder.manifest
    resumes = manifest["resumes"] + checkpoint.exists(folder.checkpoints / "last")
    folder.update_manifest(status="running", end=None, resumes=resumes)


def _result_of(folder: RunFolder) -> dict[str, Any] | None:
    result, status = folder.result, folder.manifest["status"]
    return result if result is not None and result["status"] == status and status in DONE else None


def _record(fold: Fold, folder: RunFolder, result: dict[str, Any]) -> dict[str, Any]:
    identity = {"fold": fold.fold, "repeat": fold.repeat, "run_id": folder.run_id}
    return {**identity, "status": result["status"], "metrics": result["metrics"]}


def _no_listener(_about: train.Announcement) -> train.Listener:
    return lambda _event: None
