"""An axis of shares that is logarithmic in the error 1 - share. Shapes: N values."""

import math
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

MARGIN = 0.06
MOST_TICKS = 7
STEPS = ((1, 2, 5), (1, 3), (1,))  # of a decade: as many as there is room for


def set_error_scale(axis: Axes, which: Literal["x", "y"], low: float, high: float, least_error: float) -> None:
    """Give an axis of shares the place -log10(1 + least_error - share), and ticks at shares such as 0.9, 0.95, 0.99.

    Args:
        axis: The axes.
        which: Its horizontal or vertical axis.
        low: The least share that is shown.
        high: The largest, at most 1.
        least_error: Added to all errors, > 0: the place of a share of 1 is finite.
    """
    top = 1 + least_error

    def place(shares_N: Any) -> Any:
        return -np.log10(np.maximum(top - np.asarray(shares_N, dtype=np.float64), least_error / 10))

    def share(places_N: Any) -> Any:
        return top - 10 ** -np.asarray(places_N, dtype=np.float64)

    factor = ((top - low) / (top - high)) ** MARGIN
    side = axis.xaxis if which == "x" else axis.yaxis
    (axis.set_xscale if which == "x" else axis.set_yscale)("function", functions=(place, share))
    (axis.set_xlim if which == "x" else axis.set_ylim)(top - (top - low) * factor, top - (top - high) / factor)
    side.set_major_locator(FixedLocator(ticks(low, high, least_error)))
    side.set_minor_locator(NullLocator())
    side.set_major_formatter(FuncFormatter(lambda value, _place: f"{value:.6g}"))


def ticks(low: float, high: float, least_error: float) -> list[float]:
    """Return shares between two others whose errors are round, at most seven, and 1 where it is shown.

    Args:
        low: The least share.
        high: The largest, at most 1.
        least_error: Where the axis puts 1; errors of less than twice that would stand in its way.
    """
    largest = 1 - low
    least = 1 - high or 2 * least_error
    within: list[float] = []
    decades = range(math.floor(math.log10(least)) - 1, math.ceil(math.log10(largest)) + 1)
    for steps in STEPS:
        errors = [step * 10.0**decade for decade in decades for step in steps]
        within = sorted(1 - error for error in errors if least <= error * (1 + 1e-9) and error <= largest * (1 + 1e-9))
        if len(within) <= MOST_TICKS:
            break
    return [*within, 1.0] if high == 1 else within
