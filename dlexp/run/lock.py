"""Who may write to a run folder: an flock that the kernel releases when its owner dies, however it dies.

Where no lock reaches, on other machines, the number of the attempt that was begun last says whose the folder is.
"""

import fcntl
import json
import logging
import os
import socket
import time
from contextlib import suppress
from pathlib import Path

from dlexp.disk.durable import disk_faults, write_text
from dlexp.disk.regular import drop_link, read_bytes
from dlexp.error import RunError

ATTEMPT = "attempt"  # a file of the folder
_held: set[int] = set()
_PATIENCE = 0.3  # seconds: a listing that probes the lock holds it for microseconds
_PATIENCE_WITH_ORPHANS = 20.0  # seconds: workers that share a lock die after the process that took it
_log = logging.getLogger(__name__)


def _close_in_child() -> None:
    """Close inherited locks after a fork, so that a surviving worker cannot keep its dead parent's run locked."""
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_close_in_child)


class Lock:
    """An exclusive lock on a file, with its owner's pid and host written inside.

    Args:
        path: The lock file; it stays when the lock is released.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def acquire(self, patience: float = _PATIENCE) -> None:
        """Take the lock; nothing happens when this object holds it.

        Args:
            patience: Seconds to wait for another owner; for the workers of one that died, longer.

        Raises:
            RunError: Another process holds it; the message names its pid and host.
            EnvironmentFault: The folder cannot be written to.
        """
        if self._descriptor is not None:
            return
        descriptor = self._take(patience)
        if os.fstat(descriptor).st_nlink > 1:  # a backup by hard links shares it, or a file elsewhere: those stay
            with disk_faults(self.path):
                self.path.unlink()
            os.close(descriptor)
            descriptor = self._take(patience)
        content = json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode()
        self._descriptor = descriptor
        _held.add(descriptor)
        with disk_faults(self.path):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, content, 0)

    def _take(self, patience: float) -> int:
        """Return the open file with the lock on it; it may be gone from its path by the time it is to be had."""
        while True:
            with disk_faults(self.path):
                drop_link(self.path)
                descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
            if not (self._try_for(descriptor, patience) or (self._is_orphaned() and self._outlive(descriptor))):
                os.close(descriptor)
                raise RunError(f"{self.path.parent}: in use by {self.owner()}; wait for it or stop it first")
            if self._is_at_path(descriptor):
                return descriptor
            os.close(descriptor)

    def _is_at_path(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self.path.lstat())
        except FileNotFoundError:
            return False

    def _try_for(self, descriptor: int, patience: float) -> bool:
        deadline = time.monotonic() + patience
        while not (is_mine := _try(descriptor)) and time.monotonic() < deadline:
            time.sleep(0.02)
        return is_mine

    def _outlive(self, descriptor: int) -> bool:
        _log.warning("%s: waiting for the last workers of %s, which died", self.path.parent, self.owner())
        return self._try_for(descriptor, _PATIENCE_WITH_ORPHANS)

    def _is_orphaned(self) -> bool:
        """Say whether the process that took the lock is dead: then others that share it hold it."""
        try:
            content = json.loads(read_bytes(self.path))
            if content["host"] == socket.gethostname():
                os.kill(content["pid"], 0)
        except ProcessLookupError:
            return True
        except (OSError, ValueError, KeyError, TypeError):
            return False
        return False

    @property
    def descriptor(self) -> int | None:
        """The open file that holds the lock: whoever shares it keeps the lock held; None when it is not held here."""
        return self._descriptor

    def release(self) -> None:
        """Give the lock back; nothing happens when this object does not hold it."""
        if self._descriptor is not None:
            _held.discard(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None

    def is_held(self) -> bool:
        """Say whether any living process, this one included, holds the lock."""
        if self._descriptor is not None:
            return True
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return False
        try:
            return not _try(descriptor)
        finally:
            os.close(descriptor)

    def owner(self) -> str:
        """Return "process PID on HOST" of the last process that took the lock."""
        try:
            content = json.loads(read_bytes(self.path))
            return f"process {content['pid']} on {content['host']}"
        except (OSError, ValueError, KeyError, TypeError):
            return "another process"


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def last_attempt(folder: Path) -> int:
    """Return the number of the last attempt; 0 where none was counted or the file is damaged."""
    with suppress(OSError, ValueError):
        return int(read_bytes(folder / ATTEMPT))
    return 0


def begin_attempt(folder: Path) -> int:
    """Count one more attempt and return its number: all earlier ones may write no more."""
    number = last_attempt(folder) + 1
    write_text(folder / ATTEMPT, str(number))
    return number
