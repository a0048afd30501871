"""The record of a card, written row by row, so that a run that was ended goes on where it was."""

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


class Record:
    """Rows by section and name; those measured before on the same card with the same torch and code are kept."""

    def __init__(self, path: Path = RESULTS / "gpu.json", minutes: float = 25.0) -> None:
        """Read what is there.

        Args:
            path: Of the record.
            minutes: After which no further row is begun.
        """
        self._path, self._until = path, time.monotonic() + 60 * minutes
        self.card = card()
        self.rows: list[Row] = []
        if path.is_file():
            before = json.loads(path.read_text())
            if before["card"] == self.card:
                self.rows = before["rows"]

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
            for row in rows:
                self.rows.append({"section": section, "name": name, **row})
                print(self.rows[-1], flush=True)
            self.write()

    def write(self) -> None:
        """Write all rows."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        document = {"note": NOTE, "machine": machine(), "card": self.card, "rows": self.rows}
        self._path.write_text(json.dumps(document, indent=1) + "\n")


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
