"""Sends all runs of a runs folder whose store is a database: ``python -m dlexp.tracking.courier RUNS_DIR``.

The first command starts it; those that come while it works, and for seconds after, leave their runs to it.
"""

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from dlexp.error import RunError
from dlexp.run.folder import RunFolder
from dlexp.tracking.outbox import Following, end_leftovers, is_being_sent
from dlexp.tracking.queue import Queue
from dlexp.tracking.request.load import exclude_pandas

if TYPE_CHECKING:
    from mlflow import MlflowClient

_POLL = 0.2  # seconds between looks
_LINGER = 5.0  # seconds without work before the end: the next command of a script finds mlflow imported


def serve(runs_dir: Path, linger: float = _LINGER) -> None:
    """Send the runs of a queue until there are none; return at once where another process does.

    Args:
        runs_dir: Folder of all runs.
        linger: Seconds without work before the end.
    """
    queue = Queue(runs_dir)
    while queue.waiting():  # a run that came at the very end, when its command saw this process alive, starts it anew
        try:
            queue.lock.acquire(0)
        except RunError:
            return
        current = _Round(queue)
        try:
            current.work(linger)
        finally:
            current.close()
            queue.lock.release()


class _Round:
    """What one process sends."""

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        self.clients: dict[str, MlflowClient] = {}
        self.followed: dict[Path, Following] = {}
        self.has_tidied = False

    def work(self, linger: float) -> None:
        """Send until there was nothing to send for `linger` seconds."""
        worked = time.monotonic()
        while self.queue.runs_dir.exists():
            for folder in self.queue.waiting():
                self._begin(folder)
            if self.followed:
                for path in list(self.followed):
                    self._step(path)
                worked = time.monotonic()
            elif time.monotonic() - worked > linger:
                return
            time.sleep(_POLL)

    def close(self) -> None:
        """Let others send what is left."""
        for following in self.followed.values():
            following.close()

    def _begin(self, folder: RunFolder) -> None:
        if folder.path in self.followed:
            return
        try:
            self.followed[folder.path] = Following(folder, self.clients)
        except RunError:
            if not is_being_sent(folder):  # else `dlexp sync` sends it just now
                self.queue.remove(folder)  # damaged

    def _step(self, path: Path) -> None:
        following = self.followed[path]
        try:
            is_done = following.step()
        except (RunError, OSError):  # damaged, or taken away
            is_done = True
        if is_done:
            following.close()
            del self.followed[path]
            _strike_off(self.queue, following.folder)
        elif following.problem is None and not self.has_tidied:
            end_leftovers(self.queue.runs_dir, self.clients)
            self.has_tidied = True


def _strike_off(queue: Queue, folder: RunFolder) -> None:
    """Take a run off the list, unless it was resumed, and with that listed anew, since it was looked at."""
    queue.remove(folder)
    try:
        if folder.manifest["status"] == "running" and folder.is_locked():
            queue.add(folder)
    except RunError:
        return


def main() -> None:
    """Send the runs of the folder named on the command line."""
    os.nice(10)
    exclude_pandas()
    serve(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
