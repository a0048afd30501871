"""Trains trials or folds of equal structure: stacked in one program, or one after another.

Whatever the company, each trial writes its own run folder and goes on from its own checkpoint.
"""

from collections.abc import Callable, Iterator

import torch

from dlexp.build.program import Program, make_program
from dlexp.engine import checkpoint
from dlexp.engine.event import EpochEnd, Event, Progress, TrialEnd
from dlexp.engine.snapshot import restore
from dlexp.engine.train import Run
from dlexp.error import is_out_of_memory
from dlexp.execution.assignment import Assignment, Begun, Group
from dlexp.execution.save import saved_model
from dlexp.execution.save.saver import require_space
from dlexp.execution.save.stack_saver import make_saver
from dlexp.run.folder import RunFolder

# whose event it is (a progress or a beginning is the first's), and what trains it
GroupEvent = tuple[Assignment, Event | Begun, Program]


def train_group(
    group: Group, should_stop: Callable[[], bool] = lambda: False, limits: dict[str, int] | None = None
) -> Iterator[GroupEvent]:
    """Train a group's trials from where their checkpoints are; each epoch is saved before it is told.

    Trials that stand at different epochs train apart. A program that runs out of memory is halved, down to trials
    alone.

    Args:
        group: What to train; its assignments have their components.
        should_stop: Asked after every update; trials then end as interrupted, with a checkpoint.
        limits: Trials at once by structure, where more ran out of memory; it is read and added to.
    """
    limits = {} if limits is None else limits
    for level in _by_progress(group.assignments):
        yield from _train_pieces(level, group.choice.size, group.choice.engine, should_stop, limits)


def _train_pieces(
    level: list[Assignment], size: int, engine: str, should_stop: Callable[[], bool], limits: dict[str, int]
) -> Iterator[GroupEvent]:
    """Train assignments of equal progress, at most so many at once, and no more than are known to fit."""
    waiting = level
    while waiting:
        num = min(size, limits.get(waiting[0].components.structure, size))
        yield from _train_halving(waiting[:num], engine, should_stop, limits)
        waiting = waiting[num:]


def _by_progress(assignments: list[Assignment]) -> list[list[Assignment]]:
    """Divide assignments by the instant of their checkpoints."""
    levels: dict[tuple[int, int], list[Assignment]] = {}
    for assignment in assignments:
        last = assignment.folder.checkpoints / "last"
        state = checkpoint.load(last)[1] if checkpoint.exists(last) else {"epoch": 0, "position": 0}
        levels.setdefault((state["epoch"], state["position"]), []).append(assignment)
    return [levels[key] for key in sorted(levels)]


def _train_halving(
    assignments: list[Assignment], engine: str, should_stop: Callable[[], bool], limits: dict[str, int]
) -> Iterator[GroupEvent]:
    try:
        yield from _train_program(assignments, engine, should_stop)
        return
    except Exception as error:
        if len(assignments) == 1 or not is_out_of_memory(error):
            raise
    # outside the handler, whose traceback would keep the program's tensors alive
    half = -(-len(assignments) // 2)
    limits[assignments[0].components.structure] = half
    waiting = [assignment for assignment in assignments if not _has_ended(assignment)]
    for level in _by_progress(waiting):
        yield from _train_pieces(level, half, engine, should_stop, limits)


def _has_ended(assignment: Assignment) -> bool:
    return assignment.folder.manifest["status"] != "running"


def _train_program(assignments: list[Assignment], engine: str, should_stop: Callable[[], bool]) -> Iterator[GroupEvent]:
    engine = "solo" if len(assignments) == 1 and engine == "graphed" else engine  # of the same kernels
    program = make_program([assignment.components for assignment in assignments], engine)
    folders = [assignment.folder for assignment in assignments]
    _restore(program, folders)
    run = program.run
    require_space(run, folders[0].path)
    for row, folder in enumerate(folders):
        data = program.components[row].data
        saved_model.write(folder, data, program.affine, run.task, run.step.rules.loss, program.model, row)
        folder.log(f"device: {program.device_line}, {engine}")
        _record_engine(folder, engine, torch.get_num_threads() if program.device.type == "cpu" else None)
    run.should_stop = should_stop
    yield assignments[0], Begun(len(assignments), engine), program
    for event in _saved(run, assignments):
        yield assignments[0 if isinstance(event, Progress) else event.trial], event, program


def _saved(run: Run, assignments: list[Assignment]) -> Iterator[Event]:
    """Yield a program's events, those of an epoch when it is saved.

    Raises:
        Superseded: Other workers were given the trials meanwhile.
    """
    saver = make_saver(run, [assignment.folder for assignment in assignments])
    epoch: list[EpochEnd] = []
    try:
        for event in run.events():
            if isinstance(event, EpochEnd):
                epoch.append(event)
                if len(epoch) == len(run.rows):
                    for assignment in assignments:
                        assignment.require_current()
                    saver.save(epoch)
                    yield from epoch
                    epoch = []
                continue
            if isinstance(event, TrialEnd):
                saver.leave(event)
            yield event
    finally:
        saver.close()


def _record_engine(folder: RunFolder, engine: str, threads: int | None) -> None:
    """Write which engine trains a trial, or in turn, and with how many threads: `--verify-trial` takes the same."""
    manifest = folder.manifest
    before = manifest.get("engine")
    if before is not None and before != engine and checkpoint.exists(folder.checkpoints / "last"):
        engine = f"{before} then {engine}"
    if (before, manifest.get("threads")) != (engine, threads):
        folder.update_manifest(engine=engine, threads=threads)


def _restore(program: Program, folders: list[RunFolder]) -> None:
    for row, folder in enumerate(folders):
        last = folder.checkpoints / "last"
        if checkpoint.exists(last):
            restore(program.run, *checkpoint.load(last, program.device), row=row)
        folder.truncate_history(program.run.epoch)
