"""Limits of an axis that one diverged value cannot stretch, and when the axis is logarithmic."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from matplotlib.axes import Axes

from dlexp.figure.style.color import FAILED
from dlexp.figure.style.error_axis import set_error_scale

DECADE = 10.0  # positive values that span more are shown on a logarithmic axis
FARTHEST = 1e3  # times the usual size that a value may lie away from the median
FARTHEST_OF_CURVE = 1e6  # of a loss by epoch, which falls by many decades without having diverged
MARGIN = 0.06
SHARES = ("accuracy", "f1", "precision", "recall", "auc")  # at most 1; a logarithm would distort these, and r2
HIGH = 0.8  # a median share from which errors tell more than shares
MARKS = {"x": "<>", "y": "v^"}  # at the lower and at the upper end
BEYOND = "beyond the axis"


@dataclass(frozen=True)
class Limit:
    """What is shown of values.

    Attributes:
        low: The least value that is shown.
        high: The largest.
        is_log: Whether the axis is logarithmic.
        num_clipped: Values that are not shown where they lie: infinite, not a number, or far away.
        least_error: Added to the errors 1 - share of shares that crowd at 1, whose axis is logarithmic; 0: it is not.
    """

    low: float
    high: float
    is_log: bool
    num_clipped: int
    least_error: float = 0.0

    def has(self, value: float | None) -> bool:
        """Say whether a value is shown where it lies."""
        return value is not None and math.isfinite(value) and self.low <= value <= self.high


def is_log_metric(metric: str) -> bool:
    """Say whether a metric may be shown on a logarithmic axis: a loss or an error, not a share."""
    return not is_share(metric) and "r2" not in metric


def is_share(metric: str) -> bool:
    """Say whether a metric is at most 1, which is perfect."""
    return any(word in metric for word in SHARES)


def limit_of(values: Iterable[float | None], metric: str, *, farthest: float = FARTHEST) -> Limit:
    """Return the limits of a metric's values: of losses over more than a decade on a logarithmic axis.

    Shares s whose median is 0.8 or more and whose errors 1 - s span more than a decade are shown on a logarithmic axis
    of errors: above 0.9 all look the same otherwise.

    Args:
        values: None is no value and counts nowhere.
        metric: Its name.
        farthest: See `limit`.
    """
    values = list(values)
    limits = limit(values, may_be_log=is_log_metric(metric), farthest=farthest)
    shown = sorted(value for value in values if value is not None and limits.has(value))
    if not shown or not is_share(metric) or shown[len(shown) // 2] < HIGH or shown[-1] > 1:
        return limits
    errors = [1 - value for value in shown if value < 1]
    if not errors or errors[0] <= DECADE * errors[-1]:
        return limits
    return replace(limits, least_error=errors[-1] / 2 if shown[-1] == 1 else errors[-1] / DECADE)


def limit(values: Iterable[float | None], *, may_be_log: bool = True, farthest: float = FARTHEST) -> Limit:
    """Return the limits of values.

    Shown are finite values x with |x - m| <= farthest * max(MAD, |m|), with their median m and their median absolute
    deviation MAD from it.

    Args:
        values: None is no value and counts nowhere.
        may_be_log: Whether an axis over more than a decade is logarithmic; such as of losses, not of accuracies.
        farthest: See above.
    """
    given = [float(value) for value in values if value is not None]
    finite = sorted(value for value in given if math.isfinite(value))
    if not finite:
        return Limit(0.0, 1.0, False, len(given))
    middle = finite[(len(finite) - 1) // 2]  # the lower median: of two values the larger may have diverged
    deviation = sorted(abs(value - middle) for value in finite)[(len(finite) - 1) // 2]
    usual = max(deviation, abs(middle)) or 1.0
    near = [value for value in finite if abs(value - middle) <= farthest * usual]
    is_log = may_be_log and near[0] > 0 and near[-1] > DECADE * near[0]
    return Limit(near[0], near[-1], is_log, len(given) - len(near))


def set_limit(axis: Axes, which: Literal["x", "y"], limits: Limit) -> None:
    """Give an axis its limits, with a margin, and its scale."""
    set_scale, set_ends = (axis.set_xscale, axis.set_xlim) if which == "x" else (axis.set_yscale, axis.set_ylim)
    if limits.least_error:
        set_error_scale(axis, which, limits.low, min(limits.high, 1.0), limits.least_error)
        return
    if limits.is_log:
        factor = (limits.high / limits.low) ** MARGIN
        set_scale("log")
        set_ends(limits.low / factor, limits.high * factor)
        return
    room = MARGIN * (limits.high - limits.low) or MARGIN * abs(limits.high) or MARGIN
    set_ends(limits.low - room, limits.high + room)


def mark_clipped(
    axis: Axes,
    places: Sequence[float],
    values: Sequence[float | None],
    limits: Limit,
    which: Literal["x", "y"] = "y",
) -> None:
    """Draw an arrow at the end of an axis for each value that lies beyond it.

    Args:
        axis: The axes, after `set_limit`.
        places: Coordinate of each value along the other axis.
        values: None draws nothing; what is not a number, or infinite, is drawn at the upper end.
        limits: Of the axis.
        which: The axis that holds the values.
    """
    for is_upper in (True, False):
        away = [
            place
            for place, value in zip(places, values, strict=True)
            if value is not None and not limits.has(value) and (not value < limits.low) == is_upper
        ]
        if away:
            ends = [0.97 if is_upper else 0.03] * len(away)
            is_x = which == "x"
            axis.plot(
                *((ends, away) if is_x else (away, ends)),
                MARKS[which][is_upper],
                transform=axis.get_yaxis_transform() if is_x else axis.get_xaxis_transform(),
                color=FAILED,
                markersize=5,
                clip_on=False,
                label="_" if BEYOND in axis.get_legend_handles_labels()[1] else BEYOND,
            )
