"""Cells of a table that a spreadsheet would compute instead of show."""

from typing import Any

BEGINNINGS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # the last in full width


def inert(cell: Any) -> Any:
    """Return a cell that a spreadsheet shows as it is: before a text that it would take for a formula, an apostrophe.

    Numbers, also those written as text, are left as they are.

    References:
        OWASP (2023), CSV Injection.
    """
    if not isinstance(cell, str) or not cell.startswith(BEGINNINGS):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell
