"""The SVG of figures, drawn at the width that a page of a phone has."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlexp.figure.style.canvas import Figure

WIDTH = 3.54  # inches, 9 cm: 340 of a phone's 400 pixels


def drawing(draw: "Callable[[], Figure]", width: float = WIDTH) -> Callable[[], bytes]:
    """Return what draws a figure as SVG, whatever look the files of figures have."""

    def svg() -> bytes:
        from dlexp.figure.style.canvas import render
        from dlexp.figure.style.look import only_here

        with only_here(format="svg", width=width, height=None):
            return render(draw(), "svg")

    return svg
