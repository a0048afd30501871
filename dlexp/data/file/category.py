"""One category, however it is written: 1.0 is 1, TRUE is True, a day's midnight is the day."""

import re

_MIDNIGHT = re.compile(r"(\d{4}-\d\d-\d\d)[ T]00:00(:00(\.0+)?)?")
_POINT_ZERO = re.compile(r"(-?\d+)\.0*")


def category(text: str) -> str:
    """Return the name of the category that a text stands for."""
    if text.lower() in ("true", "false"):
        return text.capitalize()
    for pattern in (_POINT_ZERO, _MIDNIGHT):
        match = pattern.fullmatch(text)
        if match:
            return match[1]
    return text
