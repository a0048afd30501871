"""Learning curves of one run: every metric of training and validation by epoch, and the learning rate."""

from pathlib import Path
from typing import Any

from dlexp.report.canvas import new_figure, save

SHOWN = ("loss", "accuracy", "rmse", "r2")


def draw(history: list[dict[str, Any]], path: Path) -> Path:
    """Draw loss, the task's main metrics and the learning rate side by side.

    Args:
        history: The records of ``metrics.jsonl``.
        path: The PNG to write.
    """
    epochs = [record["epoch"] for record in history]
    names = [name for name in SHOWN if any(key.endswith(f"/{name}") for record in history for key in record)]
    figure = new_figure(4.2 * (len(names) + 1), 3.4)
    axes = figure.subplots(1, len(names) + 1, squeeze=False)[0]
    for axis, name in zip(axes, names, strict=False):
        for split, style in (("train", "--"), ("val", "-")):
            values = [record.get(f"{split}/{name}") for record in history]
            if any(value is not None for value in values):
                axis.plot(epochs, values, style, marker=".", label=split)
        axis.set(title=name, xlabel="epoch")
        axis.legend()
    axes[-1].plot(epochs, [record["lr"] for record in history], marker=".", color="tab:gray")
    axes[-1].set(title="learning rate", xlabel="epoch")
    for axis in axes:
        axis.grid(alpha=0.3)
        axis.xaxis.get_major_locator().set_params(integer=True)
    return save(figure, path)
