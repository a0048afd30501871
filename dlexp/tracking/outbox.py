"""Sends a run while it trains; as a process for one run: ``python -m dlexp.tracking.outbox RUN_FOLDER``.

It follows the run folder until the manifest has a final status, or until nobody holds the run's lock any more, in
which case the run was killed and is ended as such. A server that is away is asked again and again, more and more
rarely, and once at the end.
"""

import os
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from dlexp.disk.regular import open_in_place
from dlexp.error import DlexpError, RunError
from dlexp.run.folder import LOG, MANIFEST, METRICS, RunFolder
from dlexp.run.lock import Lock
from dlexp.run.scan import close, run_paths
from dlexp.tracking.queue import Queue
from dlexp.tracking.sender import Sender
from dlexp.tracking.sent import Sent

if TYPE_CHECKING:
    from mlflow import MlflowClient

LOG_FILE = "outbox.log"  # in the run's folder: what mlflow raised
_POLL = 0.2  # seconds between looks at the folder
_REST = 1.0  # least seconds between two sendings
_SHARE = 5.0  # times the CPU seconds of a sending, likewise: to look through 10,000 trials takes a quarter of a second
_LONGEST_REST = 60.0
_LAST_ATTEMPTS = 3
PATIENCE = 120.0  # seconds for another sender of the same run to end


def send(
    folder: RunFolder,
    clients: "dict[str, MlflowClient]",
    patience: float = 0.0,
    other: str | None = None,
    timeout: float | None = None,
) -> str | None:
    """Send a run that has ended, or what there is of a running one, once.

    Args:
        folder: The run's folder.
        clients: Connections by URI, filled as needed.
        patience: Seconds to wait for another process that sends the same run.
        other: A store besides the one that the run is meant for.
        timeout: Seconds that the store may take to answer; None takes the run's `tracking.timeout`.

    Returns:
        What went wrong, in one line; None when MLflow has everything.

    Raises:
        RunError: Another process is sending the run.
    """
    lock = _lock(folder)
    lock.acquire(patience)
    try:
        return _attempt(Sender(folder, clients, other=other, timeout=timeout))
    finally:
        lock.release()


class Following:
    """A run that is sent until it ends; nobody else sends it meanwhile.

    Args:
        folder: The run's folder.
        clients: Connections by URI, shared with other runs.
        patience: Seconds to wait for another process that sends the same run.

    Attributes:
        problem: What went wrong the last time, in one line.

    Raises:
        RunError: Another process is sending the run.
    """

    def __init__(self, folder: RunFolder, clients: "dict[str, MlflowClient]", patience: float = 0.0) -> None:
        self.folder, self.problem = folder, None
        self._lock = _lock(folder)
        self._lock.acquire(patience)
        try:
            self._sender = Sender(folder, clients)
        except RunError:
            self._lock.release()
            raise
        self._rest, self._attempts = _REST, 0
        self._seen: tuple[int, ...] = ()
        self._last: float | None = None

    def step(self) -> bool:
        """Send what there is, if it is time; return whether the run has ended and no more is to be tried."""
        is_over = _is_over(self.folder)
        if not is_over and not self._is_due():
            return False
        self._seen = _signature(self.folder)
        is_first, began = self._last is None, time.process_time()
        self.problem = _attempt(self._sender)
        spent = 0.0 if is_first else time.process_time() - began  # the first one imports mlflow
        least = min(max(_REST, _SHARE * spent), _LONGEST_REST)
        self._last = time.monotonic()
        self._rest = least if self.problem is None else min(2 * self._rest, _LONGEST_REST)
        if self.problem is None and self._sender.sent.status is not None:
            return True
        self._attempts += is_over
        return (
            self.problem is not None and is_over and ("no answer" in self.problem or self._attempts >= _LAST_ATTEMPTS)
        )

    def _is_due(self) -> bool:
        if self._last is None:
            return True
        is_news = self.problem is not None or _signature(self.folder) != self._seen
        return is_news and time.monotonic() - self._last >= self._rest

    def close(self) -> None:
        """Let others send the run."""
        self._lock.release()


def follow(folder: RunFolder) -> str | None:
    """Send a run until it ends; return what went wrong at the end, in one line."""
    clients: dict[str, MlflowClient] = {}
    following, has_tidied = Following(folder, clients, PATIENCE), False
    while not following.step():
        if following.problem is None and not has_tidied:
            end_leftovers(folder.runs_dir, clients)
            has_tidied = True
        time.sleep(_POLL)
    following.close()
    return following.problem


def end_leftovers(runs_dir: Path, clients: "dict[str, MlflowClient]") -> None:
    """End in MLflow the runs that are RUNNING there, or wait to be sent, although their processes were killed."""
    waiting = {folder.path for folder in Queue(runs_dir).waiting()}
    for path in dict.fromkeys([*run_paths(runs_dir), *waiting]):
        folder = RunFolder(path)
        if path not in waiting and (not Sent.exists(folder) or Sent.read(folder).status is not None):
            continue
        try:
            if close(folder) or folder.manifest["status"] != "running":
                send(folder, clients)
        except RunError:
            continue  # in use, or damaged: not ours to end


def _attempt(sender: Sender) -> str | None:
    """Send; whatever goes wrong is recorded, since tracking may never stop training."""
    try:
        sender.push()
        return None
    except DlexpError as error:
        problem = str(error)
    except Exception as error:
        with open_in_place(sender.folder.path / LOG_FILE, "ab") as log:
            log.write(traceback.format_exc().encode(errors="backslashreplace"))
        problem = sender.explain(error)
    sender.fail(problem)
    return problem


def _is_over(folder: RunFolder) -> bool:
    """Say whether the run has ended; one whose process died is ended here."""
    return folder.manifest["status"] != "running" or close(folder)


def _signature(folder: RunFolder) -> tuple[int, ...]:
    """Return the times that change when there is something to send."""
    paths = (folder.path / MANIFEST, folder.path / METRICS, folder.path / LOG, folder.checkpoints / "last")
    return tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in paths)


def is_being_sent(folder: RunFolder) -> bool:
    """Say whether a living process sends the run."""
    return _lock(folder).is_held()


def _lock(folder: RunFolder) -> Lock:
    return Lock(folder.path / "outbox.lock")


def main() -> int:
    """Follow the run folder named on the command line."""
    os.nice(10)
    return 0 if follow(RunFolder.open(Path(sys.argv[1]))) is None else 1


if __name__ == "__main__":
    sys.exit(main())
