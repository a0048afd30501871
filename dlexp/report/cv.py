"""The folds of a cross-validation: each fold's score, their mean and its interval; and those of several settings."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from dlexp.report.canvas import new_figure, plain, save

MOST_SETTINGS = 30
COLORS = {None: "black", "worse": "tab:red", "cannot tell": "tab:gray"}


def draw_settings(result: Mapping[str, Any], path: Path) -> Path:
    """Write the figure of the settings.

    Args:
        result: Of a cv of several settings.
        path: The PNG to write.
    """
    return save(settings_figure(result), path)


def settings_figure(result: Mapping[str, Any]) -> Figure:
    """Return the settings, best first: mean and corrected interval, coloured by how they compare with the best."""
    metric = result["metric"]
    whole = [entry for entry in result["settings"] if entry["value"] is not None][:MOST_SETTINGS]
    figure = new_figure(7.4, 1.2 + 0.3 * len(whole))
    axis = figure.subplots()
    for place, entry in enumerate(whole):
        color = COLORS.get(entry["against_best"], "tab:blue")
        low, high = entry["interval_corrected"][metric]
        if low is not None:  # there is none where all folds are equal
            axis.plot([low, high], [place, place], color=color, linewidth=1.5)
        axis.plot(entry["value"], place, "o", color=color)
    texts = [" ".join(f"{key.rpartition('.')[2]}={value}" for key, value in e["overrides"].items()) for e in whole]
    axis.set_yticks(range(len(whole)), [plain(text[:60]) for text in texts], fontsize=8)
    axis.invert_yaxis()
    axis.set(title="red: worse than the best; gray: cannot tell", xlabel=f"{metric}, mean and corrected 95 % interval")
    axis.title.set_fontsize(9)
    axis.grid(alpha=0.3)
    return figure


def draw(result: Mapping[str, Any], metric: str, path: Path) -> Path:
    """Write the figure of one metric by fold.

    Args:
        result: Of a cv, complete.
        metric: A name in every fold's metrics.
        path: The PNG to write.
    """
    return save(fold_figure(result, metric), path)


def fold_figure(result: Mapping[str, Any], metric: str) -> Figure:
    """Return the figure of one metric by fold, a colour for each repeat."""
    figure = new_figure(6.4, 3.4)
    axis = figure.subplots()
    for repeat in range(result["repeats"]):
        folds = [fold for fold in result["folds"] if fold["repeat"] == repeat]
        values = [fold["metrics"].get(metric) for fold in folds]
        axis.plot([fold["fold"] + 1 for fold in folds], values, "o", label=f"repeat {repeat + 1}")
    if metric in result["mean"]:
        axis.axhline(result["mean"][metric], color="black", linewidth=1, label="mean")
    span = np.array(result["interval"].get(metric, []), dtype=np.float64)
    if len(span) and np.isfinite(span).all():  # there is none where all folds are equal
        axis.axhspan(*span, color="tab:gray", alpha=0.2, label="95 % interval (optimistic)")
    axis.set(title=f"{metric} by fold", xlabel="fold", ylabel=metric)
    axis.set_xticks(range(1, result["k"] + 1, -(-result["k"] // 20)))
    axis.grid(alpha=0.3)
    if result["repeats"] <= 5:
        axis.legend(fontsize=8)
    return figure
