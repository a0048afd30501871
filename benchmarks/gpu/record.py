"""The record of cards, written row by row, so that a run that was ended goes on where it was.

Each row names the card and the commit that it was measured on. Rows of another card or commit stay until the same is
measured anew.
"""

import json
import platform
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from benchmarks.measure import RESULTS, machine

NOTE = "us: microseconds of an update for each trial; against_hand: a plain loop's / ours, above 1 ours is faster"
Row = dict[str, Any]
Document = dict[str, Any]


class Record:
    """Rows by section and name; those of the same card, torch and commit are not measured again."""

    def __init__(self, path: Path = RESULTS / "gpu.json", minutes: float = 25.0) -> None:
        """Read what is there.

        Args:
            path: Of the record.
            minutes: After which no further row is begun.
        """
        self._path, self._until = path, time.monotonic() + 60 * minutes
        self._card = card()
        self._on = key_of(self._card)
        self.document = read(path)

    @property
    def rows(self) -> list[Row]:
        """The rows of this card and commit."""
        return [row for row in self.document["rows"] if row["on"] == self._on]

    def fill(self, section: str, names: list[str], measure: Callable[[str], Iterator[Row]]) -> None:
        """Measure what is not there yet; what fails is recorded with its reason.

        Args:
            section: Of the rows.
            names: What to measure, in turn.
            measure: Yields the rows of a name.
        """
        for name in names:
            if any((row["section"], row["name"]) == (section, name) for row in self.rows):
                continue
            if time.monotonic() > self._until:
                print(f"out of time before {section}: {name}; the same command goes on", flush=True)
                return
            try:
                rows = list(measure(name))
            except Exception as error:
                rows = [{"failed": f"{type(error).__name__}: {str(error).strip().splitlines()[0][:200]}"}]
            named = [{"section": section, "name": name, "on": self._on, **row} for row in rows]
            print(*named, sep="\n", flush=True)
            merge(self.document, {"cards": {self._on: {**self._card, "machine": machine()}}, "rows": named})
            write(self.document, self._path)


def read(path: Path) -> Document:
    """Return a record; one that is not there is empty."""
    return json.loads(path.read_text()) if path.is_file() else {"note": NOTE, "cards": {}, "rows": []}


def write(document: Document, path: Path) -> None:
    """Write a record."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n")


def merge(document: Document, other: Document) -> None:
    """Take another record's rows into a record, in the place of those of the same section and name."""
    replaced = {(row["section"], row["name"]) for row in other["rows"]}
    document["rows"] = [row for row in document["rows"] if (row["section"], row["name"]) not in replaced] + other[
        "rows"
    ]
    cards = {**document["cards"], **other["cards"]}
    document["cards"] = {key: cards[key] for key in dict.fromkeys(row["on"] for row in document["rows"])}


def key_of(card: dict[str, Any]) -> str:
    """Return what rows name a card and commit by."""
    return f"{card['name']}, torch {card['torch']}, {card['commit']}"


def card() -> dict[str, Any]:
    """Return what the figures depend on: card, driver, libraries, and the code's commit where there is one."""
    properties = torch.cuda.get_device_properties(0)
    query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    return {
        "name": properties.name,
        "memory_gib": round(properties.total_memory / 2**30, 1),
        "capability": f"{properties.major}.{properties.minor}",
        "driver": _output(query),
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "commit": _output(["git", "rev-parse", "--short", "HEAD"]),
    }


def _output(command: list[str]) -> str | None:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().splitlines()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        return None
