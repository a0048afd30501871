"""How a search came to its best setting: the best so far, by trials and by seconds of training."""

import math
from collections.abc import Sequence

from matplotlib.figure import Figure

from dlexp.figure.style.canvas import panels, styled
from dlexp.figure.style.color import FAILED, MARKED, NEUTRAL
from dlexp.figure.style.limit import limit_of, mark_clipped, set_limit
from dlexp.figure.style.text import plain


@styled()
def progress_figure(
    values: Sequence[float | None], seconds: Sequence[float], metric: str, *, is_high_better: bool
) -> Figure:
    """Return each trial's value and the best so far, over the number of trials and over their seconds of training.

    Args:
        values: Of the trials in the order asked; None where a trial failed.
        seconds: Of each trial's training.
        metric: Name of the objective.
        is_high_better: Direction of the objective.
    """
    figure, axes = panels(2)
    limits = limit_of(values, metric)
    best = best_so_far(values, is_high_better=is_high_better)
    total, elapsed = 0.0, []
    for spent in seconds:
        total += spent
        elapsed.append(total)
    for axis, places, name in zip(axes, (list(range(1, len(values) + 1)), elapsed), ("trials", "seconds"), strict=True):
        there = [(place, value) for place, value in zip(places, values, strict=True) if limits.has(value)]
        marks = axis.scatter(
            [p for p, _ in there], [v or 0.0 for _, v in there], s=10, color=NEUTRAL, linewidths=0, label="a trial"
        )
        marks.set_gid(f"progress-{name}")
        reached = [(place, value) for place, value in zip(places, best, strict=True) if value is not None]
        axis.step([p for p, _ in reached], [v for _, v in reached], where="post", color=MARKED, label="best so far")
        failed = [place for place, value in zip(places, values, strict=True) if value is None]
        if failed:
            heights = [0.03] * len(failed)
            axis.plot(failed, heights, "x", color=FAILED, transform=axis.get_xaxis_transform(), label="failed")
        set_limit(axis, "y", limits)
        mark_clipped(axis, places, values, limits)
        axis.set(xlabel="trials" if name == "trials" else "seconds of training", ylabel=plain(metric))
    axes[0].legend()
    return figure


def best_so_far(values: Sequence[float | None], *, is_high_better: bool) -> list[float | None]:
    """Return the best of the values up to each; None before there is one."""
    pick = max if is_high_better else min
    best: float | None = None
    reached: list[float | None] = []
    for value in values:
        if value is not None and not math.isnan(value):
            best = value if best is None else pick(best, value)
        reached.append(best)
    return reached
