"""`metrics.jsonl`: one line an epoch, appended, read back in spite of a line torn by a kill.

A number that is not finite is written as null, as JSON has no other word for it, and read back as NaN.
"""

import json
import math
import os
import time
from pathlib import Path
from typing import Any

from dlexp.durable import disk_faults, write_text
from dlexp.run.jsonable import plain


def append(path: Path, record: dict[str, Any], *, is_synced: bool = True) -> None:
    """Add one epoch's record and its time (`time`: Unix seconds), and force them onto the disk if `is_synced`.

    Raises:
        EnvironmentFault: The disk is full; the lines before are intact.
    """
    line = json.dumps({**plain(record), "time": round(time.time(), 3)})
    with disk_faults(path), open(path, "ab+") as file:
        _drop_torn_line(file.fileno())
        file.write(line.encode() + b"\n")
        file.flush()
        if is_synced:
            os.fsync(file.fileno())


def read(path: Path) -> list[dict[str, Any]]:
    """Return the records in order; an unfinished last line is left out, null is read as NaN."""
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return []
    return [{key: math.nan if value is None else value for key, value in json.loads(line).items()} for line in lines]


def truncate(path: Path, last_epoch: int, *, is_synced: bool = True) -> None:
    """Drop the records after an epoch, atomically: a resumed run writes them again."""
    lines = _complete_lines(path)
    earlier = [line for line in lines if json.loads(line)["epoch"] <= last_epoch]
    if earlier != lines:
        write_text(path, "".join(f"{line}\n" for line in earlier), is_synced=is_synced)


def _complete_lines(path: Path) -> list[str]:
    return path.read_text().split("\n")[:-1] if path.exists() else []


def _drop_torn_line(descriptor: int) -> None:
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        os.ftruncate(descriptor, os.pread(descriptor, size, 0).rfind(b"\n") + 1)
