"""`epochs.<kind>`: for each epoch what the monitored metric needs of every example, in records of equal size.

The file begins with the size of a record's content (4 bytes); a record is a CRC-32 of epoch and content (4 bytes) and
the content. An epoch's place follows from its number, so that an epoch that is repeated after a kill overwrites what
was there. Nothing waits for the disk: a record that a power cut took fails its sum and is unknown, no more.
"""

import struct
import zlib
from pathlib import Path

from dlexp.disk.durable import disk_faults
from dlexp.disk.regular import make_own, open_in_place, read_bytes

KINDS = ("bits", "losses", "values")
NAMES = tuple(f"epochs.{kind}" for kind in KINDS)
_HEAD = struct.Struct("<I")


def append(folder: Path, epoch: int, kind: str, content: bytes) -> None:
    """Write an epoch's record, and nothing after it.

    Args:
        folder: The run's.
        epoch: From 1.
        kind: One of `KINDS`.
        content: Of the same size for all epochs.

    Raises:
        EnvironmentFault: The disk is full.
    """
    path = folder / f"epochs.{kind}"
    place = _HEAD.size + (epoch - 1) * (_HEAD.size + len(content))
    with open_in_place(path, "r+b") as file:
        file.truncate(place)
        file.seek(0)
        file.write(_HEAD.pack(len(content)))
        file.seek(place)
        file.write(_HEAD.pack(_sum(epoch, content)) + content)


def truncate(folder: Path, last_epoch: int) -> None:
    """Drop the records after an epoch: a resumed run writes them again."""
    for path in (folder / name for name in NAMES):
        with disk_faults(path):
            make_own(path)
            if path.exists():
                _truncate(path, last_epoch)


def _truncate(path: Path, last_epoch: int) -> None:
    head = read_bytes(path)[: _HEAD.size]
    size = _HEAD.unpack(head)[0] if len(head) == _HEAD.size else 0
    wanted = _HEAD.size + last_epoch * (_HEAD.size + size)
    if path.stat().st_size > wanted:
        with open_in_place(path, "r+b") as file:
            file.truncate(wanted)


def read(folder: Path, kind: str) -> list[bytes | None]:
    """Return the record of each epoch in order; None for one that is damaged or torn."""
    try:
        whole = read_bytes(folder / f"epochs.{kind}")
    except OSError:
        return []
    if len(whole) < _HEAD.size:
        return []
    size = _HEAD.size + _HEAD.unpack_from(whole)[0]
    starts = range(_HEAD.size, len(whole), size)
    return [_checked(epoch, whole[start : start + size], size) for epoch, start in enumerate(starts, 1)]


def _checked(epoch: int, record: bytes, size: int) -> bytes | None:
    content = record[_HEAD.size :]
    return content if len(record) == size and _HEAD.unpack_from(record)[0] == _sum(epoch, content) else None


def _sum(epoch: int, content: bytes) -> int:
    return zlib.crc32(content, zlib.crc32(_HEAD.pack(epoch)))
