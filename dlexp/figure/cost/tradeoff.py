"""What runs cost and what they are worth: a score over parameters or seconds."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from dlexp.figure.style.canvas import PANEL, new_figure, styled
from dlexp.figure.style.color import MARKED, ranked_map
from dlexp.figure.style.limit import limit_of, mark_clipped, set_limit
from dlexp.figure.style.scale import set_scale
from dlexp.figure.style.text import plain


@styled()
def tradeoff_figure(costs: Sequence[float], values: Sequence[float], cost: str, metric: str) -> Figure:
    """Return each run's score over what it cost, dark to light by rank, the best a star.

    Args:
        costs: Positive ones; their axis is logarithmic.
        values: Scores, the best first.
        cost: Name of the costs with their unit.
        metric: Name of the score.
    """
    figure = new_figure(PANEL, 2.6)
    axis = figure.subplots()
    place = set_scale(axis, "x", list(costs), is_log=True)
    limits = limit_of(values, metric)
    there = [index for index, value in enumerate(values) if limits.has(value)]
    marks = axis.scatter([place(costs[i]) for i in there], [values[i] for i in there], c=there, cmap=ranked_map(), s=18)
    marks.set_gid("runs")
    if there:
        axis.plot(place(costs[there[0]]), values[there[0]], "*", color=MARKED, markersize=9, label="best")
        axis.legend()
    set_limit(axis, "y", limits)
    mark_clipped(axis, [place(each) for each in costs], list(values), limits)
    axis.set(xlabel=plain(cost), ylabel=plain(metric))
    return figure
