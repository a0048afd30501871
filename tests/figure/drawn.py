"""What a figure shows, as numbers and texts, and names that are hard to draw."""

import warnings

import numpy as np
from matplotlib.collections import Collection
from matplotlib.figure import Figure
from matplotlib.text import Text
from numpy.typing import ArrayLike

from dlexp.figure.style.canvas import styled
from dlexp.figure.style.text import use_fonts

LONG = "a_label_of_eighty_characters_with_$dollars$_and_<signs>_" + "x" * 24
HARD_NAMES = ["猫", "كلب", "_hidden", "$x^$", "a\nb\tc", "\\frac", "", "🐈", LONG]


def numbers(data: ArrayLike) -> list[float]:
    """Return the coordinates along one axis."""
    return np.asarray(data).tolist()


def points(data: ArrayLike) -> list[list[float]]:
    """Return points (N, 2), x and y of each."""
    return np.asarray(data, dtype=np.float64).reshape(-1, 2).tolist()


def corners(item: Collection) -> set[tuple[float, float]]:
    """Return the corners of the first area of a collection, to six digits."""
    return {(round(x, 6), round(y, 6)) for x, y in points(item.get_paths()[0].vertices)}


def texts(figure: Figure) -> list[str]:
    """Return every text that a figure shows."""
    figure.draw_without_rendering()
    items = [item for item in figure.findobj(Text) if isinstance(item, Text)]
    return [item.get_text().replace("\u00a0", " ") for item in items if item.get_text() and item.get_visible()]


def assert_is_drawn_whole(figure: Figure) -> None:
    """Assert that a figure is drawn without a warning, and that its axes keep at least a third of its width."""
    with styled(), warnings.catch_warnings():
        warnings.simplefilter("error")
        use_fonts(figure)
        figure.draw_without_rendering()
    assert figure.axes
    for axis in figure.axes[:1]:
        assert axis.get_position().width > 0
        assert axis.get_position().height > 0
    width, height = figure.get_size_inches()
    right = max(axis.get_position().x1 for axis in figure.axes)
    left = min(axis.get_position().x0 for axis in figure.axes)
    assert (right - left) * width > width / 3
    assert max(axis.get_position().y1 for axis in figure.axes) <= 1.001
    assert height > 0.5
