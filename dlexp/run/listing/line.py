"""The lines of the index of runs: the values of a run each, and once the names of values that many runs share.

A line of names is ``[digest, fields, metrics, params]``; that of a run ``[place, state, digest, values of the fields,
of the metrics, of the params]``, the last two as text: an order looks at one metric, and to read all of 100,000 runs
takes a second. Without its names a run takes little more than half the room, and all lines are read as one document.
What is no such line is passed over, and the run is read from its folder.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

NAMES = 4  # values of a line of them
BREAK = "\n"
MAPS = ("metrics", "params")  # whose names are shared too
Names = tuple[tuple[str, ...], ...]  # of fields, metrics and params
State = list[int]
Entry = tuple[State, dict[str, Any]]


class DamagedLine(Exception):
    """A line of the index whose values cannot be read."""


class Values(Mapping[str, Any]):
    """The metrics or params of a run, read when another than the known one is asked for.

    Args:
        names: Of the values, as keys.
        text: The values as JSON.
        known: Name of a value that is known.
        value: That value.
    """

    __slots__ = ("_known", "_names", "_read", "_text", "_value")

    def __init__(self, names: dict[str, None], text: str, known: Any = None, value: Any = None) -> None:
        self._names, self._text, self._known, self._value = names, text, known, value
        self._read: dict[str, Any] | None = None

    def __getitem__(self, name: str) -> Any:
        """Return a value.

        Raises:
            DamagedLine: The text is not that of as many values as names.
        """
        if name == self._known and name in self._names:
            return self._value
        if self._read is None:
            try:
                self._read = dict(zip(self._names, json.loads(self._text), strict=True))
            except (TypeError, ValueError) as error:
                raise DamagedLine from error
        return self._read[name]

    def get(self, name: str, default: Any = None) -> Any:
        """Return a value; the default where there is none."""
        return self[name] if name in self._names else default

    def __iter__(self) -> Iterator[str]:
        """Return the names."""
        return iter(self._names)

    def __len__(self) -> int:
        """Return the number of names."""
        return len(self._names)


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
        values = [[record[name] for name in fields], *(json.dumps(list(record[name].values())) for name in MAPS)]
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
    shared: dict[str, list[dict[str, None]]] = {}
    for values in lines:
        try:
            if len(values) == NAMES:
                names: Names = tuple(tuple(group) for group in values[1:])
                if values[0] == _digest(names) and is_wanted(names):
                    shared[values[0]] = [dict.fromkeys(group) for group in names]
                continue
            place, state, digest, of_fields, of_metrics, of_params = values
            fields, metrics, params = shared[digest]
            record = dict(zip(fields, of_fields, strict=True))
            if isinstance(of_metrics, str) and isinstance(of_params, str):
                record["metrics"] = Values(metrics, of_metrics, record.get("metric"), record.get("value"))
                record["params"] = Values(params, of_params)
                entries[place] = state, record
        except (TypeError, ValueError, KeyError):
            continue
    return entries, len(lines), set(shared)


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
