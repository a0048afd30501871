"""A pool of worker processes, started when there is something for them to do.

They are forked from a server that has imported the heavy modules and done nothing with them: a start costs
milliseconds once the server is ready, and no worker inherits threads or a CUDA context.
"""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import connection as connections
from multiprocessing import forkserver, reduction, resource_tracker
from types import ModuleType
from typing import Any

from dlexp.launcher.pool import Lost, always
from dlexp.launcher.worker import DONE, STOP, Broken, NoRoom, Work, serve

POLL_SECONDS = 0.1  # between two looks at the wish to stop
MOST_FAILURES = 2  # of a device, after which nothing is done there; of its memory, nothing new until others take over
PATIENCE = 5.0  # seconds for a process to end
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class ProcessPool:
    """Worker processes of this one; close it, or use it as a context.

    Args:
        make_work: Called once in each process; see `dlexp.launcher.worker.serve`. A module's function or class.
        environments: Environment variables of each process; their number is that of the processes at most.
        preload: Modules that the server imports.
        descriptor: Stays open in every worker, as a lock that is held until the last of them is gone; None for none.
    """

    def __init__(
        self,
        make_work: Callable[[], Work],
        environments: list[dict[str, str]],
        preload: list[str],
        descriptor: int | None = None,
    ) -> None:
        self.detaches = False  # processes end with this one
        self.make_work = make_work
        self.environments = environments
        self.descriptor = descriptor
        self._context = multiprocessing.get_context("forkserver")
        self._workers: dict[int, _Worker] = {}
        self._failures = [0] * len(environments)  # of each place's device
        self._aside: list[_Aside] = []
        self._context.set_forkserver_preload(preload)
        _start_server()

    def adopt(self, choose: Callable[[Any], Any | None]) -> None:
        """Do nothing: workers end with their driver."""

    def run(
        self,
        take: Callable[[], Any | None],
        should_stop: Callable[[], bool],
        may_begin: Callable[[], bool] = always,
    ) -> Iterator[Any]:
        """Yield the events of tasks as they come, and `Lost` for one whose process died.

        Args:
            take: Returns the next task, or None when there is none, or none for now.
            should_stop: The wish to stop, passed on to the workers; once it is there no task is begun.
            may_begin: Whether a task may begin, which is asked when one is given to a worker.
        """
        is_told = False
        while True:
            if not should_stop() and may_begin():
                self._deal(take)
            busy = [worker for worker in self._workers.values() if worker.task is not None]
            if not busy:
                return
            if should_stop() and not is_told:
                is_told = True
                for worker in busy:
                    worker.tell(STOP)
            for ready in connections.wait([worker.connection for worker in busy], POLL_SECONDS):
                yield from self._hear(next(worker for worker in busy if worker.connection is ready))
            yield from self._stranded()

    def close(self) -> None:
        """End all workers, at once."""
        for worker in self._workers.values():
            worker.connection.close()
        for worker in self._workers.values():
            worker.end()
        self._workers.clear()

    @property
    def places(self) -> list[int]:
        """Places whose device has failed less than twice, those that never failed first."""
        sound = [place for place, failures in enumerate(self._failures) if failures < MOST_FAILURES]
        return sorted(sound, key=lambda place: self._failures[place])

    def _deal(self, take: Callable[[], Any | None]) -> None:
        has_more = True
        for place in self.places:
            worker = self._workers.get(place)
            if worker is not None and worker.task is not None:
                continue
            aside = self._from_aside(place)
            task = aside.task if aside is not None else take() if has_more and self._may_draw(place) else None
            if task is None:
                has_more = has_more and not self._may_draw(place)
                continue
            if worker is None:
                worker = self._workers[place] = self._start(self.environments[place])
            worker.task, worker.lacked = task, set() if aside is None else aside.places
            worker.tell(task)

    def _from_aside(self, place: int) -> "_Aside | None":
        """Return a task that other places lack the memory for."""
        aside = next((each for each in self._aside if place not in each.places), None)
        if aside is not None:
            self._aside.remove(aside)
        return aside

    def _may_draw(self, place: int) -> bool:
        """Say whether a place may have a new task: a full device would soon have had, and set aside, all that wait."""
        return sum(place in aside.places for aside in self._aside) < MOST_FAILURES

    def _stranded(self) -> Iterator[Lost]:
        """Yield the tasks for which no place is left that may have the memory."""
        stranded = [aside for aside in self._aside if not set(self.places) - aside.places]
        self._aside = [aside for aside in self._aside if aside not in stranded]
        yield from (Lost(aside.task, aside.why, "memory") for aside in stranded)

    def _start(self, environment: dict[str, str]) -> "_Worker":
        mine, its = self._context.Pipe()
        held = None if self.descriptor is None else _Held(self.descriptor)
        process = self._context.Process(target=serve, args=(its, self.make_work, environment, held), daemon=True)
        with _without_main():
            process.start()
        its.close()
        return _Worker(process, mine)

    def _hear(self, worker: "_Worker") -> Iterator[Any]:
        try:
            message = worker.connection.recv()
        except (EOFError, OSError):
            task, why = worker.task, worker.end()
            self._workers = {place: other for place, other in self._workers.items() if other is not worker}
            yield Lost(task, f"{why}: {worker.broken.why}", "device") if worker.broken else Lost(task, why)
            return
        if message == DONE:
            worker.task = None
        elif isinstance(message, NoRoom):
            self._aside.append(_Aside(message.task, message.why, worker.lacked | {self._place_of(worker)}))
        elif isinstance(message, Broken):
            worker.broken = message
            self._failures[self._place_of(worker)] += 1
        else:
            yield message

    def _place_of(self, worker: "_Worker") -> int:
        return next(place for place, other in self._workers.items() if other is worker)


@dataclass(eq=False)
class _Aside:
    """A task for another place than these, whose memory did not suffice for it."""

    task: Any
    why: str
    places: set[int]


@dataclass
class _Worker:
    process: Any
    connection: connections.Connection
    task: Any = None
    lacked: set[int] = field(default_factory=set)  # places that lacked memory for the task
    broken: Broken | None = None

    def tell(self, message: Any) -> None:
        """Send a message; that the process is gone is noticed when it is listened to."""
        try:
            self.connection.send(message)
        except OSError:
            return

    def end(self) -> str:
        """Wait for the process to end, or end it; return what ended it."""
        self.connection.close()
        self.process.join(PATIENCE)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()
        code = self.process.exitcode or 0
        how = f"signal {-code} ({signal.Signals(-code).name})" if code < 0 else f"exit code {code}"
        return f"worker process {self.process.pid} was ended by {how}"


class _Held:
    """A descriptor on its way to a process that is being started."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def __reduce__(self) -> Any:
        return _pass_on, (reduction.DupFd(self.descriptor),)


def _pass_on(duplicate: Any) -> Any:
    return duplicate


@contextmanager
def _without_main() -> Iterator[None]:
    """Hide the program from a process that is being started, which would import it and whatever it imports."""
    program = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = program


def _start_server() -> None:
    """Start the server with the signals of the terminal blocked: its children inherit that and hear of stops from here.

    Blocked and not ignored, and only while it starts: a signal that comes meanwhile reaches this process afterwards.
    Python's safe path keeps the server from importing what lies in the working directory, a folder called dlexp there.
    """
    safe = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    resource_tracker.ensure_running()  # would be started by the server's start, and unblocks the signals
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if safe is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = safe
