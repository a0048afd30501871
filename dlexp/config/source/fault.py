"""Tells errors of the user's own code as theirs: file, line and message."""

import traceback
from pathlib import Path

from dlexp.config import trust
from dlexp.error import DlexpError, first_line


def user_place(error: BaseException | None) -> str:
    """Return ``mine.py:12``, the innermost line of a trusted package that an error went through; "" for none."""
    if error is None:
        return ""
    places = [
        (frame, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if trust.is_granted(str(frame.f_globals.get("__name__", "")).split(".")[0])
    ]
    if not places:
        return user_place(error.__cause__)
    frame, line = places[-1]
    path = Path(frame.f_code.co_filename)
    is_here = path.is_relative_to(Path.cwd())
    return f"{path.relative_to(Path.cwd()) if is_here else path}:{line}"


def user_fault(error: BaseException) -> str:
    """Return ``error in mine.py:12: boom (ValueError)``; "" where the error is not of the user's code.

    What dlexp itself says of such an error stays, with the place behind it.
    """
    place = user_place(error)
    if place and isinstance(error, DlexpError):
        return f"{error} ({place})"
    return f"error in {place}: {first_line(error)} ({type(error).__name__})" if place else ""
