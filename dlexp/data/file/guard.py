"""What is read is looked at first: a pipe would wait for ever, a device would never end, and memory has an end."""

import os
import re
import stat
from pathlib import Path

import psutil

from dlexp.error import ConfigError, DataError

_UNITS = {"MB": 1e6, "GB": 1e9, "TB": 1e12, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_USABLE = 0.8  # of the free memory; the rest is for the training
# What the system makes up: no pictures, links to everywhere, files without an end.
_MADE_UP = ("/proc", "/sys", "/dev")
_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a folder",
}


def require_regular(path: Path, *, can_be_folder: bool = False) -> None:
    """Refuse what is there and is neither a file nor, where that is allowed, a folder.

    Raises:
        DataError: Names what it is.
    """
    try:
        kind = stat.S_IFMT(path.stat().st_mode)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    if kind != stat.S_IFREG and not (can_be_folder and kind == stat.S_IFDIR):
        raise DataError(f"{path}: got {_KINDS.get(kind, 'no file')}; a file is needed")
    if kind == stat.S_IFREG and _is_made_up(path.resolve()):
        raise DataError(f"{path}: got a file of the system's; a file on a disk is needed")


def require_memory(size: int, what: str, cure: str, memory: str | None = None) -> None:
    """Refuse what would fill the memory.

    Args:
        size: Bytes.
        what: Begins the message.
        cure: Ends it.
        memory: The user's limit, such as 4GiB.

    Raises:
        DataError: More than 0.8 of the free memory is needed, or than the limit.
    """
    if memory is not None and size > budget(memory):
        raise DataError(f"{what} need {size / 1e9:,.1f} GB, data.memory allows {memory}; {cure}")
    free = psutil.virtual_memory().available
    if size > _USABLE * free:
        raise DataError(f"{what} need {size / 1e9:,.1f} GB, {free / 1e9:,.1f} GB of memory are free; {cure}")


def budget(memory: str | None) -> float:
    """Return the bytes that data may take: a size such as 4GiB; None is half of what is free.

    Raises:
        ConfigError: The text is no size.
    """
    if memory is None:
        return psutil.virtual_memory().available / 2
    match = re.fullmatch(rf"(\d+(?:\.\d+)?) ?({'|'.join(_UNITS)})", memory.strip())
    if match is None:
        raise ConfigError(f"data.memory: got {memory!r}; a number and one of {', '.join(_UNITS)}, such as 4GiB")
    return float(match[1]) * _UNITS[match[2]]


def leads_away(folder: Path, root: Path) -> bool:
    """Return whether a folder below `root` is the system's, or a link to one that holds `root` itself."""
    return is_away(folder.resolve(), root.resolve(), is_link=folder.is_symlink())


def is_away(target: Path, root: Path, *, is_link: bool) -> bool:
    """Return the same of paths without links in them; `is_link` says whether a link led to the first."""
    return _is_made_up(target) or (is_link and root.is_relative_to(target))


def _is_made_up(path: Path) -> bool:
    # shared memory is a disk like any other
    return any(path.is_relative_to(folder) for folder in _MADE_UP) and not path.is_relative_to(f"/dev{os.sep}shm")
