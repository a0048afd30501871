"""Cells of a table that a spreadsheet would compute, or a terminal obey, instead of show."""

from typing import Any

from dlexp.console.printable import printable

BEGINNINGS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # the last in full width


def inert(cell: Any) -> Any:
    """Return a cell that a spreadsheet and a terminal show as it is.

    Before a text that would be taken for a formula stands an apostrophe, and control characters are escaped as Python
    writes them. Numbers, also those written as text, are left as they are.

    References:
        OWASP (2023), CSV Injection.
    """
    if not isinstance(cell, str):
        return cell
    return printable(f"'{cell}" if cell.startswith(BEGINNINGS) and not _is_number(cell) else cell)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
