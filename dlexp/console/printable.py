"""Characters that a terminal obeys instead of showing them, written as Python would write them."""

import re

# C0 and C1 controls but newline and tab, directions that reorder a line, separators that end one, lone surrogates
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """Return text in which all that a terminal would obey instead of show is escaped, as Python would write it."""
    return OBEYED.sub(_escape, text) if OBEYED.search(text) else text


def _escape(match: re.Match[str]) -> str:
    number = ord(match.group())
    if 0xDC80 <= number <= 0xDCFF:  # a byte of a file name that is no UTF-8
        number -= 0xDC00
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"
