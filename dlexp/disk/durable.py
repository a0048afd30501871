"""Writes files so that a kill or a power cut at any instant leaves the old content or the new, never a mixture."""

import errno
import math
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dlexp.error import DiskFault

_TENTH = 2**20 / 10
_FULL = (errno.ENOSPC, errno.EDQUOT)
_ELSEWHERE = "set runs_dir to a folder that may be written to"
_CURES = {
    errno.ENOSPC: "free some space or set runs_dir to another disk",
    errno.EDQUOT: "free some space or set runs_dir to another disk",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f)",
    errno.EROFS: _ELSEWHERE,
    errno.EACCES: _ELSEWHERE,
    errno.EPERM: _ELSEWHERE,
    errno.ENOENT: "the folder was moved or deleted while it was written to",
    errno.ENOTDIR: _ELSEWHERE,
    errno.ESTALE: "the folder was moved or deleted while it was written to",
    errno.ENAMETOOLONG: "choose a shorter runs_dir or tracking.experiment",
    errno.EISDIR: "move the folder of that name away",
    errno.EEXIST: "move the file of that name away",
    errno.EIO: "the disk or network drive fails; set runs_dir to another",
}


def write_bytes(path: Path, content: bytes, *, is_synced: bool = True) -> None:
    """Replace a file atomically: a temporary name beside it, fsync, rename, fsync of the folder.

    Args:
        path: The file.
        content: Its new content.
        is_synced: False leaves out both fsyncs, milliseconds each: proof against kills, not against power cuts, for
            what can be made anew.

    Raises:
        DiskFault: The disk is full, or refuses for another reason; the old content stays.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with disk_faults(path, len(content)):
            fresh.unlink(missing_ok=True)  # of a process of the same number that was killed
            with open(fresh, "xb") as file:
                file.write(content)
                if is_synced:
                    file.flush()
                    os.fsync(file.fileno())
            os.replace(fresh, path)
    except BaseException:
        with suppress(OSError):
            fresh.unlink()
        raise
    if is_synced:
        with disk_faults(path):
            flush_folder(path.parent)


def write_text(path: Path, content: str, *, is_synced: bool = True) -> None:
    """Replace a text file (UTF-8) atomically, as `write_bytes` does."""
    write_bytes(path, content.encode(), is_synced=is_synced)


def sweep(folder: Path) -> None:
    """Remove the temporary files that processes which were killed left in a folder; see `write_bytes`."""
    for path in folder.glob(".*.*.new"):
        number = path.name.split(".")[-2]
        if number.isdigit() and not _is_alive(int(number)):
            with suppress(OSError):
                path.unlink()


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def flush_folder(folder: Path) -> None:
    """Force the names in a folder onto the disk, so that a rename survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def disk_faults(path: Path, needed: int = 0) -> Iterator[None]:
    """Turn what a disk refuses, as Python or as torch reports it, into one line with the cure.

    Args:
        path: What is written.
        needed: Bytes that it takes; of a full disk the message says how many of them are missing.

    Raises:
        DiskFault: The disk is full, the folder is gone or may not be written to, a limit or the hardware says no.
    """
    try:
        yield
    except DiskFault:
        raise
    except (OSError, RuntimeError) as error:
        number = error.errno if isinstance(error, OSError) else None
        if "unexpected pos" in str(error):
            number = errno.ENOSPC
        if number not in _CURES:
            raise
        cure = f"{_CURES[number]} (what was saved before is intact)"
        fault = DiskFault(f"{path}: {_fault(number, path, needed)}; {cure}")
        fault.errno = number
        raise fault from error


def require_space(path: Path, needed: int, what: str) -> None:
    """Check that a disk has room.

    Args:
        path: A folder that may still have to be made.
        needed: Bytes.
        what: Subject and verb of what takes them.

    Raises:
        DiskFault: There is less; the message has the megabytes that are missing.
    """
    if needed > (place := _Place(path)).free:
        raise DiskFault(f"{path}: {what} {_mib(needed)}, {place.missing(needed)}; {_CURES[errno.ENOSPC]}")


class _Place:
    """The disk that a path is on, or will be."""

    def __init__(self, path: Path) -> None:
        self.path = next((folder for folder in (path, *path.absolute().parents) if folder.is_dir()), Path("/"))
        self.free = shutil.disk_usage(self.path).free

    def missing(self, needed: int) -> str:
        """Say what is free, in tenths of a MiB rounded down, and what is missing, rounded up."""
        lacking = f" ({_mib(needed - self.free)} are missing)" if needed > self.free else ""
        return f"{math.floor(self.free / _TENTH) / 10} MiB are free at {self.path}{lacking}"


def _mib(size: int) -> str:
    return f"{math.ceil(size / _TENTH) / 10} MiB"


def _fault(number: int | None, path: Path, needed: int) -> str:
    if number not in _FULL:
        return os.strerror(number or 0).lower()
    wanted = f"{_mib(needed)} are needed, " if needed else ""
    return f"the disk is full, {wanted}{_Place(path).missing(needed)}"
