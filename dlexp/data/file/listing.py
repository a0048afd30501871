"""The pictures in a folder: hidden files are left out, links to folders are followed once, and what was left is said.

Hidden is what begins with a dot, and what systems and archives leave behind: ``__MACOSX``, ``Thumbs.db``.
"""

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from dlexp.data.file.picture import SUFFIXES

_LEFT_BEHIND = ("__macosx", "thumbs.db", "desktop.ini", "__pycache__")


@dataclass
class Listing:
    """Pictures and what was left out.

    Attributes:
        files: In order.
        left_out: Number of entries by reason.
    """

    files: list[Path] = field(default_factory=list)
    left_out: Counter = field(default_factory=Counter)


def is_hidden(path: Path) -> bool:
    """Return whether a file or folder is not meant to be seen."""
    return path.name.startswith(".") or path.name.lower() in _LEFT_BEHIND


def list_pictures(folder: Path) -> Listing:
    """Return the pictures in a folder and the folders below, in order of their paths."""
    listing = Listing()
    _walk(folder, listing, {folder.resolve()})
    listing.files.sort()
    return listing


def has_pictures(folder: Path) -> bool:
    """Return whether pictures lie in the folder itself."""
    return any(entry.suffix.lower() in SUFFIXES and not is_hidden(entry) for entry in folder.iterdir())


def say(left_out: Counter) -> list[str]:
    """Return a line for the user about what was left out; none when there is nothing."""
    counts = ", ".join(f"{number:,} {reason}" for reason, number in sorted(left_out.items()) if number)
    if not counts:
        return []
    return [f"left out: {counts}"]


def _walk(folder: Path, listing: Listing, seen: set[Path]) -> None:
    for entry in os.scandir(folder):
        path = Path(entry.path)
        if is_hidden(path):
            listing.left_out["hidden files or folders"] += 1
        elif entry.is_dir():
            real = path.resolve()
            if real in seen:
                listing.left_out["links to folders read already"] += 1
                continue
            seen.add(real)
            _walk(path, listing, seen)
        elif path.suffix.lower() not in SUFFIXES:
            listing.left_out["files that are no pictures"] += 1
        elif not entry.is_file():
            listing.left_out["links to nowhere"] += 1
        else:
            listing.files.append(path)
