"""Text of foreign origin (class names, columns, paths, messages) made harmless for a terminal."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import rich.markup
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from dlexp.console.printable import OBEYED, printable


def escape(text: object) -> str:
    """Return text of foreign origin as it is shown in a line with markup."""
    return rich.markup.escape(printable(str(text)))


def short_path(path: Path | str) -> str:
    """Return a path as seen from the working directory where it lies below that."""
    return str(Path(path).relative_to(Path.cwd())) if Path(path).is_relative_to(Path.cwd()) else str(path)


def size_text(number: float) -> str:
    """Return bytes in what suits them: 512 B, 8.3 KiB, 46 MiB, 1.1 GiB."""
    for name in ("B", "KiB", "MiB"):
        if number < 1024:
            return f"{number:,.1f} {name}" if number < 10 and name != "B" else f"{number:,.0f} {name}"
        number /= 1024
    return f"{number:,.1f} GiB"


class SafeConsole(Console):
    """A console through which no text reaches the terminal raw, whoever built it."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a text from a string, before it is measured."""
        return super().render_str(printable(text), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield the segments of anything, their texts harmless; rich's own control codes stand apart from texts."""
        for segment in super().render(renderable, options):
            if segment.control or not OBEYED.search(segment.text):
                yield segment
            else:
                yield Segment(printable(segment.text), segment.style)
