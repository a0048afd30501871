"""What listings sort and filter by, of all runs at once: an index that is made from run folders and never the truth.

`.index` in the runs folder has a line for each run that is over: its folder, the state of the four files that its
record is read from (time, size and number of the file), and the record without its long parts. A run whose files have
another state is read again, so is one that is not over; without the file all are. Lines are added, later ones count.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from dlexp.disk.durable import write_text
from dlexp.disk.regular import read_bytes
from dlexp.error import DiskFault
from dlexp.run.document import RunRecord
from dlexp.run.folder import MANIFEST, OVERRIDES, RESULT
from dlexp.run.listing import note
from dlexp.run.listing.filter import FIELDS
from dlexp.run.listing.record import read_record
from dlexp.run.scan import run_paths, setting_paths
from dlexp.run.status import Status

INDEX = ".index"
KEPT_OF_A_RECORD = (*FIELDS, "params", "metrics")
FILES = (MANIFEST, RESULT, OVERRIDES, note.FILE)
SETTLED_NS = 10**9  # a file that was written to since may be written to again within the clock's grain
MOST_STALE = 2  # times as many lines as runs, after which the file is written anew

State = list[int]
Entry = tuple[State, dict[str, Any]]


def glance(runs_dir: Path) -> list[RunRecord]:
    """Return records as `dlexp.run.scan.scan` does, without the parts that no order and no filter looks at.

    Args:
        runs_dir: Folder of all runs.
    """
    known, num_lines = _read(runs_dir)
    fresh: dict[str, Entry] = {}
    records: list[RunRecord] = []
    places: set[str] = set()
    for path in run_paths(runs_dir):
        record = _look(path, path, runs_dir, known, fresh, places)
        if record is not None:
            records.append(record)
            inner = setting_paths(path) if record["kind"] == "cv" else []
            looks = (_look(setting, path, runs_dir, known, fresh, places) for setting in inner)
            records += [each for each in looks if each is not None]
    _write(runs_dir, known, fresh, num_lines, places)
    return records


def whole(record: RunRecord) -> RunRecord:
    """Return a record of `glance` with all of its parts, read from its folder."""
    path = Path(record["run_dir"])
    is_inner = record["kind"] == "setting"
    return read_record(path, path.parent.parent if is_inner else path) or record


def _look(
    path: Path, locked: Path, runs_dir: Path, known: dict[str, Entry], fresh: dict[str, Entry], places: set[str]
) -> RunRecord | None:
    """Return the record of a run, from the index where its files are as they were."""
    place = os.path.relpath(path, runs_dir) if path.is_absolute() else str(path)[len(str(runs_dir)) + 1 :]
    places.add(place)
    state = _state(str(path))
    entry = known.get(place)
    if entry is not None and entry[0] == state:
        return cast(RunRecord, {**entry[1], "run_dir": str(path)})
    record = read_record(path, locked)
    if record is None:
        return None
    kept = {name: value for name, value in record.items() if name in KEPT_OF_A_RECORD}
    if Status(record["status"]).is_over and time.time_ns() - max(state[::3]) > SETTLED_NS:
        fresh[place] = state, kept
    return cast(RunRecord, {**kept, "run_dir": str(path)})


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


def _read(runs_dir: Path) -> tuple[dict[str, Entry], int]:
    """Return the entries by place, and the number of lines; lines that are no entries are passed over."""
    try:
        lines = read_bytes(runs_dir / INDEX).split(b"\n")
    except OSError:
        return {}, 0
    return {place: entry for line in lines if line for place, entry in _entry(line)}, len(lines)


def _entry(line: bytes) -> Iterator[tuple[str, Entry]]:
    try:
        place, state, record = json.loads(line)
    except (ValueError, TypeError):
        return
    is_whole = isinstance(record, dict) and all(isinstance(record.get(name), dict) for name in ("params", "metrics"))
    if isinstance(place, str) and isinstance(state, list) and is_whole and {"kind", "status", "run_id"} <= record.keys():
        yield place, (state, record)


def _write(
    runs_dir: Path, known: dict[str, Entry], fresh: dict[str, Entry], num_lines: int, places: set[str]
) -> None:
    """Add what was read, or write all anew where most lines count no more; a folder that refuses has no index."""
    if not fresh:
        return
    is_stale = num_lines + len(fresh) > MOST_STALE * len(places)
    entries = {place: entry for place, entry in (known | fresh).items() if place in places} if is_stale else fresh
    text = "".join(f"\n{json.dumps([place, *entry])}\n" for place, entry in entries.items())
    with suppress(DiskFault, OSError):
        if is_stale or not known:
            write_text(runs_dir / INDEX, text, is_synced=False)
            return
        descriptor = os.open(runs_dir / INDEX, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)
