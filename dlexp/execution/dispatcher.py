"""Has trials and folds trained: groups them by structure, chooses how and where each group trains, hands them out."""

import sys
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

import torch

from dlexp.build.components import Components
from dlexp.build.dataset import Datasets
from dlexp.engine.event import TrialEnd
from dlexp.error import DiskFault
from dlexp.execution.assignment import Assignment, ExecutorEvent, Group, Halt
from dlexp.execution.estimate import seconds
from dlexp.execution.executor import Executor, explain, fail
from dlexp.execution.fusion import SOLO, choose
from dlexp.launcher.local import Local
from dlexp.launcher.pool import Lost, Pool
from dlexp.run.folder import RunFolder

HEAVY = ("torch", "torchvision", "sklearn.datasets", "pandas")  # imported for workers where they are imported here
# A start costs 3 to 5 s of one core, nearly all of it the server's imports (benchmarks/launcher.py): on two cores that
# is won back after 10 s of work; thrice that leaves room for estimates that are too long and cores that are not free.
WORTH_SECONDS = 30.0
ENGINES = "engines.json"  # in the sweep's or cv's folder: what was chosen, so that it goes on as it began
INEXACT = (
    "trainer.fuse=auto: time chose the engine {} among some that differ in the last digits, so a new run may differ; "
    "trainer.fuse=off does not"
)


class Dispatcher:
    """Trains what it is given, wherever the folders are, in this process or in workers; a context that ends them.

    Args:
        holder: The sweep or cv whose lock covers the folders.
        should_stop: Asked after every update: the wish to stop.
        launcher: How many processes.

    Attributes:
        datasets: What is loaded, for assignments that come without their components.
        programs: Size and engine of each program that was begun.
        notes: For the user: where time chose between engines that round otherwise.
    """

    def __init__(self, holder: RunFolder, should_stop: Callable[[], bool], launcher: Local) -> None:
        self.holder, self.should_stop, self.launcher = holder, should_stop, launcher
        self.datasets = Datasets()
        self.programs: list[Any] = []
        self.notes: list[str] = []
        self._executor = Executor(self.datasets)
        self._threads = torch.get_num_threads()
        self._pool: Pool | None = None
        self._seconds = 0.0

    def __enter__(self) -> "Dispatcher":
        """Return the dispatcher; workers start when they are first worth it."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End all workers, at once."""
        if self._pool is not None:
            self._pool.close()

    def train(
        self,
        assignments: list[Assignment],
        may_begin: Callable[[], bool] = lambda: True,
        begin: Callable[[Assignment], None] = lambda _assignment: None,
    ) -> Iterator[ExecutorEvent]:
        """Train trials or folds, those of equal structure together where that is faster; yield epochs and ends.

        One that fails is recorded and the others go on, unless the disk refuses. Neither company nor process nor order
        changes a number.

        Args:
            assignments: What to train, in folders that no other process writes to.
            may_begin: Asked before each group; False begins no more.
            begin: Called for each assignment when its group is handed out: its folder has to be there then.

        Raises:
            DiskFault: The disk is full, or refuses for another reason.
        """
        structures = [self._choose(alike) for alike in self._by_structure(assignments)]
        num_workers = self._num_workers(structures)
        waiting = deque(_divide(structures, num_workers))

        def take() -> Group | None:
            if not waiting or self.should_stop() or not may_begin():
                return None
            group = waiting.popleft()
            for assignment in group.assignments:
                begin(assignment)
            engine = "solo" if group.choice.engine == "solo" else "fused"
            self.programs.append({"size": len(group.assignments), "engine": engine})
            return group

        if num_workers > 1:
            yield from self._train_elsewhere(waiting, take)
            return
        while (group := take()) is not None:
            for event in self._executor(group, self.should_stop):
                yield _unless_halted(event)

    def _by_structure(self, assignments: list[Assignment]) -> list[list[Assignment]]:
        """Divide assignments by structure and pause, in order of first appearance; all get their components."""
        alike: dict[tuple[str, int | None], list[Assignment]] = {}
        for assignment in assignments:
            built = assignment.built or Components(assignment.config, self.datasets(assignment.config))
            alike.setdefault((built.structure, assignment.until), []).append(replace(assignment, built=built))
        return list(alike.values())

    def _choose(self, alike: list[Assignment]) -> Group:
        """Choose how a structure trains; the log tells why trials are not stacked, and why an engine cannot be chosen."""
        components = [assignment.components for assignment in alike]
        try:
            choice = choose(components, self.holder.runs_dir / "fuse.json", self.holder.path / ENGINES)
        except Exception as error:
            self.holder.log(f"no engine could be chosen for {_names(alike)}: {explain(error)}; each trains alone")
            return Group(alike, SOLO, self._threads)
        if choice.engine == "solo" and len(alike) > 1:
            self.holder.log(f"{_names(alike)}: each trains alone, because {choice.reason}")
        if not choice.is_exact and INEXACT.format(choice.engine) not in self.notes:
            self.notes.append(INEXACT.format(choice.engine))
            self.holder.log(self.notes[-1])
        return Group(alike, choice, self._threads)

    def _num_workers(self, structures: list[Group]) -> int:
        """Return the number of processes that train, 1 for this one; the pool is there when they are more."""
        num_assignments = sum(len(group.assignments) for group in structures)
        if num_assignments < 2:
            return 1
        trainer = structures[0].assignments[0].config["trainer"]
        places = self.launcher.places(trainer["device"], trainer["threads"] or self._threads)
        if len(places) > 1 and self._pool is None and self._is_worth_it(places, structures):
            preload = [name for name in HEAVY if name in sys.modules]
            self._pool = Pool(Executor, places, [*preload, Executor.__module__], self.holder.lock_descriptor)
            self.holder.log(f"{len(places)} worker processes")
        return 1 if self._pool is None else min(len(places), num_assignments)

    def _is_worth_it(self, places: list[dict[str, str]], structures: list[Group]) -> bool:
        """Say whether workers are asked for, or are other devices, or will earn what their start costs.

        The work of earlier rounds counts too: it tells how long the later ones will be.
        """
        if self.launcher.workers is not None or any(places):
            return True
        try:
            self._seconds += seconds(structures)
        except Exception:  # what cannot be timed cannot be trained, and says so there
            return False
        return self._seconds >= WORTH_SECONDS

    def _train_elsewhere(self, waiting: deque[Group], take: Callable[[], Group | None]) -> Iterator[ExecutorEvent]:
        """Pass on what workers tell; what one of them was lost over is trained once more, each by itself."""
        assert self._pool is not None
        ended: set[Path] = set()
        lost: dict[Path, str] = {}
        for event in self._pool.run(take, self.should_stop):
            if not isinstance(event, Lost):
                event = _unless_halted(event)
                if isinstance(event.event, TrialEnd):
                    ended.add(event.path)
                yield event
                continue
            for single in event.task.apart(event.task.choice):
                (assignment,) = single.assignments
                if assignment.path in ended:
                    continue
                if assignment.path in lost:
                    yield fail(assignment, f"{lost[assignment.path]}; then {event.why}")
                else:
                    lost[assignment.path] = event.why
                    assignment.folder.log(f"{event.why}; once more in another")
                    waiting.appendleft(single)


def _unless_halted(event: ExecutorEvent | Halt) -> ExecutorEvent:
    if isinstance(event, Halt):
        raise DiskFault(event.message)
    return event


def _divide(structures: list[Group], num_workers: int) -> list[Group]:
    """Divide groups into those of one program each, none larger than a worker's share of its structure."""
    divided = []
    for group in structures:
        whole = group.assignments
        size = min(group.choice.size, -(-len(whole) // num_workers))
        divided += [replace(group, assignments=whole[start : start + size]) for start in range(0, len(whole), size)]
    return divided


def _names(alike: list[Assignment]) -> str:
    first, *others = (assignment.path.name for assignment in alike)
    return f"{first} and {len(others)} more" if others else first
