"""Figures are drawn after the result is written, and one that fails is a warning: no result is lost to a picture."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Drawings = dict[str, Callable[[], "Figure"]]  # what draws each figure, by its name


def attempt(draw: Callable[[], object], log: Callable[[str], None], what: str = "a figure") -> bool:
    """Draw; when that fails for whatever reason, say so on stderr and in the log.

    Args:
        draw: Draws and writes.
        log: Takes a line.
        what: Is drawn, in words.

    Returns:
        Whether it was drawn.
    """
    try:
        draw()
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:160]
        line = f"warning: {what} could not be drawn ({reason}); the result is complete"
        log(line)
        print(line, file=sys.stderr)
        return False
    return True
