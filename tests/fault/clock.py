"""Tells a command that hangs from a machine that is busy: time in the queue for a CPU is the machine's."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing.forkserver import _forkserver
from pathlib import Path

import psutil

from tests.fault.promise import NotPossible

_EVERY = 0.5  # seconds between two looks, which cost a hundredth of a second
_MOST = 20  # times a limit that may pass altogether


class Clock:
    """Counts the seconds of a process and its descendants: computing and waiting, but not in the queue for a CPU.

    A loop without end and a wait without end both reach any limit, on a machine under any load. Where the system does
    not say how long a thread was in the queue (it is in Linux's `/proc/PID/task/*/schedstat`), all time counts.

    Args:
        pid: The process.
        queued: Returns the seconds that each thread was in the queue; for tests.
        now: Returns the time in seconds; for tests.
    """

    def __init__(
        self,
        pid: int,
        queued: Callable[[int], dict[str, float]] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pid, self._queued_of, self._now = pid, queued or queued_by_thread, now
        self._begin = self._at = now()
        self._before: dict[str, float] = {}
        self._queued = 0.0

    def seconds(self) -> float:
        """Return the seconds that count."""
        now = self._now()
        if now - self._at >= _EVERY:
            queued, self._at = self._queued_of(self._pid), now
            self._queued += max(
                (total - self._before.get(thread, 0.0) for thread, total in queued.items()), default=0.0
            )
            self._before = queued
        return max(0.0, now - self._begin - self._queued)

    def is_past(self, limit: float) -> bool:
        """Say whether more seconds than a limit count.

        Args:
            limit: In seconds.

        Raises:
            NotPossible: They do not, and the process was in the queue for most of many times as long.
        """
        if self.seconds() > limit:
            return True
        passed = self._now() - self._begin
        if passed > _MOST * limit:
            raise NotPossible(
                f"the machine was busy: {self.seconds():.0f} s of computing and waiting in {passed:.0f} s"
            )
        return False


def queued_by_thread(pid: int) -> dict[str, float]:
    """Return how many seconds each thread of a process and of its descendants was in the queue for a CPU.

    Workers are descendants of the server that `tests.fault.server.start_workers` starts: they count as well.
    """
    roots = [pid, *filter(None, [getattr(_forkserver, "_forkserver_pid", None)])]
    return {str(path): nanoseconds / 1e9 for root in roots for path, nanoseconds in _delays(root)}


def _delays(root: int) -> Iterator[tuple[Path, int]]:
    with suppress(psutil.Error):
        for member in [root, *(child.pid for child in psutil.Process(root).children(recursive=True))]:
            with suppress(OSError):  # the process has ended
                for path in Path(f"/proc/{member}/task").glob("*/schedstat"):
                    with suppress(OSError):  # the thread has ended
                        yield path, int(path.read_text().split()[1])
