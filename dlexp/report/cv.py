"""The folds of a cross-validation: each fold's score, their mean and its interval; and those of several settings."""

from pathlib import Path
from typing import Any

from dlexp.report.canvas import new_figure, plain, save

MOST_SETTINGS = 30
COLORS = {None: "black", "worse": "tab:red", "cannot tell": "tab:gray"}


def draw_settings(result: dict[str, Any], path: Path) -> Path:
    """Draw the settings, best first: mean and corrected interval, coloured by what the comparison with the best says.

    Args:
        result: Of a cv of several settings.
        path: The PNG to write.
    """
    metric = result["metric"]
    whole = [entry for entry in result["settings"] if entry["value"] is not None][:MOST_SETTINGS]
    figure = new_figure(7.4, 1.2 + 0.3 * len(whole))
    axis = figure.subplots()
    for place, entry in enumerate(whole):
        color = COLORS.get(entry["against_best"], "tab:blue")
        low, high = entry["interval_corrected"][metric]
        axis.plot([low, high], [place, place], color=color, linewidth=1.5)
        axis.plot(entry["value"], place, "o", color=color)
    texts = [" ".join(f"{key.rpartition('.')[2]}={value}" for key, value in e["overrides"].items()) for e in whole]
    axis.set_yticks(range(len(whole)), [plain(text[:60]) for text in texts], fontsize=8)
    axis.invert_yaxis()
    axis.set(title="red: worse than the best; gray: cannot tell", xlabel=f"{metric}, mean and corrected 95 % interval")
    axis.title.set_fontsize(9)
    axis.grid(alpha=0.3)
    return save(figure, path)


def draw(result: dict[str, Any], metric: str, path: Path) -> Path:
    """Draw one metric by fold, a colour for each repeat.

    Args:
        result: Of a cv, complete.
        metric: A name in every fold's metrics.
        path: The PNG to write.
    """
    figure = new_figure(6.4, 3.4)
    axis = figure.subplots()
    for repeat in range(result["repeats"]):
        folds = [fold for fold in result["folds"] if fold["repeat"] == repeat]
        values = [fold["metrics"].get(metric) for fold in folds]
        axis.plot([fold["fold"] + 1 for fold in folds], values, "o", label=f"repeat {repeat + 1}")
    if metric in result["mean"]:
        axis.axhline(result["mean"][metric], color="black", linewidth=1, label="mean")
    if metric in result["interval"]:
        axis.axhspan(*result["interval"][metric], color="tab:gray", alpha=0.2, label="95 % interval (optimistic)")
    axis.set(title=f"{metric} by fold", xlabel="fold", ylabel=metric)
    axis.set_xticks(range(1, result["k"] + 1, -(-result["k"] // 20)))
    axis.grid(alpha=0.3)
    if result["repeats"] <= 5:
        axis.legend(fontsize=8)
    return save(figure, path)
