"""Folders that do not end: a walk through a disk, or through what a system makes up, is broken off with a line."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from dlexp.data.file.guard import leads_away
from dlexp.error import DataError
from dlexp.number import noun

MOST_OTHERS = 200_000  # entries without an example among them, and as many again as 10 for each example
MOST = 20_000_000


class Walk:
    """Counts what a walk through a folder has met.

    Args:
        root: The folder.
        what: An example, in the singular, for messages.
    """

    def __init__(self, root: Path, what: str):
        self._root, self._what = root, what
        self.examples = self.others = 0

    def count(self, is_example: bool) -> None:
        """Count an entry.

        Raises:
            DataError: There are too many, or hardly an example among them.
        """
        self.examples += is_example
        self.others += not is_example
        if self.others > MOST_OTHERS + 10 * self.examples or self.examples + self.others > MOST:
            entries = self.examples + self.others
            got = f"got {noun(self.examples, self._what)} among the first {entries:,} entries"
            raise DataError(f"{self._root}: {got}; name the folder that holds them")


def entries_of(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yield the entries of a folder as the system tells them, however many they are.

    Raises:
        OSError: It cannot be read.
    """
    with os.scandir(folder) as entries:
        yield from entries


def files_within(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder and of all folders in it; links to folders are not followed.

    What vanishes meanwhile, or may not be read, is left out.

    Raises:
        DataError: Hardly one of very many is a .parquet file.
    """
    walk, places = Walk(folder, ".parquet file"), [folder]
    while places:
        with suppress(OSError):
            for entry in entries_of(places.pop()):
                if not entry.is_dir(follow_symlinks=False):
                    walk.count(entry.name.lower().endswith(".parquet"))
                    if os.path.isfile(entry.path):  # False where nothing may be asked
                        yield Path(entry.path)
                elif not leads_away(Path(entry.path), folder):
                    places.append(Path(entry.path))
