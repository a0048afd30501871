"""Which worker may write to a run folder where no lock reaches: the number of the attempt that was begun last."""

from contextlib import suppress
from pathlib import Path

from dlexp.durable import write_text

FILE = "attempt"


def read(folder: Path) -> int:
    """Return the number of the last attempt; 0 where none was counted or the file is damaged."""
    with suppress(OSError, ValueError):
        return int((folder / FILE).read_text())
    return 0


def begin(folder: Path) -> int:
    """Count one more attempt and return its number: all earlier ones may write no more."""
    number = read(folder) + 1
    write_text(folder / FILE, str(number))
    return number
