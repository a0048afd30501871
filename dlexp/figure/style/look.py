"""The format, size and resolution of the figures that this process draws: those that the user asked for."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from dlexp.error import ConfigError

Format = Literal["png", "pdf", "svg"]
CM = 1 / 2.54  # inches
NARROWEST, WIDEST = 6.0, 60.0  # cm
LOWEST, HIGHEST = 3.0, 120.0  # cm
MOST_DOTS = 12000  # of a side: 144 million dots take 0.6 GB while they are drawn


@dataclass(frozen=True)
class Look:
    """How a figure is written.

    Attributes:
        format: Of the figures of a run; where the user names the file, its ending counts.
        width: Inches; None for at most two panels beside each other, 16 cm.
        height: Inches; None for what the content needs.
        dpi: Dots an inch, of PNG.
    """

    format: Format = "png"
    width: float | None = None
    height: float | None = None
    dpi: int = 200


_USUAL = Look()
_look: ContextVar[Look] = ContextVar("look", default=_USUAL)


def look() -> Look:
    """Return how figures are written."""
    return _look.get()


def change_look(**changes: Any) -> None:
    """Have the figures from now on written otherwise, by the attributes of `Look`.

    Raises:
        ConfigError: Width times dots an inch is more than a picture may have.
    """
    changed = replace(_look.get(), **changes)
    dots = changed.dpi * max(changed.width or 0.0, changed.height or 0.0)
    if dots > MOST_DOTS:
        raise ConfigError(f"--figure-dpi: got {dots:.0f} dots for a side of the figure; at most {MOST_DOTS}")
    _look.set(changed)


@contextmanager
def only_here(**changes: Any) -> Iterator[None]:
    """Have the figures that are drawn inside written otherwise, by the attributes of `Look`."""
    token = _look.set(replace(_look.get(), **changes))
    try:
        yield
    finally:
        _look.reset(token)


def flags() -> list[str]:
    """Return the options of a command that have figures written as they are now; none for how they usually are."""
    now = look()
    format_ = [] if now.format == _USUAL.format else ["--figure-format", now.format]
    dpi = [] if now.dpi == _USUAL.dpi else ["--figure-dpi", str(now.dpi)]
    if now.width is None:
        return [*format_, *dpi]
    size = f"{now.width / CM:.6g}" if now.height is None else f"{now.width / CM:.6g}x{now.height / CM:.6g}"
    return [*format_, "--figure-size", size, *dpi]


def require_format(path: Path) -> str:
    """Return the format that a figure's name ends with.

    Raises:
        ConfigError: It is none that figures have.
    """
    suffix = path.suffix.removeprefix(".").lower()
    if suffix not in get_args(Format):
        raise ConfigError(f"{path}: got a figure named {path.name}; names end with {', '.join(get_args(Format))}")
    return suffix


def read_size(text: str) -> tuple[float, float | None]:
    """Return the width and the height, in inches, of WIDTH or WIDTHxHEIGHT in cm; None for a height that is not named.

    Raises:
        ConfigError: It is no size, or one that holds no figure.
    """
    match = re.fullmatch(r"(\d+\.?\d*)(?:x(\d+\.?\d*))?", text)
    width, height = (float(side) if side else None for side in match.groups()) if match else (None, None)
    is_high = height is None or LOWEST <= height <= HIGHEST
    if width is None or not NARROWEST <= width <= WIDEST or not is_high:
        raise ConfigError(
            f"--figure-size: got {text}; WIDTH or WIDTHxHEIGHT in cm, such as 8 or 8x6, is needed: "
            f"{NARROWEST:g} to {WIDEST:g} wide and {LOWEST:g} to {HIGHEST:g} high"
        )
    return width * CM, None if height is None else height * CM
