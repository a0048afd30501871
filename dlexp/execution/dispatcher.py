"""Has trials and folds trained: groups them by structure, chooses how and where each group trains, hands them out."""

import sys
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from dlexp import device as devices
from dlexp.build.dataset import Datasets
from dlexp.engine.event import TrialEnd
from dlexp.error import DiskFault
from dlexp.execution.assignment import Assignment, Begun, ExecutorEvent, Group, Halt, Survey, rest
from dlexp.execution.estimate import seconds
from dlexp.execution.executor import Executor, fail
from dlexp.execution.fusion import SOLO, Choice
from dlexp.execution.parcel.parcel import Returned
from dlexp.execution.parcel.post import Post
from dlexp.execution.plan.order import built, by_structure, divide, inexact, names, remarks
from dlexp.execution.plan.weight import largest_first
from dlexp.execution.retry import Retry
from dlexp.execution.survey import choose_all
from dlexp.launcher.launcher import Crew, Launcher
from dlexp.launcher.pool import Lost, Pool
from dlexp.number import noun
from dlexp.run.folder import RunFolder

HEAVY = ("torch", "torchvision", "sklearn.datasets", "pandas")  # imported for workers where they are imported here
# A start costs 3 to 5 s of one core, nearly all of it the server's imports (benchmarks/launcher.py): on two cores that
# is won back after 10 s of work; thrice that leaves room for estimates that are too long and cores that are not free.
WORTH_SECONDS = 30.0
ENGINES = "engines.json"  # in the sweep's or cv's folder: what was chosen, so that it goes on as it began


class Dispatcher:
    """Trains what it is given, wherever the folders are, in this process or in workers; a context that ends them.

    Args:
        holder: The sweep or cv whose lock covers the folders, and whose manifest has the CPU threads of trials that
            choose no other.
        should_stop: Asked after every update: the wish to stop.
        launcher: Where, and how many processes.
        detaches: Leave the trials to workers that outlive this process, as soon as they have them.

    Attributes:
        datasets: What is loaded, for assignments that come without their components.
        programs: Size and engine of each program that was begun.
        notes: For the user: where time chose between engines that round otherwise.
    """

    def __init__(
        self, holder: RunFolder, should_stop: Callable[[], bool], launcher: Launcher, *, detaches: bool = False
    ) -> None:
        self.detaches = detaches
        self.holder, self.should_stop, self.launcher = holder, should_stop, launcher
        self.datasets = Datasets()
        self.programs: list[Any] = []
        self.notes: list[str] = []
        self._executor = Executor(self.datasets)
        self._threads = holder.manifest.get("threads") or devices.TORCH_THREADS
        self._pool: Pool | None = None
        self._seconds = 0.0
        self._post = Post(launcher)
        self._is_elsewhere = False  # all work is, the choice of engines included

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
            Detached: The trials are with workers that outlive this process, which was asked for.
        """
        self._leave(assignments)
        in_hand = self._adopt(assignments)
        left = [built(each, self.datasets) for each in assignments if each.path not in in_hand]
        structures = self._choose(by_structure(left))
        num_workers = self._num_workers(structures)
        waiting = deque(largest_first(divide(structures, num_workers), num_workers))

        def take() -> Group | None:
            if not waiting or self.should_stop() or not may_begin():
                return None
            group = waiting.popleft()
            for assignment in group.assignments:
                begin(assignment)
            return group

        if num_workers > 1 or self._is_elsewhere:
            paths = {assignment.path for assignment in assignments}
            yield from self._train_elsewhere(waiting, take, may_begin, paths)
            return
        yield from self._train_here(take)

    def feed(
        self,
        first: list[Assignment],
        following: Callable[[], Assignment | None],
        may_begin: Callable[[], bool] = lambda: True,
        begin: Callable[[Assignment], None] = lambda _assignment: None,
    ) -> Iterator[ExecutorEvent]:
        """Train whatever is next as soon as a worker is free, each by itself; yield epochs and ends.

        Args:
            first: What an earlier process began.
            following: Returns the next; None when there is none until something ends, or none at all.
            may_begin: As of `train`.
            begin: As of `train`.

        Raises:
            DiskFault: The disk is full, or refuses for another reason.
        """
        fresh = deque(first) or deque(each for each in [following()] if each is not None)
        self._leave(list(fresh))
        in_hand = self._adopt(list(fresh))
        fresh = deque(each for each in fresh if each.path not in in_hand)
        paths = {assignment.path for assignment in [*first, *fresh]}
        lost: deque[Group] = deque()

        def draw() -> Group | None:
            if not fresh and self._pool is not None and len(in_hand) >= len(self._pool.places):
                return None  # a pool that takes all that there is would have all drawn from nothing
            assignment = fresh.popleft() if fresh else following()
            return None if assignment is None else Group([built(assignment, self.datasets)], SOLO, self._threads)

        def take() -> Group | None:
            if self.should_stop() or not may_begin() or (group := lost.popleft() if lost else draw()) is None:
                return None
            (assignment,) = group.assignments
            in_hand.add(assignment.path)
            paths.add(assignment.path)
            begin(assignment)
            return group

        if self._pool is None and fresh and len((places := self._places(fresh[0]))[0]) > 1:
            self._start(*places)
        told = self._train_here(take) if self._pool is None else self._train_elsewhere(lost, take, may_begin, paths)
        for event in told:
            if isinstance(event.event, TrialEnd):
                in_hand.discard(event.path)
            yield event

    def _places(self, assignment: Assignment) -> tuple[list[dict[str, str]], int]:
        """Return the launcher's places for trials like this, and their CPU threads."""
        trainer = assignment.config["trainer"]
        threads = devices.given_threads(trainer["threads"]) or self._threads
        return self.launcher.places(trainer["device"], threads), threads

    def _train_here(self, take: Callable[[], Group | None]) -> Iterator[ExecutorEvent]:
        while (group := take()) is not None:
            for event in self._executor.train(group, self.should_stop):
                yield from self._passed_on(event)

    def _passed_on(self, event: ExecutorEvent | Begun | Halt | Returned) -> Iterator[ExecutorEvent]:
        """Yield what is for the caller; note which program begins.

        Raises:
            DiskFault: Nothing more can be trained.
        """
        if isinstance(event, Halt):
            raise DiskFault(event.message)
        if isinstance(event, Begun):
            self.programs.append({"size": event.size, "engine": "solo" if event.engine == "solo" else "fused"})
            return
        if isinstance(event, Returned):
            self._post.receive(event)
            return
        yield self._post.settle(event)

    def _adopt(self, assignments: list[Assignment]) -> set[Path]:
        """Have the pool take on what an earlier driver began of these assignments; return the paths."""
        wanted = {(assignment.path, assignment.until) for assignment in assignments}
        in_hand: set[Path] = set()

        def choose(task: Group | Survey) -> Group | None:
            members = [] if isinstance(task, Survey) else task.assignments
            left = [each for each in members if (each.path, each.until) in wanted and each.path not in in_hand]
            in_hand.update(each.path for each in left)
            return Group(left, task.choice, task.threads) if isinstance(task, Group) and left else None

        if self._pool is not None and assignments:
            self._pool.adopt(choose)
        if in_hand:
            self.holder.log(f"{noun(len(in_hand), 'trial')} of an earlier command in hand")
        return in_hand

    def _choose(self, structures: list[list[Assignment]]) -> list[Group]:
        """Choose how each structure trains; the log tells why one trains alone, and why nothing could be chosen."""
        cache, record = self.holder.runs_dir / "fuse.json", self.holder.path / ENGINES
        surveys = [Survey(alike, self._threads, cache, record, number) for number, alike in enumerate(structures)]
        pool = self._pool if self._is_elsewhere else None
        answers = choose_all(surveys, self._executor, pool, self.should_stop, self._post.enclose_survey)
        return [self._grouped(alike, answers[number]) for number, alike in enumerate(structures)]

    def _grouped(self, alike: list[Assignment], choice: Choice | str) -> Group:
        if not isinstance(choice, Choice):
            self.holder.log(f"no engine could be chosen for {names(alike)}: {choice}; each trains alone")
            return Group(alike, SOLO, self._threads)
        for line in remarks(choice, alike):
            self.holder.log(line)
        if not choice.is_exact and (note := inexact(choice)) not in self.notes:
            self.notes.append(note)
            self.holder.log(note)
        return Group(alike, choice, self._threads)

    def _leave(self, assignments: list[Assignment]) -> None:
        """Have workers where all work is theirs: on GPUs, of which this process stays off, and on other machines."""
        if self._pool is not None or not assignments:
            return
        places, threads = self._places(assignments[0])
        if self.launcher.is_distant or any(places):
            self._is_elsewhere = True
            if not self.launcher.is_distant:
                self._threads = max(1, self._threads // len(places))
            self._start(places, threads)

    def _start(self, places: list[dict[str, str]], threads: int) -> None:
        preload = [*(name for name in HEAVY if name in sys.modules), Executor.__module__]
        crew = Crew(
            self._post.make_work, places, preload, self.holder.path.resolve(), self.holder.lock_descriptor, rest
        )
        self._pool = self.launcher.pool(crew, threads)
        self.holder.log(f"{noun(len(self._pool.places), 'worker process')}")

    def _num_workers(self, structures: list[Group]) -> int:
        """Return the number of processes that train, 1 for this one; the pool is there when they are more."""
        num_assignments = sum(len(group.assignments) for group in structures)
        if self._is_elsewhere and self._pool is not None:
            return max(1, min(len(self._pool.places), num_assignments))
        if num_assignments < 2:
            return 1
        places, threads = self._places(structures[0].assignments[0])
        if len(places) > 1 and self._pool is None and self._is_worth_it(structures):
            self._start(places, threads)
        return 1 if self._pool is None else min(len(places), num_assignments)

    def _is_worth_it(self, structures: list[Group]) -> bool:
        """Say whether workers are asked for, or will earn what their start costs.

        The work of earlier rounds counts too: it tells how long the later ones will be.
        """
        if self.launcher.num_asked is not None:
            return True
        try:
            self._seconds += seconds(structures)
        except Exception:  # what cannot be timed cannot be trained, and says so there
            return False
        return self._seconds >= WORTH_SECONDS

    def _train_elsewhere(
        self,
        waiting: deque[Group],
        take: Callable[[], Group | None],
        may_begin: Callable[[], bool],
        paths: set[Path],
    ) -> Iterator[ExecutorEvent]:
        """Pass on what workers tell of these paths; what one of them was lost over is trained once more.

        Others that an adopted task had are done, and known to be.
        """
        assert self._pool is not None
        self._pool.detaches = self.detaches
        retry = Retry()
        for event in self._pool.run(lambda: self._post.send(take()), self.should_stop, may_begin):
            if isinstance(event, Lost):
                groups, failed = retry.sort(self._post.reopen(event), has_place=bool(self._pool.places))
                waiting.extendleft(groups)
                yield from (fail(assignment.path, why) for assignment, why in failed)
                continue
            for told in self._passed_on(event):
                if isinstance(told.event, TrialEnd):
                    retry.note_end(told.path)
                if told.path in paths:
                    yield told
        while not self._pool.places and (group := take()) is not None:
            for assignment in group.assignments:
                yield fail(assignment.path, retry.reason(assignment) or "every device has failed twice")
