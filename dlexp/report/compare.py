"""Differences with their intervals, one line a pair: what lies clear of zero is told apart."""

import math
from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from dlexp.report.style.canvas import new_figure, styled
from dlexp.report.style.color import MARKED, VERDICTS
from dlexp.report.style.limit import limit, set_limit
from dlexp.report.style.text import add_key, label, plain

MOST_PAIRS = 60  # a figure of more could not be read
WIDTH = 5.2


@styled()
def difference_figure(compared: Mapping[str, Any]) -> Figure:
    """Return the difference a - b of every pair with its 95 % interval; of very many the 60 largest differences.

    Args:
        compared: The document of `dlexp.job.compare.comparison.compare`.
    """
    largest = sorted(range(len(compared["pairs"])), key=lambda i: -_size(compared["pairs"][i]["difference"]))
    pairs = [compared["pairs"][i] for i in sorted(largest[:MOST_PAIRS])]
    labels = label([run["label"] for run in compared["runs"]], 24)
    short = dict(zip((run["run_id"] for run in compared["runs"]), labels.short, strict=True))
    figure = new_figure(WIDTH, 1.1 + 0.36 * len(pairs))
    axis = figure.subplots()
    axis.axvline(0, color=MARKED, linewidth=0.8, linestyle="--")
    ends = [end for pair in pairs for end in (*pair["interval"], pair["difference"])]
    set_limit(axis, "x", limit([0.0, *(end for end in ends if end is not None)], may_be_log=False))
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
    axis.set(title=f"difference with 95 % interval{holm}", xlabel=f"difference in {metric}")
    axis.grid(False, axis="y")
    add_key(figure, labels.key)
    return figure


def _say(pair: Mapping[str, Any], short: Mapping[str, str]) -> str:
    verdict = pair["verdict"]
    said = verdict if verdict == "cannot tell" else f"{short[pair[verdict]]} is better"
    return f"{said}, p = {pair['p_holm']:.2g}"


def _size(difference: float) -> float:
    return abs(difference) if math.isfinite(difference) else math.inf
