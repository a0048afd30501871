"""Figures are drawn after the result is written, and one that fails is a warning: no result is lost to a picture."""

import sys
from collections.abc import Callable


def attempt(draw: Callable[[], object], log: Callable[[str], None]) -> bool:
    """Draw; when that fails for whatever reason, say so on stderr and in the log.

    Args:
        draw: Draws and writes.
        log: Takes a line.

    Returns:
        Whether it was drawn.
    """
    try:
        draw()
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:160]
        line = f"warning: a figure could not be drawn ({reason}); the result is complete"
        log(line)
        print(line, file=sys.stderr)
        return False
    return True
