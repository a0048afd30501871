"""Runs whose store is a database: a list on the disk of those that are to be sent, for one process that sends them all.

To import mlflow and to open a database takes 2 to 4 CPU seconds, more than sending 32 trials. A run stands in the list
until it is sent or given up, so that what a killed process leaves is sent by the next.
"""

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from dlexp.disk.durable import disk_faults, write_text
from dlexp.run.folder import RunFolder, is_run
from dlexp.run.lock import Lock

_FOLDER = ".outbox"
_ENDING = ".run"


class Queue:
    """The runs of a runs folder that wait to be sent.

    Args:
        runs_dir: Folder of all runs.

    Attributes:
        lock: Held by the process that sends them.
        log: What that process says.
    """

    def __init__(self, runs_dir: Path) -> None:
        self.runs_dir, self._place = runs_dir, runs_dir / _FOLDER
        self.lock, self.log = Lock(self._place / "lock"), self._place / "log"

    def add(self, folder: RunFolder) -> None:
        """Have a run sent; it may be there already.

        Raises:
            EnvironmentFault: The runs folder cannot be written to.
        """
        entry = self._entry(folder)
        with disk_faults(entry):
            self._place.mkdir(exist_ok=True)
            write_text(entry, os.path.relpath(folder.path, self.runs_dir), is_synced=False)

    def remove(self, folder: RunFolder) -> None:
        """Strike a run off; nothing happens where it is not there."""
        self._entry(folder).unlink(missing_ok=True)

    def holds(self, folder: RunFolder) -> bool:
        """Say whether a run is to be sent."""
        return self._entry(folder).exists()

    def waiting(self) -> list[RunFolder]:
        """Return the runs that are to be sent, the first first; what is no run any more is struck off."""
        folders = []
        for entry in sorted(self._place.glob(f"*{_ENDING}"), key=_age):
            with suppress(FileNotFoundError):  # struck off meanwhile
                path = self.runs_dir / entry.read_text()
                if is_run(path):
                    folders.append(RunFolder(path))
                else:
                    entry.unlink()
        return folders

    def _entry(self, folder: RunFolder) -> Path:
        name = os.path.relpath(folder.path, self.runs_dir)
        return self._place / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}{_ENDING}"


def _age(entry: Path) -> int:
    with suppress(FileNotFoundError):
        return entry.stat().st_mtime_ns
    return 0
