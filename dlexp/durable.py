"""Writes files so that a kill or a power cut at any instant leaves the old content or the new, never a mixture."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dlexp.error import EnvironmentFault

_FULL = (errno.ENOSPC, errno.EDQUOT)


def write_bytes(path: Path, content: bytes, *, is_synced: bool = True) -> None:
    """Replace a file atomically: a temporary name beside it, fsync, rename, fsync of the folder.

    Args:
        path: The file.
        content: Its new content.
        is_synced: False leaves out both fsyncs, milliseconds each: proof against kills, not against power cuts, for
            what can be made anew.

    Raises:
        EnvironmentFault: The disk is full, or a folder stands in the file's place; the old content stays.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with disk_faults(path), open(fresh, "wb") as file:
            file.write(content)
            if is_synced:
                file.flush()
                os.fsync(file.fileno())
        with disk_faults(path):
            os.replace(fresh, path)
    except BaseException:
        with suppress(OSError):
            fresh.unlink()
        raise
    if is_synced:
        flush_folder(path.parent)


def write_text(path: Path, content: str, *, is_synced: bool = True) -> None:
    """Replace a text file (UTF-8) atomically, as `write_bytes` does."""
    write_bytes(path, content.encode(), is_synced=is_synced)


def flush_folder(folder: Path) -> None:
    """Force the names in a folder onto the disk, so that a rename survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def disk_faults(path: Path) -> Iterator[None]:
    """Turn a full disk, as Python or as torch reports it, or a folder in a file's place into one line with the cure."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        if getattr(error, "errno", None) in _FULL or "unexpected pos" in str(error):
            cure = "free some space or set runs_dir to another disk (what was saved before is intact)"
            raise EnvironmentFault(f"{path}: the disk is full; {cure}") from error
        if isinstance(error, IsADirectoryError):
            raise EnvironmentFault(f"{path}: a folder stands in the place of a file; move it away") from error
        raise
