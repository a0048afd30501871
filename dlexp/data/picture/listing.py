"""The pictures in a folder: hidden files are left out, links to folders are followed once, and what was left is said.

Hidden is what begins with a dot, and what systems and archives leave behind: ``__MACOSX``, ``Thumbs.db``.
"""

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from dlexp.data.bound.tree import Walk, entries_of
from dlexp.data.file.guard import is_away, leads_away
from dlexp.data.picture.form import SUFFIXES
from dlexp.error import DataError, shorten
from dlexp.number import noun

_AWAY = ("link", " to folders of the system's or above")
_LEFT_BEHIND = ("__macosx", "thumbs.db", "desktop.ini", "__pycache__")
Reason = tuple[str, str]  # a noun, and what follows it in its singular and its plural
HIDDEN: Reason = ("hidden entry", "")


@dataclass
class Listing:
    """Pictures and what was left out.

    Attributes:
        files: In order.
        left_out: Number of entries by what they are.
    """

    files: list[Path] = field(default_factory=list)
    left_out: Counter = field(default_factory=Counter)


def is_hidden(path: Path) -> bool:
    """Return whether a file or folder is not meant to be seen."""
    return _is_hidden(path.name)


def list_pictures(folder: Path) -> Listing:
    """Return the pictures in a folder and the folders below, in order of their paths."""
    listing, walk, root = Listing(), Walk(folder, "picture"), folder.resolve()
    seen, rest = {root}, [(root, iter(_entries(folder, walk)))]
    while rest:  # a folder in a folder in a folder, ..., may be deeper than functions can call each other
        place, entries = rest[-1]
        entry = next(entries, None)
        if entry is None:
            rest.pop()
            continue
        target = _target(entry, place) if entry.is_dir() else None
        reason = _reason_of_file(entry) if target is None else _reason_of_folder(entry, target, root, seen)
        if reason:
            listing.left_out[reason] += 1
        elif target is not None:
            seen.add(target)
            rest.append((target, iter(_entries(Path(entry.path), walk))))
        else:
            listing.files.append(Path(entry.path))
    listing.files.sort()
    return listing


def has_pictures(folder: Path) -> bool:
    """Return whether pictures lie in the folder itself."""
    return any(map(is_picture, folder.iterdir()))


def is_picture(path: Path) -> bool:
    """Return whether a name is that of a picture that is meant to be seen."""
    return _has_ending(path.name) and not _is_hidden(path.name)


def say(left_out: Counter) -> list[str]:
    """Return a line for the user about what was left out; none when there is nothing."""
    counts = ", ".join(f"{noun(number, name)}{rest}" for (name, rest), number in sorted(left_out.items()) if number)
    if not counts:
        return []
    return [f"left out: {counts}"]


def list_folders(folder: Path, left_out: Counter) -> list[Path]:
    """Return the folders in a folder in order, but for hidden ones; what is left out is counted."""
    entries = [entry for entry in folder.iterdir() if not is_hidden(entry) and entry.is_dir()]
    away = [entry for entry in entries if leads_away(entry, folder)]
    left_out[_AWAY] += len(away)
    return sorted(set(entries) - set(away))


def _entries(folder: Path, walk: Walk) -> list[os.DirEntry[str]]:
    listed = []
    try:
        for entry in entries_of(folder):
            listed.append(entry)
            walk.count(_has_ending(entry.name) and not _is_hidden(entry.name))
    except OSError as error:
        raise DataError(f"{shorten(str(folder))}: cannot be read ({error.strerror})") from None
    return listed


def _target(entry: os.DirEntry[str], place: Path) -> Path:
    """Return where a folder is, without links; `place` is where it stands."""
    return Path(entry.path).resolve() if entry.is_symlink() else place / entry.name


def _reason_of_folder(entry: os.DirEntry[str], target: Path, root: Path, seen: set[Path]) -> Reason | None:
    """Return what a folder is that is left out; None for one that is not."""
    if _is_hidden(entry.name):
        return HIDDEN
    if target in seen:
        return ("link", " to folders read already")
    return _AWAY if is_away(target, root, is_link=entry.is_symlink()) else None


def _reason_of_file(entry: os.DirEntry[str]) -> Reason | None:
    """Return what a file is that is left out; None for one that is not."""
    if _is_hidden(entry.name):
        return HIDDEN
    if not _has_ending(entry.name):
        return ("file", f" of another kind ({shorten(os.path.splitext(entry.name)[1].lower(), 10) or 'no ending'})")
    if not os.path.exists(entry.path):
        return ("link", " to nowhere")
    return None if entry.is_file() else ("special file", "")


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in _LEFT_BEHIND


def _has_ending(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in SUFFIXES
