"""Files of a run folder as a stranger may have made them: only regular ones are read, and none outside is written.

A link would have dlexp write to another place, and a second name (a hard link, as `cp -al` makes them for a backup) to
another folder; a pipe would have it wait for ever, and a device never ends.
"""

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import IO, Any

from dlexp.disk.durable import disk_faults, write_bytes
from dlexp.error import DiskFault


def read_bytes(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        OSError: It cannot be read, or is no file but a pipe, a device or a folder.
    """
    with open_regular(path) as file:
        return file.read()


def open_regular(path: Path) -> BufferedReader:
    """Open a file for reading.

    Raises:
        OSError: It cannot be read, or is no file but a pipe, a device or a folder.
    """
    return open(path, "rb", opener=_open_regular)


@contextmanager
def open_in_place(path: Path, mode: str, needed: int = 0) -> Iterator[IO[Any]]:
    """Open a file to write in it, after `make_own`; it is made where there is none.

    Args:
        path: The file.
        mode: As `open` takes it, binary.
        needed: Bytes to be written, for the message of a full disk.

    Raises:
        DiskFault: The disk refuses, or there is something else than a file.
    """
    with disk_faults(path, needed):
        make_own(path)
        with open(path, mode, opener=_without_links) as file:
            yield file


def make_own(path: Path) -> None:
    """Have a path lead to a file with no other name, or to nothing: a link is removed, a second name given up.

    Raises:
        DiskFault: There is something else than a file.
    """
    if drop_link(path) > 1:
        write_bytes(path, path.read_bytes(), is_synced=False)


def drop_link(path: Path) -> int:
    """Remove a link that is at a path, and return the number of names of the file there; 0 without one.

    Raises:
        DiskFault: There is something else than a file.
    """
    try:
        about = path.lstat()
    except FileNotFoundError:
        return 0
    if stat.S_ISLNK(about.st_mode):
        path.unlink()
        return 0
    if not stat.S_ISREG(about.st_mode):
        raise DiskFault(f"{path}: is no regular file; move it away (what was saved before is intact)")
    return about.st_nlink


def require_inside(*folders: Path) -> None:
    """Check that none of the folders inside a run's is a link: what is written into it would lie elsewhere.

    Raises:
        DiskFault: Names the link and where it leads.
    """
    for folder in folders:
        if folder.is_symlink():
            raise DiskFault(
                f"{folder}: is a link to {os.readlink(folder)}, and nothing is written through links; put the folder "
                "itself in its place, or move the whole run and link to that"
            )


def remove_tree(path: Path) -> None:
    """Delete a folder and what is in it, or the link that is in its place; nothing happens where neither is."""
    if path.is_symlink():
        path.unlink()
    shutil.rmtree(path, ignore_errors=True)


def _open_regular(path: str, flags: int) -> int:
    descriptor = os.open(path, flags | os.O_NONBLOCK)  # to open a pipe does not wait for its other end
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "no regular file", path)


def _without_links(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CREAT, 0o666)
