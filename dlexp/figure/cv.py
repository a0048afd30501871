"""The folds of a cross-validation: each fold's score, their mean and its interval; and those of several settings."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from dlexp.config.wording import setting_text
from dlexp.figure.style.canvas import PANEL, add_legend, new_figure, styled
from dlexp.figure.style.color import FAILED, MARKED, NEUTRAL, SPLITS
from dlexp.figure.style.limit import limit, mark_clipped, set_limit
from dlexp.figure.style.text import fit, label, plain

MOST_SETTINGS = 30
MARKERS = "osD^v"
TIED = "cannot tell"
LOOKS: dict[str, dict[str, Any]] = {
    "best": {"color": MARKED, "marker": "*", "markersize": 9, "label": "best"},
    "worse": {"color": FAILED, "marker": "v", "label": "worse than the best"},
    TIED: {"color": NEUTRAL, "marker": "o", "label": "cannot be told from the best"},
}


@styled()
def settings_figure(result: Mapping[str, Any]) -> Figure:
    """Return the settings, best first: mean and corrected interval, coloured by how they compare with the best."""
    metric = result["metric"]
    whole = [entry for entry in result["settings"] if entry["value"] is not None][:MOST_SETTINGS]
    figure = new_figure(2 * PANEL, 1.1 + 0.24 * len(whole))
    axis = figure.subplots()
    ends = [end for entry in whole for end in entry["interval_corrected"].get(metric, [])]
    limits = limit([*(entry["value"] for entry in whole), *ends], may_be_log=False)
    set_limit(axis, "x", limits)
    mark_clipped(axis, range(len(whole)), [entry["value"] for entry in whole], limits, "x")
    for place, entry in enumerate(whole):
        look = LOOKS["best" if place == 0 else entry["against_best"] or TIED]
        low, high = entry["interval_corrected"].get(metric, [None, None])
        if low is not None and high is not None:  # there is none where all folds are equal
            axis.plot([low, high], [place, place], color=look["color"], linewidth=1.5)
        if limits.has(entry["value"]):
            axis.plot(entry["value"], place, linestyle="", **look)
    texts = [setting_text(entry["overrides"], is_short=True) for entry in whole]
    labels = label(texts, fit(0.45 * figure.get_figwidth()))
    axis.set_yticks(range(len(whole)), labels.short)
    axis.set_ylim(max(len(whole), 1) - 0.5, -0.5)
    axis.set(xlabel=f"{plain(metric)}, mean and 95 %")
    add_legend(figure, labels.key, is_below=True)
    return figure


@styled()
def fold_figure(result: Mapping[str, Any], metric: str) -> Figure:
    """Return the figure of one metric by fold, a marker for each repeat, with the corrected interval of the mean.

    Args:
        result: Of a cv, complete.
        metric: A name in every fold's metrics.
    """
    figure = new_figure(PANEL, 2.7)
    axis = figure.subplots()
    limits = limit([fold["metrics"].get(metric) for fold in result["folds"]], may_be_log=False)
    for repeat in range(result["repeats"]):
        folds = [fold for fold in result["folds"] if fold["repeat"] == repeat]
        places, values = [fold["fold"] + 1 for fold in folds], [fold["metrics"].get(metric) for fold in folds]
        shown = [value if limits.has(value) else np.nan for value in values]
        marker = MARKERS[repeat % len(MARKERS)]
        axis.plot(places, shown, marker, color=SPLITS["val"], alpha=0.8, label=f"repeat {repeat + 1}")
        mark_clipped(axis, places, values, limits)
    if result["mean"].get(metric) is not None:
        axis.axhline(result["mean"][metric], color=MARKED, linewidth=1, label="mean")
    span = np.array(result.get("interval_corrected", {}).get(metric, []), dtype=np.float64)
    if len(span) and np.isfinite(span).all():  # there is none where all folds are equal
        axis.axhspan(*span, color=NEUTRAL, alpha=0.2, label="95 % interval of the mean")
    axis.set(title=f"{plain(metric)} by fold", xlabel="fold", ylabel=plain(metric))
    axis.set_xticks(range(1, result["k"] + 1, -(-result["k"] // 20)))
    add_legend(figure, is_below=True)
    return figure
