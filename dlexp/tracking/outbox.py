"""The process that sends one run while it trains: ``python -m dlexp.tracking.outbox RUN_FOLDER``.

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

from dlexp.error import DlexpError, RunError, first_line
from dlexp.run.folder import LOG, MANIFEST, METRICS, RunFolder
from dlexp.run.lock import Lock
from dlexp.run.scan import close, run_paths
from dlexp.tracking.sender import Sender
from dlexp.tracking.sent import Sent

if TYPE_CHECKING:
    from mlflow import MlflowClient

_POLL = 0.2  # seconds between looks at the folder
_REST = 1.0  # least seconds between two sendings
_LONGEST_REST = 60.0
_LAST_ATTEMPTS = 3
_PATIENCE = 120.0  # seconds for another sender of the same run to end


def send(
    folder: RunFolder, clients: "dict[str, MlflowClient]", patience: float = 0.0, other: str | None = None
) -> str | None:
    """Send a run that has ended, or what there is of a running one, once.

    Args:
        folder: The run's folder.
        clients: Connections by URI, filled as needed.
        patience: Seconds to wait for another process that sends the same run.
        other: A store besides the one that the run is meant for.

    Returns:
        What went wrong, in one line; None when MLflow has everything.

    Raises:
        RunError: Another process is sending the run.
    """
    with _exclusive(folder, patience):
        return _attempt(Sender(folder, clients, other=other))


def follow(folder: RunFolder) -> str | None:
    """Send a run until it ends; return what went wrong at the end, in one line."""
    clients: dict[str, MlflowClient] = {}
    with _exclusive(folder, _PATIENCE):
        sender = Sender(folder, clients)
        rest, attempts, has_tidied = _REST, 0, False
        while True:
            is_over = _is_over(folder)
            seen = _signature(folder)
            problem = _attempt(sender)
            if problem is None and sender.sent.status is not None:
                return None
            if is_over:
                attempts += 1
                if problem is not None and (attempts == _LAST_ATTEMPTS or "no answer" in problem):
                    return problem
            if problem is None and not has_tidied:
                end_leftovers(folder.runs_dir, clients)
                has_tidied = True
            rest = _REST if problem is None else min(2 * rest, _LONGEST_REST)
            _wait(folder, seen, _REST if is_over else rest, is_waiting_for_news=problem is None)


def end_leftovers(runs_dir: Path, clients: "dict[str, MlflowClient]") -> None:
    """End in MLflow the runs that are RUNNING there although their processes, outbox included, were killed."""
    for path in run_paths(runs_dir):
        folder = RunFolder(path)
        if not Sent.exists(folder) or Sent.read(folder).status is not None:
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
        traceback.print_exc()
        text = first_line(error)
        problem = f"{type(error).__name__}: {text[:200]}"
    sender.fail(problem)
    return problem


def _is_over(folder: RunFolder) -> bool:
    """Say whether the run has ended; one whose process died is ended here."""
    return folder.manifest["status"] != "running" or close(folder)


def _signature(folder: RunFolder) -> tuple[int, ...]:
    """Return the times that change when there is something to send."""
    paths = (folder.path / MANIFEST, folder.path / METRICS, folder.path / LOG, folder.checkpoints / "last")
    return tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in paths)


def _wait(folder: RunFolder, seen: tuple[int, ...], rest: float, *, is_waiting_for_news: bool) -> None:
    """Sleep `rest` seconds while the run goes on, longer while nothing happens, not at all once it is over."""
    started = time.monotonic()
    while not _is_over(folder):
        is_rested = time.monotonic() - started >= rest
        if is_rested and not (is_waiting_for_news and _signature(folder) == seen):
            return
        time.sleep(_POLL)


class _exclusive:
    """A lock on sending a run."""

    def __init__(self, folder: RunFolder, patience: float) -> None:
        self.lock, self.patience = Lock(folder.path / "outbox.lock"), patience

    def __enter__(self) -> None:
        self.lock.acquire(self.patience)

    def __exit__(self, *_: object) -> None:
        self.lock.release()


def main() -> int:
    """Follow the run folder named on the command line."""
    os.nice(10)
    return 0 if follow(RunFolder.open(Path(sys.argv[1]))) is None else 1


if __name__ == "__main__":
    sys.exit(main())
