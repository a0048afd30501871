"""The pictures in a folder: hidden files are left out, links to folders are followed once, and what was left is said.

Hidden is what begins with a dot, and what systems and archives leave behind: ``__MACOSX``, ``Thumbs.db``.
"""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from dlexp.data.bound.tree import Walk, entries_of
from dlexp.data.file.guard import leads_away
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
    return path.name.startswith(".") or path.name.lower() in _LEFT_BEHIND


def list_pictures(folder: Path) -> Listing:
    """Return the pictures in a folder and the folders below, in order of their paths."""
    listing, seen, walk = Listing(), {folder.resolve()}, Walk(folder, "picture")
    rest = [iter(_entries(folder, walk))]
    while rest:  # a folder in a folder in a folder, ..., may be deeper than functions can call each other
        path = next(rest[-1], None)
        if path is None:
            rest.pop()
        elif reason := _reason(path, folder, seen):
            listing.left_out[reason] += 1
        elif path.is_dir():
            seen.add(path.resolve())
            rest.append(iter(_entries(path, walk)))
        else:
            listing.files.append(path)
    listing.files.sort()
    return listing


def has_pictures(folder: Path) -> bool:
    """Return whether pictures lie in the folder itself."""
    return any(map(is_picture, folder.iterdir()))


def is_picture(path: Path) -> bool:
    """Return whether a name is that of a picture that is meant to be seen."""
    return path.suffix.lower() in SUFFIXES and not is_hidden(path)


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


def _entries(folder: Path, walk: Walk) -> list[Path]:
    paths = []
    try:
        for entry in entries_of(folder):
            paths.append(Path(entry.path))
            walk.count(is_picture(paths[-1]))
    except OSError as error:
        raise DataError(f"{folder}: cannot be read ({error.strerror})") from None
    return paths


def _reason(path: Path, root: Path, seen: set[Path]) -> Reason | None:
    """Return what a file or folder is that is left out; None for one that is not."""
    if is_hidden(path):
        return HIDDEN
    if path.is_dir():
        if path.resolve() in seen:
            return ("link", " to folders read already")
        return _AWAY if leads_away(path, root) else None
    if path.suffix.lower() not in SUFFIXES:
        return ("file", f" of another kind ({shorten(path.suffix.lower(), 10) or 'no ending'})")
    if not path.exists():
        return ("link", " to nowhere")
    return None if path.is_file() else ("special file", "")
