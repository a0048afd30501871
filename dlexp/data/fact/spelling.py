"""Entries of a column of text that are written in different ways and count as one category."""

import numpy as np

from dlexp.data.file.arrow import values_of
from dlexp.data.file.column import Columns
from dlexp.data.file.text import Texts, category
from dlexp.error import shorten

_SHOWN = 5  # categories


def one_category(table: Columns, name: str) -> list[str]:
    """Return a line that names entries that differ by spaces around them, or by TRUE and True, and how often each is.

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
    written: dict[str, list[int]] = {}
    for code, text in enumerate(entries.names):
        is_boolean = text.strip().lower() in ("true", "false")
        written.setdefault(category(text.strip()) if is_boolean else text.strip(), []).append(code)
    merged = [codes for label, codes in written.items() if len(codes) > 1 and label not in table.dialect.gaps]
    if not merged:
        return []
    counts = np.bincount(entries.codes[entries.codes >= 0], minlength=len(entries.names)).tolist()
    groups = [" and ".join(f"{shorten(repr(entries.names[k]))} ({counts[k]:,})" for k in codes) for codes in merged]
    more = ", ..." if len(groups) > _SHOWN else ""
    return [f"column {name}: taken as the same category: {', '.join(groups[:_SHOWN])}{more}"]
