"""`metrics.jsonl`: one line an epoch, appended, read back in spite of a line torn by a kill.

A number that is not finite is written as null, as JSON has no other word for it, and read back as NaN.
"""

import hashlib
import json
import math
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from dlexp.disk.durable import write_bytes
from dlexp.disk.regular import open_in_place, read_bytes
from dlexp.error import DiskFault, RunError
from dlexp.run.jsonable import plain


class Chain:
    """Appends epochs to one history and knows its `digest` without reading it again.

    Args:
        path: The history.
        is_synced: Whether each line waits until it is on the disk.
    """

    def __init__(self, path: Path, *, is_synced: bool = True) -> None:
        self.path, self.is_synced = path, is_synced
        self._hash, self._count, self._size = hashlib.sha256(), 0, 0

    def append(self, record: dict[str, Any]) -> None:
        """Add one epoch's record and its time (`time`: Unix seconds).

        Raises:
            EnvironmentFault: The disk is full; the lines before are intact. Or someone else changed the history.
        """
        line = json.dumps({**plain(record), "time": round(time.time(), 3)}).encode()
        with open_in_place(self.path, "ab+", len(line)) as file:
            _drop_torn_line(file.fileno())
            if os.fstat(file.fileno()).st_size != self._size:
                self._take_up()
            file.write(line + b"\n")
            file.flush()
            if self.is_synced:
                os.fsync(file.fileno())
        self._add(line)

    def digest(self, last_epoch: int) -> str:
        """Return the `digest` of the epochs up to one; of those appended last, without reading the file."""
        return self._hash.hexdigest() if self._count == last_epoch else digest(self.path, last_epoch)

    def _take_up(self) -> None:
        if self._count:
            raise DiskFault(
                f"{self.path}: was changed or deleted while the run wrote it; restore it from a copy and resume, or "
                "begin the run anew"
            )
        for line in _complete_lines(self.path):
            self._add(line)

    def _add(self, line: bytes) -> None:
        self._hash.update(b"\n" + line if self._count else line)
        self._count += 1
        self._size += len(line) + 1


def read(path: Path, checkpoints: Path | None = None) -> list[dict[str, Any]]:
    """Return the records in order; an unfinished last line is left out, null is read as NaN.

    Args:
        path: The history.
        checkpoints: Folder of the run's, whose last one was saved after what the history must begin with; None asks
            for no seal.

    Raises:
        RunError: A line is damaged, or the history is not that which the checkpoint was saved after.
    """
    saved = next(_saved(checkpoints), {}) if checkpoints is not None else {}  # read first: the history runs ahead
    lines = _complete_lines(path)
    records = [_record(path, number, line) for number, line in enumerate(lines, 1)]
    if "history" in saved and not _is_sealed(lines, saved["epoch"], saved["history"]):
        raise _not_sealed(path, saved["epoch"])
    return [{key: math.nan if value is None else value for key, value in record.items()} for record in records]


def truncate(path: Path, last_epoch: int, seal: str | None = None, *, is_synced: bool = True) -> None:
    """Drop the records after an epoch, atomically: a resumed run writes them again.

    Args:
        path: The history.
        last_epoch: Of the checkpoint that the run goes on from.
        seal: `digest` when that checkpoint was saved; None for one of a version that wrote none.
        is_synced: See `Chain`.

    Raises:
        RunError: What is before that epoch is not what the checkpoint was saved after: the result would lack epochs or
            have other numbers.
    """
    lines = _complete_lines(path)
    is_whole = len(lines) >= last_epoch and (seal is None or _is_sealed(lines, last_epoch, seal))
    numbers = [_record(path, number, line)["epoch"] for number, line in enumerate(lines[:last_epoch], 1)]
    if not is_whole or numbers != list(range(1, last_epoch + 1)):
        raise _not_sealed(path, last_epoch)
    if lines[last_epoch:]:
        write_bytes(path, b"".join(line + b"\n" for line in lines[:last_epoch]), is_synced=is_synced)


def digest(path: Path, last_epoch: int) -> str:
    """Return the SHA-256 of the lines of the epochs up to one, for the checkpoint saved after it."""
    return _digest(_complete_lines(path)[:last_epoch])


def seal(checkpoints: Path, last_epoch: int) -> str | None:
    """Return the `digest` that the checkpoint of an epoch has; None where none has."""
    return next((about.get("history") for about in _saved(checkpoints) if about["epoch"] == last_epoch), None)


def saved_epoch(checkpoints: Path) -> int | None:
    """Return how many epochs the last checkpoint holds; None without one."""
    return next((about["epoch"] for about in _saved(checkpoints)), None)


def _saved(checkpoints: Path) -> Iterator[dict[str, Any]]:
    """Yield the manifests of the last checkpoint, of one that a kill left beside it, and of the one before."""
    for name in ("last", "last.new", "last.old"):
        with suppress(OSError, ValueError):
            manifest = json.loads(read_bytes(checkpoints / name / "manifest.json"))
            if isinstance(manifest, dict) and isinstance(manifest.get("epoch"), int):
                yield manifest


def _digest(lines: list[bytes]) -> str:
    return hashlib.sha256(b"\n".join(lines)).hexdigest()


def _is_sealed(lines: list[bytes], epoch: int, seal: str) -> bool:
    return len(lines) >= epoch and _digest(lines[:epoch]) == seal


def _not_sealed(path: Path, epoch: int) -> RunError:
    return RunError(
        f"{path}: damaged or edited; its epochs up to {epoch} are not those that the checkpoint was saved after; "
        "restore it from a copy, or begin the run anew"
    )


def _complete_lines(path: Path) -> list[bytes]:
    try:
        return read_bytes(path).split(b"\n")[:-1]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RunError(f"{path}: cannot be read ({error.strerror}); restore it from a copy") from error


def _record(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    if not isinstance(record, dict) or not isinstance(record.get("epoch"), int):
        raise RunError(f"{path}: damaged, line {number} is no epoch's record; restore it from a copy")
    return record


def _drop_torn_line(descriptor: int) -> None:
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        os.ftruncate(descriptor, os.pread(descriptor, size, 0).rfind(b"\n") + 1)
