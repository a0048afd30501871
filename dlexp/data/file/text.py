"""A column of text by its different entries, and one category, however it is written.

1.0 is the category 1, TRUE is True, a day's midnight is the day. Shapes: N rows.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

_MIDNIGHT = re.compile(r"(\d{4}-\d\d-\d\d)[ T]00:00(:00(\.0+)?)?")
_POINT_ZERO = re.compile(r"(-?\d+)\.0*")


@dataclass(frozen=True)
class Texts:
    """A column of text by its different entries.

    Attributes:
        codes: (N,) int32 number of each row's entry, -1 where it is missing.
        names: The different entries.
    """

    codes: np.ndarray
    names: list[str]

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def is_missing(self) -> np.ndarray:
        """(N,) whether an entry is missing."""
        return self.codes < 0

    def entry(self, row: int) -> str | None:
        """Return the text of a row; None where it is missing."""
        return self.names[self.codes[row]] if self.codes[row] >= 0 else None

    def spread(self, values: Sequence[Any] | np.ndarray, missing: Any) -> np.ndarray:
        """Return (N,) a value for each row from one for each entry; of an array, of its type."""
        dtype = values.dtype if isinstance(values, np.ndarray) else None
        return np.array([*values, missing], dtype)[self.codes]

    def merged(self, rename: Callable[[str], str]) -> "Texts":
        """Return the column with its entries renamed; those that get one name become one, sorted."""
        renamed = [rename(name) for name in self.names]
        order = sorted(set(renamed))
        place = {name: i for i, name in enumerate(order)}
        return Texts(self.spread(np.array([place[name] for name in renamed], np.int32), -1), order)


def category(text: str) -> str:
    """Return the name of the category that a text stands for."""
    if text.lower() in ("true", "false"):
        return text.capitalize()
    for pattern in (_POINT_ZERO, _MIDNIGHT):
        match = pattern.fullmatch(text)
        if match:
            return match[1]
    return text


def without_gaps(texts: Texts, gaps: tuple[str, ...]) -> Texts:
    """Return the entries without spaces around; those that stand for a gap are missing."""
    stripped = [name.strip() for name in texts.names]
    if stripped == texts.names and not set(stripped) & set(gaps):
        return texts
    order = list(dict.fromkeys(name for name in stripped if name not in gaps))
    place = {name: i for i, name in enumerate(order)} | dict.fromkeys(gaps, -1)
    return Texts(texts.spread(np.array([place[name] for name in stripped], np.int32), -1), order)
