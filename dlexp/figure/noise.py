"""What seeds alone do to a metric: every run's value by source, and the standard deviation with its interval."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from dlexp.figure.style.canvas import PANEL, is_narrow, new_figure, styled
from dlexp.figure.style.color import MARKED, NEUTRAL, SPLITS
from dlexp.figure.style.limit import limit, set_limit
from dlexp.figure.style.text import plain
from dlexp.number import noun

STEP = 0.09  # equal values stand above each other


@styled()
def noise_figure(noise: Mapping[str, Any]) -> Figure:
    """Return the values of each source beside their standard deviations with 95 % intervals.

    Args:
        noise: The document of `dlexp.job.compare.seed_noise.measure`.
    """
    records = [*(record for record in noise["sources"] if not record["is_absent"]), noise["all"]]
    figure = new_figure(2 * PANEL, 1.2 + 0.45 * len(records))
    if is_narrow(figure):
        figure.set_figheight(2 * figure.get_figheight())
        left, right = figure.subplots(2, 1, sharey=True)
    else:
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=[3, 2])
    limits = limit([noise["value"], *(v for record in records for v in record["values"])], may_be_log=False)
    for row, record in enumerate(records):
        color = MARKED if record["source"] == "all" else SPLITS["val"]
        values = [value for value in record["values"] if limits.has(value)]
        heights = [row - STEP * values[:i].count(value) for i, value in enumerate(values)]
        left.plot(values, heights, "o", color=color, alpha=0.6)
        left.plot(record["mean"], row, "|", color=color, markersize=14)
        right.plot(record["interval"], [row, row], color=color, linewidth=2, marker="|", markersize=8)
        right.plot(record["std"], row, "o", color=color)
    left.set_yticks(range(len(records)), [f"{record['name']}\n{noun(record['num'], 'seed')}" for record in records])
    left.set_ylim(len(records) - 0.5, -0.6)
    set_limit(left, "x", limits)
    metric = plain(noise["metric"])
    left.set(title="with other seeds of", xlabel=metric)
    left.axvline(noise["value"], color=NEUTRAL, linewidth=1, linestyle="--", label=f"run {noise['run_id']}")
    left.legend()
    right.set(title="standard deviation, 95 % interval", xlabel=f"standard deviation of {metric}")
    right.set_xlim(left=0)
    for axis, most in ((left, 5), (right, 4)):
        axis.locator_params(axis="x", nbins=most)
        axis.grid(False, axis="y")
    return figure
