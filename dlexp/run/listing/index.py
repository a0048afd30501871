"""What listings sort and filter by, of all runs at once: an index that is made from run folders and never the truth.

`.index` in the runs folder has a line for each run that is over: its folder, the state of the four files that its
record is read from (time, size and number of the file), and the record without its long parts. A run whose files have
another state is read again, so is one that is not over; without the file all are. Lines are added, later ones count.
"""

import gc
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

from dlexp.disk.durable import write_text
from dlexp.disk.regular import open_in_place, read_bytes
from dlexp.error import DiskFault
from dlexp.run.document import RunRecord
from dlexp.run.folder import MANIFEST, OVERRIDES, RESULT, SETTINGS
from dlexp.run.listing import note
from dlexp.run.listing.filter import FIELDS
from dlexp.run.listing.record import read_record
from dlexp.run.scan import run_paths, setting_paths
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
FILES = (MANIFEST, RESULT, OVERRIDES, note.FILE)
SETTLED_NS = 10**9  # a file that was written to since may be written to again within the clock's grain
MOST_STALE = 2  # times as many lines as runs, after which the file is written anew

State = list[int]
Entry = tuple[State, dict[str, Any]]


class Index:
    """The index of a runs folder, as it was when it was read, and what was read of folders since.

    Args:
        runs_dir: Folder of all runs.
    """

    def __init__(self, runs_dir: Path) -> None:
        self._path = runs_dir / INDEX
        self._known, self._num_lines = _read(self._path)
        self._fresh: dict[str, Entry] = {}
        self._places: set[str] = set()

    def look(self, path: Path, place: str, locked: Path) -> RunRecord | None:
        """Return the record of a run without its long parts, from the index where its files are as they were.

        Args:
            path: The run's folder.
            place: What it is known by here.
            locked: As of `read_record`.
        """
        self._places.add(place)
        state = _state(str(path))
        entry = self._known.get(place)
        if entry is not None and entry[0] == state:
            entry[1]["run_dir"] = str(path)
            return cast(RunRecord, entry[1])
        record = read_record(path, locked)
        if record is None:
            return None
        short = {name: value for name, value in record.items() if name in SHORT}
        if record["status"] in OVER and time.time_ns() - max(state[::3]) > SETTLED_NS:
            self._fresh[place] = state, short
        return cast(RunRecord, {**short, "run_dir": str(path)})

    def write(self) -> None:
        """Add what was read, or write all anew where most lines count no more; a folder that refuses has no index."""
        if not self._fresh:
            return
        is_stale = not self._known or self._num_lines + len(self._fresh) > MOST_STALE * len(self._places)
        entries = self._known | self._fresh if is_stale else self._fresh
        text = "".join(_line(place, *entries[place]) for place in entries if place in self._places)
        with suppress(DiskFault, OSError):
            if is_stale:
                write_text(self._path, text, is_synced=False)
                return
            with open_in_place(self._path, "ab") as file:
                file.write(text.encode())


def glance(runs_dir: Path) -> list[RunRecord]:
    """Return records as `dlexp.run.scan.scan` does, without the parts that no order and no filter looks at.

    Args:
        runs_dir: Folder of all runs.
    """
    with _uncollected():
        return _glance(runs_dir)


def _glance(runs_dir: Path) -> list[RunRecord]:
    index = Index(runs_dir)
    records: list[RunRecord] = []
    for path in run_paths(runs_dir):
        place = f"{path.parent.name}/{path.name}"
        record = index.look(path, place, path)
        if record is not None:
            records.append(record)
            inner = setting_paths(path) if record["kind"] == "cv" else []
            looks = (index.look(setting, f"{place}/{setting.name}", path) for setting in inner)
            records += [each for each in looks if each is not None]
    index.write()
    return records


@contextmanager
def _uncollected() -> Iterator[None]:
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
    return read_record(path, path.parent.parent if path.parent.name == SETTINGS else path) or record


def _state(path: str) -> State:
    """Return time, size and number of each file; zeros for one that is not there."""
    state: State = []
    for name in FILES:
        try:
            about = os.stat(f"{path}/{name}")
        except OSError:
            state += (0, 0, 0)
        else:
            state += (about.st_mtime_ns, about.st_size, about.st_ino)
    return state


def _read(path: Path) -> tuple[dict[str, Entry], int]:
    """Return the entries by place, and the number of lines; lines that are no entries are passed over."""
    try:
        lines = [line for line in read_bytes(path).decode(errors="replace").split("\n") if line]
    except OSError:
        return {}, 0
    return {place: entry for line in lines for place, entry in _entry(line)}, len(lines)


def _line(place: str, state: State, record: dict[str, Any]) -> str:
    short = {name: value for name, value in record.items() if name in SHORT}
    return f"\n{json.dumps([place, state, short])}\n"


def _entry(line: str) -> Iterator[tuple[str, Entry]]:
    try:
        place, state, record = json.loads(line)
        is_placed = isinstance(place, str) and isinstance(state, list)
        is_whole = NEEDED <= record.keys() <= SHORT and record["status"] in OVER
        has_maps = isinstance(record["params"], dict) and isinstance(record["metrics"], dict)
    except (ValueError, TypeError, AttributeError, KeyError):
        return
    if is_placed and is_whole and has_maps:
        yield place, (state, record)
