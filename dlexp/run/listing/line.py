"""The lines of the index of runs: the values of a run each, and once the names of values that many runs share.

A line of names is ``[digest, fields, metrics, params]``; that of a run ``[place, state, digest, values of the fields,
of the metrics, of the params]``. Without its names a run takes little more than half the room, and all lines
are read as one document. What is no such line is passed over, and the run is read from its folder.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Any

NAMES = 4  # values of a line of them
BREAK = "\n"
MAPS = ("metrics", "params")  # whose names are shared too
Names = tuple[tuple[str, ...], ...]  # of fields, metrics and params
State = list[int]
Entry = tuple[State, dict[str, Any]]


def write_lines(entries: Iterable[tuple[str, Entry]], known: set[str]) -> str:
    """Return the lines of runs, each begun and ended by a line break, so that a torn one before harms none.

    Args:
        entries: Place, state and record of each.
        known: Digests of the names that stand in the file already; those that are written are added.
    """
    lines = []
    digests: dict[Names, str] = {}
    for place, (state, record) in entries:
        fields = tuple(name for name in record if name not in MAPS)
        names = (fields, *(tuple(record[name]) for name in MAPS))
        digest = digests.get(names) or digests.setdefault(names, _digest(names))
        if digest not in known:
            known.add(digest)
            lines.append(json.dumps([digest, *names]))
        values = [[record[name] for name in fields], *(list(record[name].values()) for name in MAPS)]
        lines.append(json.dumps([place, state, digest, *values]))
    return "".join(f"{BREAK}{line}{BREAK}" for line in lines)


def read_lines(text: str, is_wanted: Callable[[Names], bool]) -> tuple[dict[str, Entry], int, set[str]]:
    """Return the entries by place, later ones in the place of earlier ones, the number of lines, and digests of names.

    Args:
        text: Of the file.
        is_wanted: Whether runs of some names are.
    """
    lines = _parsed(text)
    entries: dict[str, Entry] = {}
    known: dict[str, Names] = {}
    for values in lines:
        try:
            if len(values) == NAMES:
                names: Names = tuple(tuple(part) for part in values[1:])
                if values[0] == _digest(names) and is_wanted(names):
                    known[values[0]] = names
                continue
            place, state, digest, of_fields, of_metrics, of_params = values
            fields, metrics, params = known[digest]
            record = dict(zip(fields, of_fields, strict=True))
            record["metrics"] = dict(zip(metrics, of_metrics, strict=True))
            record["params"] = dict(zip(params, of_params, strict=True))
            entries[place] = state, record
        except (TypeError, ValueError, KeyError):
            continue
    return entries, len(lines), set(known)


def _parsed(text: str) -> list[Any]:
    """Return the values of lines: of all at once, or of each that can be read where one cannot."""
    try:
        return json.loads(f"[{text.strip(BREAK).replace(BREAK + BREAK, ',')}]")
    except ValueError:
        return [value for line in text.split(BREAK) if line for value in _of_line(line)]


def _of_line(line: str) -> list[Any]:
    try:
        return [json.loads(line)]
    except ValueError:
        return []


def _digest(names: Names) -> str:
    return hashlib.sha256(json.dumps(names).encode()).hexdigest()[:16]
