"""Trains trials or folds of equal structure: stacked in one program, or one after another.

Whatever the company, each trial writes its own run folder and goes on from its own checkpoint.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from dlexp.build.program import Assembled, assemble_group
from dlexp.data.dataset import Dataset
from dlexp.engine import checkpoint
from dlexp.engine.event import EpochEnd, Event, Progress, TrialEnd
from dlexp.engine.snapshot import restore
from dlexp.engine.train import Run
from dlexp.error import is_out_of_memory
from dlexp.execution import saved_model
from dlexp.execution.fusion import Choice
from dlexp.execution.stack_saver import make_saver
from dlexp.run.folder import RunFolder


@dataclass(frozen=True)
class Member:
    """One trial or fold.

    Attributes:
        config: Checked.
        dataset: Its data with its split.
        folder: Where it is written.
    """

    config: dict[str, Any]
    dataset: Dataset
    folder: RunFolder


@dataclass(frozen=True)
class Group:
    """Members that one program can train, and how they will be.

    Attributes:
        members: Of equal structure.
        choice: Engine and size.
    """

    members: list[Member]
    choice: Choice


@dataclass(frozen=True)
class GroupEvent:
    """An event of one member, or of a program's progress.

    Attributes:
        member: Whose; of a progress the first member's.
        event: What happened.
        engine: What trains it.
    """

    member: Member
    event: Progress | EpochEnd | TrialEnd
    engine: str


def train_group(group: Group, should_stop: Callable[[], bool] = lambda: False) -> Iterator[GroupEvent]:
    """Train a group's members from where their checkpoints are; each epoch is saved before it is told.

    Members that stand at different epochs train apart. A program that runs out of memory is halved, down to trials
    alone.

    Args:
        group: What to train.
        should_stop: Asked after every update; members then end as interrupted, with a checkpoint.
    """
    for level in _by_progress(group.members):
        size = group.choice.size
        for start in range(0, len(level), size):
            yield from _train_halving(level[start : start + size], group.choice.engine, should_stop)


def _by_progress(members: list[Member]) -> list[list[Member]]:
    """Part members by the instant of their checkpoints."""
    levels: dict[tuple[int, int], list[Member]] = {}
    for member in members:
        last = member.folder.checkpoints / "last"
        state = checkpoint.load(last)[1] if checkpoint.exists(last) else {"epoch": 0, "position": 0}
        levels.setdefault((state["epoch"], state["position"]), []).append(member)
    return [levels[key] for key in sorted(levels)]


def _train_halving(members: list[Member], engine: str, should_stop: Callable[[], bool]) -> Iterator[GroupEvent]:
    try:
        yield from _train_program(members, engine, should_stop)
        return
    except Exception as error:
        if len(members) == 1 or not is_out_of_memory(error):
            raise
    # outside the handler, whose traceback would keep the program's tensors alive
    half = len(members) // 2
    for part in (members[:half], members[half:]):
        waiting = [member for member in part if not _has_ended(member)]
        for level in _by_progress(waiting):
            yield from _train_halving(level, engine, should_stop)


def _has_ended(member: Member) -> bool:
    return member.folder.manifest["status"] != "running"


def _train_program(members: list[Member], engine: str, should_stop: Callable[[], bool]) -> Iterator[GroupEvent]:
    engine = "solo" if len(members) == 1 and engine == "graphed" else engine  # of the same kernels
    built = assemble_group([m.config for m in members], [m.dataset for m in members], engine)
    _restore(built, members)
    run = built.run
    for row, member in enumerate(members):
        saved_model.write(member.folder, member.dataset, built.affine, run.task, run.step.rules.loss, row)
        member.folder.log(f"device: {built.device_line}, {engine}")
        _record_engine(member.folder, engine)
    run.should_stop = should_stop
    for event in _saved(run, [member.folder for member in members]):
        yield GroupEvent(members[0 if isinstance(event, Progress) else event.trial], event, engine)


def _saved(run: Run, folders: list[RunFolder]) -> Iterator[Event]:
    """Yield a program's events, those of an epoch when it is saved."""
    saver = make_saver(run, folders)
    epoch: list[EpochEnd] = []
    try:
        for event in run.events():
            if isinstance(event, EpochEnd):
                epoch.append(event)
                if len(epoch) == len(run.trials):
                    saver.save(epoch)
                    yield from epoch
                    epoch = []
                continue
            if isinstance(event, TrialEnd):
                saver.part(event)
            yield event
    finally:
        saver.close()


def _record_engine(folder: RunFolder, engine: str) -> None:
    """Write which engine trains a trial, or in turn: `--verify-trial` takes the same."""
    before = folder.manifest.get("engine")
    if before is not None and before != engine and checkpoint.exists(folder.checkpoints / "last"):
        engine = f"{before} then {engine}"
    if before != engine:
        folder.update_manifest(engine=engine)


def _restore(built: Assembled, members: list[Member]) -> None:
    for row, member in enumerate(members):
        last = member.folder.checkpoints / "last"
        if checkpoint.exists(last):
            restore(built.run, *checkpoint.load(last, built.device), row=row)
        member.folder.truncate_history(built.run.epoch)
