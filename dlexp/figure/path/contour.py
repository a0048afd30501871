"""Level lines of a function of two variables, and paths over it. Shapes: S points, G grid points a side."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from dlexp.figure.style.canvas import add_legend, new_figure, styled
from dlexp.figure.style.color import MARKED, NEUTRAL
from dlexp.figure.style.text import plain
from dlexp.number import noun

SIDE = 5.2  # inches
GRID = 160
LINES = 24
# Okabe and Ito's without yellow, which does not stand out from white; the dashes tell the second round apart
COLORS = ("#0072b2", "#d55e00", "#009e73", "#a6517f", "#8c6d00", "#111111", "#2f7fb5")
DASHES = ("-", "--", ":", "-.")


@dataclass(frozen=True)
class Field:
    """What paths go over.

    Attributes:
        title: For people.
        function: Takes points (T, 2), returns values (T,).
        window: x from, x to, y from, y to.
        minima: Of the function in the window.
    """

    title: str
    function: Callable[[Tensor], Tensor]
    window: tuple[float, float, float, float]
    minima: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Track:
    """A path.

    Attributes:
        name: Of the rule.
        points_S2: The start and the point after each step.
        steps: Until it arrived; None where it did not.
    """

    name: str
    points_S2: np.ndarray
    steps: int | None

    @property
    def label(self) -> str:
        """The name, and after how many steps it arrived."""
        return f"{self.name}: {'not there' if self.steps is None else noun(self.steps, 'step')}"


@styled()
def contour_figure(field: Field, tracks: Sequence[Track]) -> Figure:
    """Return the level lines, which are denser near the lowest value, with the paths and the minima.

    Args:
        field: The function.
        tracks: At least one.
    """
    figure = new_figure(SIDE, SIDE * 0.8)
    axis = figure.subplots()
    draw_field(axis, field)
    for number, track in enumerate(tracks):
        color, dash = style_of(number)
        axis.plot(*track.points_S2.T, dash, color=color, label=track.label, marker=".", ms=2.5, lw=1)
        if track.steps is not None:
            axis.plot(*track.points_S2[-1], "o", color=color, ms=4)
    axis.plot(*tracks[0].points_S2[0], "s", color=MARKED, ms=5, label="start")
    add_legend(figure, is_below=True)
    return figure


def style_of(number: int) -> tuple[str, str]:
    """Return colour and dashes of a path."""
    return COLORS[number % len(COLORS)], DASHES[number % len(DASHES)]


def draw_field(axis: Axes, field: Field) -> None:
    """Draw level lines and minima of a function, and fix the window."""
    left, right, low, high = field.window
    x_G, y_G = np.linspace(left, right, GRID), np.linspace(low, high, GRID)
    points = torch.from_numpy(np.stack(np.meshgrid(x_G, y_G), -1).reshape(-1, 2))
    values_GG = field.function(points).reshape(GRID, GRID).numpy()
    height_GG = np.log1p((values_GG - values_GG.min()) * 20)
    axis.contour(x_G, y_G, height_GG, levels=LINES, colors=NEUTRAL, linewidths=0.5, alpha=0.55)
    for number, minimum in enumerate(field.minima):
        axis.plot(*minimum, "*", color=MARKED, ms=9, label=None if number else "minimum")
    axis.set(xlim=(left, right), ylim=(low, high), xlabel="x", ylabel="y", title=plain(field.title))
    axis.grid(visible=False)
