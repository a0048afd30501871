"""What seeds alone do to a metric: every run's value by source, and the standard deviation with its interval."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlexp.report.canvas import new_figure, save

STEP = 0.09  # equal values stand above each other


def draw(noise: Mapping[str, Any], path: Path) -> Path:
    """Draw the values of each source beside their standard deviations with 95 % intervals.

    Args:
        noise: The document of `dlexp.job.compare.seed_noise.measure`.
        path: The PNG to write.
    """
    records = [*(record for record in noise["sources"] if not record["is_absent"]), noise["all"]]
    figure = new_figure(10, 1.6 + 0.6 * len(records))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[3, 2])
    for row, record in enumerate(records):
        color = "black" if record["source"] == "all" else "tab:blue"
        heights = [row - STEP * record["values"][:i].count(value) for i, value in enumerate(record["values"])]
        left.plot(record["values"], heights, "o", color=color, alpha=0.5)
        left.plot(record["mean"], row, "|", color=color, markersize=18)
        right.plot(record["interval"], [row, row], color=color, linewidth=2, marker="|", markersize=9)
        right.plot(record["std"], row, "o", color=color)
    left.set_yticks(range(len(records)), [f"{record['name']}\n{record['num']} seeds" for record in records], fontsize=9)
    left.set_ylim(len(records) - 0.5, -0.5)
    left.set(title=f"{noise['metric']} with other seeds of", xlabel=noise["metric"])
    left.axvline(noise["value"], color="gray", linewidth=1, linestyle="--", label=f"run {noise['run_id']}")
    left.legend(fontsize=8)
    right.set(title="standard deviation, 95 % interval", xlabel=f"standard deviation of {noise['metric']}")
    right.set_xlim(left=0)
    for axis, most in ((left, 6), (right, 4)):
        axis.locator_params(axis="x", nbins=most)
        axis.grid(alpha=0.3, axis="x")
    return save(figure, path)
