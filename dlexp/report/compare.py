"""Differences with their intervals, one line a pair: what lies clear of zero is told apart."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from dlexp.report.canvas import new_figure, plain, save

_COLORS = {True: "tab:blue", False: "tab:gray"}
MOST_PAIRS = 60  # a figure of more could not be read


def draw(compared: Mapping[str, Any], path: Path) -> Path:
    """Write the figure of a comparison.

    Args:
        compared: The document of `dlexp.job.compare.comparison.compare`.
        path: The PNG to write.
    """
    return save(difference_figure(compared), path)


def difference_figure(compared: Mapping[str, Any]) -> Figure:
    """Return the difference a - b of every pair with its 95 % interval; of very many the 60 largest differences."""
    pairs = sorted(compared["pairs"], key=lambda pair: -abs(pair["difference"]))[:MOST_PAIRS]
    pairs = [pair for pair in compared["pairs"] if pair in pairs]
    labels = {run["run_id"]: run["label"] for run in compared["runs"]}
    figure = new_figure(9, 1.6 + 0.6 * len(pairs))
    axis = figure.subplots()
    axis.axvline(0, color="black", linewidth=1, linestyle="--")
    for row, pair in enumerate(pairs):
        low, high = pair["interval"]
        color = _COLORS[pair["verdict"] != "cannot tell"]
        axis.plot([low, high], [row, row], color=color, linewidth=2, marker="|", markersize=9)
        axis.plot(pair["difference"], row, "o", color=color)
        said = (
            pair["verdict"] if pair["verdict"] == "cannot tell" else f"{plain(labels[pair[pair['verdict']]])} is better"
        )
        note = f"{said}, p = {pair['p_holm']:.2g}"
        axis.annotate(
            note,
            (pair["difference"], row),
            (0, 9),
            textcoords="offset points",
            ha="center",
            fontsize=8,
            backgroundcolor="white",
        )
    axis.set_yticks(
        range(len(pairs)), [f"{plain(labels[pair['a']])}\n- {plain(labels[pair['b']])}" for pair in pairs], fontsize=8
    )
    axis.set_ylim(len(pairs) - 0.5, -0.6)
    holm = "; p after Holm's correction" if len(compared["pairs"]) > 1 else ""
    name = f"difference in {compared['metric']}"
    axis.set(title=f"{name} with 95 % interval{holm}", xlabel=name)
    axis.grid(alpha=0.3, axis="x")
    return figure
