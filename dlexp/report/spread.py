"""The folds of a cross-validation: each fold's score, their mean and its interval."""

from pathlib import Path
from typing import Any

from dlexp.report.canvas import new_figure, save


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
