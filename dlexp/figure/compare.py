"""Differences with their intervals, one line a pair: what lies clear of zero is told apart."""

import math
from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dlexp.figure.style.canvas import add_legend, is_narrow, new_figure, styled
from dlexp.figure.style.color import MARKED, VERDICTS
from dlexp.figure.style.limit import limit, mark_clipped, set_limit
from dlexp.figure.style.text import fit, label, plain

MOST_PAIRS = 60  # a figure of more could not be read
WIDTH = 6.3  # inches


@styled()
def difference_figure(compared: Mapping[str, Any]) -> Figure:
    """Return the difference a - b of every pair with its 95 % interval; of very many the 60 largest differences.

    Args:
        compared: The document of `dlexp.job.compare.comparison.compare`.
    """
    largest = sorted(range(len(compared["pairs"])), key=lambda i: -_size(compared["pairs"][i]["difference"]))
    pairs = [compared["pairs"][i] for i in sorted(largest[:MOST_PAIRS])]
    figure = new_figure(WIDTH, 1.1 + 0.36 * len(pairs))
    labels = label([run["label"] for run in compared["runs"]], fit(figure.get_figwidth() / 6))
    short = dict(zip((run["run_id"] for run in compared["runs"]), labels.short, strict=True))
    axis = figure.subplots()
    axis.axvline(0, color=MARKED, linewidth=0.8, linestyle="--")
    ends = [end for pair in pairs for end in (*pair["interval"], pair["difference"])]
    limits = limit([0.0, *(end for end in ends if end is not None)], may_be_log=False)
    set_limit(axis, "x", limits)
    mark_clipped(axis, range(len(pairs)), [pair["difference"] for pair in pairs], limits, "x")
    for row, pair in enumerate(pairs):
        low, high = (math.nan if end is None else end for end in pair["interval"])
        color = VERDICTS[pair["verdict"]]
        axis.plot([low, high], [row, row], color=color, linewidth=2, marker="|", markersize=7)
        axis.plot(pair["difference"], row, "o" if pair["verdict"] == "cannot tell" else "D", color=color)
        axis.text(1.02, row, _say(pair, short), transform=axis.get_yaxis_transform(), va="center", fontsize=6.5)
    axis.set_yticks(range(len(pairs)), [f"{short[pair['a']]}  -  {short[pair['b']]}" for pair in pairs])
    axis.set_ylim(len(pairs) - 0.5, -0.5)
    holm = "; p after Holm's correction" if len(compared["pairs"]) > 1 else ""
    metric = plain(compared["metric"])
    axis.set_title(f"difference with 95 % interval{holm}", wrap=True)
    if is_narrow(figure):
        axis.xaxis.set_major_locator(MaxNLocator(nbins=4))
    axis.set_xlabel(f"difference in {metric}")
    axis.grid(False, axis="y")
    add_legend(figure, labels.key, is_below=True)
    return figure


def _say(pair: Mapping[str, Any], short: Mapping[str, str]) -> str:
    verdict = pair["verdict"]
    said = verdict if verdict == "cannot tell" else f"{short[pair[verdict]]} is better"
    return f"{said}, p = {pair['p_holm']:.2g}"


def _size(difference: float) -> float:
    return abs(difference) if math.isfinite(difference) else math.inf
