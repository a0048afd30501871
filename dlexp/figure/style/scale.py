"""The scale of one searched dimension on an axis: numbers, logarithms, or names in a row."""

import math
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.ticker import (
    FixedLocator,
    FuncFormatter,
    LogFormatterSciNotation,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    NullLocator,
)

from dlexp.figure.style.text import label, shorten

FEW_DECADES = 1.5
LONGEST_NAME = 14
FEW_VALUES = 6
NARROWEST = 0.1  # share of the axis between two ticks
FEWEST_GEOMETRIC = 3
EVEN = 2.0  # largest ratio of two steps that are called even


def is_number(value: Any) -> bool:
    """Say whether a value is a number, which true and false are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def set_scale(axis: Axes, which: Literal["x", "y"], values: list[Any], *, is_log: bool) -> Callable[[Any], float]:
    """Set up an axis for the values of a dimension.

    Args:
        axis: The axes.
        which: Its horizontal or vertical axis.
        values: All that will be drawn.
        is_log: Whether numbers are shown on a logarithmic scale.

    Returns:
        What turns a value into a place on the axis.
    """
    side, set_ends = (axis.xaxis, axis.set_xlim) if which == "x" else (axis.yaxis, axis.set_ylim)
    if values and all(is_number(value) for value in values):
        if is_log and min(values) > 0:
            (axis.set_xscale if which == "x" else axis.set_yscale)("log")
            if min(values) == max(values):
                set_ends(min(values) / 2, max(values) * 2)
            if len(set(values)) <= FEW_VALUES and are_geometric(values):
                side.set_major_locator(FixedLocator(sorted(set(values))))
                side.set_major_formatter(FuncFormatter(lambda value, _place: f"{value:.4g}"))
                side.set_minor_locator(NullLocator())
                return float
            _tick_logarithms(side, min(values), max(values))
        elif _are_few(values):
            side.set_ticks(sorted(set(values)))
        elif all(isinstance(value, int) for value in values):
            side.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1))
        else:
            side.set_major_locator(MaxNLocator(nbins=6))
        return float
    names = sorted({name_of(value) for value in values}, key=lambda name: (len(name), name))
    shown = label([shorten(name, LONGEST_NAME) for name in names]).short
    is_crowded = which == "x" and sum(len(name) for name in shown) > 24
    side.set_ticks(range(len(names)), shown, **({"rotation": 30, "ha": "right"} if is_crowded else {}))
    set_ends(-0.5, max(len(names), 1) - 0.5)
    return lambda value: float(names.index(name_of(value)))


def are_geometric(values: Iterable[Any]) -> bool:
    """Say whether listed numbers grow by a factor rather than by a step: 0.01, 0.1, 1 or 16, 32, 64, not 1, 2, 3.

    At least three positive ones, whose steps are even (within a factor of 2) in the logarithm and uneven as they are.
    """
    listed = list(values)
    if not all(is_number(value) and value > 0 for value in listed):
        return False
    numbers = sorted(set(listed))
    if len(numbers) < FEWEST_GEOMETRIC:
        return False
    steps = [after - before for before, after in pairwise(numbers)]
    factors = [math.log(after / before) for before, after in pairwise(numbers)]
    return max(factors) <= EVEN * min(factors) and max(steps) >= EVEN * min(steps)


def name_of(value: Any) -> str:
    """Return a value that is no number as one types it."""
    return str(value).replace(" ", "").replace("'", "")


def _are_few(values: list[Any]) -> bool:
    """Say whether listed numbers are few and far apart, so that each can have its tick."""
    listed = sorted(set(values))
    if not 1 < len(listed) <= FEW_VALUES:
        return False
    gaps = [after - before for before, after in pairwise(listed)]
    return min(gaps) >= NARROWEST * (listed[-1] - listed[0])


def _tick_logarithms(side: Any, low: float, high: float) -> None:
    """Label a few numbers where there is hardly a power of ten, else powers of ten."""
    if math.log10(high / low) < FEW_DECADES:
        side.set_major_locator(LogLocator(base=10, subs=(1, 2, 5)))
        side.set_major_formatter(FuncFormatter(lambda value, _place: f"{value:.3g}"))
    else:
        side.set_major_locator(LogLocator(base=10, numticks=7))
        side.set_major_formatter(LogFormatterSciNotation())
    side.set_minor_formatter(NullFormatter())
