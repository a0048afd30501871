"""What a hand-made source is: a function that writes it, and what reading it must give."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Case:
    """One source.

    Attributes:
        name: For the test's name.
        write: Writes it into a folder and returns the overrides that name it.
        expected: Attributes of the data set: `task`, `class_names`, `feature_names`, `num`, `inputs` (of row 0),
            `targets` (of the first rows), `ids` (the first ones).
        notes: Pieces of what is said, one for each note; None where notes do not matter.
        refusal: A pattern of the error; None where it is read.
        new: Name of the file, written by `write`, that is predicted; None takes the source itself.
    """

    name: str
    write: Callable[[Path], list[str]]
    expected: dict[str, Any] = field(default_factory=dict)
    notes: list[str] | None = None
    refusal: str | None = None
    new: str | None = None
