"""Entries of a column of text that are written in different ways and count as one category, or as one moment."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from dlexp.data.file.arrow import values_of
from dlexp.data.file.column import Columns
from dlexp.data.file.text import Texts, category
from dlexp.error import shorten

_SHOWN = 5  # categories or moments


def one_category(table: Columns, name: str) -> list[str]:
    """Return a line that names entries that are one category in different spellings, and how often each is.

    Such are entries with spaces around them, TRUE and True, 1.0 and 1, a day and its midnight.

    Args:
        table: The file.
        name: A column that is taken as text.
    """
    entries = table.content[name]
    if not isinstance(entries, Texts):
        import pyarrow

        if not pyarrow.types.is_string(entries.type):
            return []
        coded = entries.dictionary_encode()
        entries = Texts(values_of(coded.indices, np.int32, -1), coded.dictionary.to_pylist())
    gaps = table.dialect.gaps
    return _alike(name, entries, [None if text.strip() in gaps else category(text.strip()) for text in entries.names])


def one_moment(name: str, entries: Texts, places: Sequence[int]) -> list[str]:
    """Return a line that names entries that are one moment in different spellings: a day and its midnight.

    Args:
        name: The column.
        entries: Its text.
        places: The place of each different entry in the order of time.
    """
    return [] if len(set(places)) == len(places) else _alike(name, entries, places, "moment")


def _alike(name: str, entries: Texts, meanings: Sequence[Any], kind: str = "category") -> list[str]:
    written: dict[Any, list[int]] = {}
    for code, meaning in enumerate(meanings):
        written.setdefault(meaning, []).append(code)
    merged = [codes for meaning, codes in written.items() if len(codes) > 1 and meaning is not None]
    if not merged:
        return []
    counts = np.bincount(entries.codes[entries.codes >= 0], minlength=len(entries.names)).tolist()
    groups = [" and ".join(f"{shorten(repr(entries.names[k]))} ({counts[k]:,})" for k in codes) for codes in merged]
    more = ", ..." if len(groups) > _SHOWN else ""
    return [f"column {name}: taken as the same {kind}: {', '.join(groups[:_SHOWN])}{more}"]
