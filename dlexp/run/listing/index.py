"""What listings sort and filter by, of all runs at once: an index that is made from run folders and never the truth.

`.index` in the runs folder has a line for each run that is over: its folder, the state of the four files that its
record is read from (time, size and number of the file), and the record without its long parts; see
`dlexp.run.listing.line`. A run whose files have another state is read again, so is one that is not over; without the
file all are. Lines are added, later ones count.
"""

import gc
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

from dlexp.disk.durable import write_text
from dlexp.disk.regular import open_in_place, read_bytes
from dlexp.error import DiskFault
from dlexp.run.document import RunRecord
from dlexp.run.folder import MANIFEST, OVERRIDES, RESULT, SETTINGS
from dlexp.run.listing import note
from dlexp.run.listing.filter import FIELDS
from dlexp.run.listing.line import MAPS, Entry, Names, State, read_lines, write_lines
from dlexp.run.listing.record import read_record
from dlexp.run.scan import run_places, setting_paths
from dlexp.run.status import Status

INDEX = ".index"
SHORT = {*FIELDS, "params", "metrics"}  # of a record
NEEDED = {
    "run_id",
    "kind",
    "status",
    "experiment",
    "start",
    "metric",
    "value",
    "validated_on",
    "params",
    "metrics",
    "tags",
}
OVER = {str(status) for status in Status if status.is_over}
FILES = tuple(f"/{name}" for name in (MANIFEST, RESULT, OVERRIDES))
NOTE = f"/{note.FILE}"  # of few runs
ABSENT = (0, 0, 0)
SETTLED_NS = 10**9  # a file that was written to since may be written to again within the clock's grain
MOST_STALE = 2  # times as many lines as runs, after which the file is written anew


class Index:
    """The index of a runs folder, as it was when it was read, and what was read of folders since.

    Args:
        runs_dir: Folder of all runs.
        is_anew: Whether to look at no file, which is damaged.
    """

    def __init__(self, runs_dir: Path, *, is_anew: bool = False) -> None:
        self._path = runs_dir / INDEX
        self._known, self._num_lines, self._names = ({}, 0, set()) if is_anew else _read(self._path)
        self._fresh: dict[str, Entry] = {}
        self._places: set[str] = set()

    def look(self, path: str, place: str, locked: str) -> RunRecord | None:
        """Return the record of a run without its long parts, from the index where its files are as they were.

        Args:
            path: The run's folder.
            place: What it is known by here.
            locked: As of `read_record`.
        """
        self._places.add(place)
        state = _state(path)
        entry = self._known.get(place)
        if entry is not None and entry[0] == state and str(entry[1]["status"]) in OVER:
            entry[1]["run_dir"] = path
            return cast(RunRecord, entry[1])
        record = read_record(Path(path), Path(locked))
        if record is None:
            return None
        short = {name: value for name, value in record.items() if name in SHORT}
        if record["status"] in OVER and time.time_ns() - max(state[::3]) > SETTLED_NS:
            self._fresh[place] = state, short
        return cast(RunRecord, {**short, "run_dir": path})

    def write(self) -> None:
        """Add what was read, or write all anew where most lines count no more; a folder that refuses has no index."""
        if not self._fresh:
            return
        is_stale = not self._known or self._num_lines + len(self._fresh) > MOST_STALE * len(self._places)
        entries = self._known | self._fresh if is_stale else self._fresh
        names = set() if is_stale else self._names
        text = write_lines(((place, entries[place]) for place in entries if place in self._places), names)
        with suppress(DiskFault, OSError):
            if is_stale:
                write_text(self._path, text, is_synced=False)
                return
            with open_in_place(self._path, "ab") as file:
                file.write(text.encode())


def glance(runs_dir: Path, *, is_anew: bool = False) -> list[RunRecord]:
    """Return records as `dlexp.run.scan.scan` does, without the parts that no order and no filter looks at.

    Args:
        runs_dir: Folder of all runs.
        is_anew: Whether to read all of them from their folders.
    """
    index = Index(runs_dir, is_anew=is_anew)
    records: list[RunRecord] = []
    for path in run_places(runs_dir):
        place = "/".join(path.rsplit(os.sep, 2)[-2:])
        record = index.look(path, place, path)
        if record is not None:
            records.append(record)
            inner = setting_paths(Path(path)) if record["kind"] == "cv" else []
            looks = (index.look(str(setting), f"{place}/{setting.name}", path) for setting in inner)
            records += [each for each in looks if each is not None]
    index.write()
    return records


@contextmanager
def uncollected() -> Iterator[None]:
    """Look for no garbage meanwhile: of millions of values that stay, each look takes longer than the one before."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def whole(record: RunRecord) -> RunRecord:
    """Return a record of `glance` with all of its parts, read from its folder."""
    path = Path(record["run_dir"])
    read = read_record(path, path.parent.parent if path.parent.name == SETTINGS else path)
    return read or {**record, "params": dict(record["params"]), "metrics": dict(record["metrics"])}


def _state(path: str) -> State:
    """Return time, size and number of each file; zeros for one that is not there."""
    # an error to be caught takes longer than to ask first
    note_state = _of_file(path + NOTE) if os.access(path + NOTE, os.F_OK) else ABSENT
    try:
        first, second, third = os.stat(path + FILES[0]), os.stat(path + FILES[1]), os.stat(path + FILES[2])
    except OSError:
        return [number for name in FILES for number in _of_file(path + name)] + [*note_state]
    return [
        *(first.st_mtime_ns, first.st_size, first.st_ino),
        *(second.st_mtime_ns, second.st_size, second.st_ino),
        *(third.st_mtime_ns, third.st_size, third.st_ino),
        *note_state,
    ]


def _of_file(path: str) -> tuple[int, int, int]:
    try:
        about = os.stat(path)
    except OSError:
        return ABSENT
    return about.st_mtime_ns, about.st_size, about.st_ino


def _read(path: Path) -> tuple[dict[str, Entry], int, set[str]]:
    """Return the entries by place, the number of lines and the digests of their names; see `read_lines`."""
    try:
        text = read_bytes(path).decode(errors="replace")
    except OSError:
        return {}, 0, set()
    return read_lines(text, _has_its_form)


def _has_its_form(names: Names) -> bool:
    """Say whether names are those of a short record."""
    fields = {*names[0], *MAPS}
    return NEEDED <= fields <= SHORT
