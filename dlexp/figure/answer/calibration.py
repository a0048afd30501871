"""Reliability: how often predictions of a confidence are right, beside how often they should be."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from dlexp.figure.style.canvas import PANEL, new_figure, styled
from dlexp.figure.style.color import NEUTRAL, SPLITS
from dlexp.statistic.calibration import Bin


@styled()
def calibration_figure(bins: Sequence[Bin], split: str = "validation") -> Figure:
    """Return the share of right predictions over their confidence with 95 % intervals, and how many there are.

    Args:
        bins: From `dlexp.statistic.calibration.reliability`.
        split: Part of the data, for the title.
    """
    figure = new_figure(PANEL, 3.1)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    there = [each for each in bins if each.num]
    upper.plot([0, 1], [0, 1], ":", color=NEUTRAL, linewidth=0.9, label="as sure as right")
    places, shares = [each.confidence for each in there], [each.share for each in there]
    for place, each in zip(places, there, strict=True):
        upper.plot([place, place], each.interval, color=SPLITS["val"], linewidth=1)
    upper.plot(places, shares, "o", color=SPLITS["val"], label="seen, with 95 %")
    upper.set(ylim=(-0.02, 1.05), ylabel="share right", title=f"{split}: reliability")
    upper.legend(loc="upper left")
    lower.bar(
        [(each.low + each.high) / 2 for each in bins],
        [each.num for each in bins],
        width=[0.9 * (each.high - each.low) for each in bins],
        color=NEUTRAL,
    )
    lower.set(xlim=(-0.02, 1.02), xlabel="confidence of the prediction", ylabel="examples")
    return figure
