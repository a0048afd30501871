"""Learning curves of one run: loss and main metrics of training and validation by epoch, and the learning rate."""

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dlexp.figure.style.canvas import panels, styled
from dlexp.figure.style.color import MARKED, NEUTRAL, SPLITS
from dlexp.figure.style.limit import FARTHEST_OF_CURVE, is_log_metric, limit, mark_clipped, set_limit
from dlexp.figure.style.scale import are_geometric
from dlexp.figure.style.text import plain

SHOWN = ("loss", "accuracy", "rmse", "r2", "explained_variance")
MOST_MARKERS = 40
LINES = {"train": "--", "val": "-"}
MARKERS = {"train": "o", "val": "s"}


@styled()
def curves_figure(history: Sequence[dict[str, Any]], best_epoch: int = 0, monitor: str | None = None) -> Figure:
    """Return loss, the task's main metrics, the monitor, and the learning rate where it changes, side by side.

    Args:
        history: The records of ``metrics.jsonl``.
        best_epoch: Marked on every panel; 0 for none.
        monitor: Metric that chose it, ``split/name``.
    """
    names = [name for name in SHOWN if _has(history, name)]
    watched = "" if monitor is None else monitor.partition("/")[2]
    if watched and watched not in names and _has(history, watched):
        names.append(watched)
    rates = [record.get("lr") for record in history]
    has_rates = len({rate for rate in rates if rate is not None}) > 1
    figure, axes = panels(max(1, len(names) + has_rates))
    for axis, name in zip(axes, names, strict=False):
        _draw_metric(axis, history, name, best_epoch)
    if has_rates:
        _draw_rates(axes[len(names)], history, rates)
    for axis in axes:
        axis.set_xlabel("epoch")
        axis.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1))
    return figure


def _has(history: Sequence[dict[str, Any]], name: str) -> bool:
    return any(key.partition("/")[2] == name for record in history for key in record)


def _draw_metric(axis: Axes, history: Sequence[dict[str, Any]], name: str, best_epoch: int) -> None:
    epochs = [record["epoch"] for record in history]
    curves = {split: [record.get(f"{split}/{name}") for record in history] for split in LINES}
    values = [value for curve in curves.values() for value in curve]
    limits = limit(values, may_be_log=is_log_metric(name), farthest=FARTHEST_OF_CURVE)
    for split, values in curves.items():
        if all(value is None for value in values):
            continue
        shown = [math.nan if value is None or not limits.has(value) else value for value in values]
        marker = MARKERS[split] if len(epochs) <= MOST_MARKERS else ""
        line, color = LINES[split], SPLITS[split]
        axis.plot(epochs, shown, line, marker=marker, markersize=2.5, color=color, label=split, gid=f"{name}-{split}")
        _draw_band(axis, history, f"{split}/{name}", shown, color)
    set_limit(axis, "y", limits)
    for values in curves.values():
        mark_clipped(axis, epochs, values, limits)
    if best_epoch:
        _mark_best(axis, history, name, best_epoch)
    axis.set(title=plain(name), ylabel=plain(name))
    if axis.get_legend_handles_labels()[1]:
        axis.legend()


def _draw_band(axis: Axes, history: Sequence[dict[str, Any]], key: str, shown: list[float], color: str) -> None:
    """Shade one standard error on either side, where it is recorded."""
    errors = [record.get(f"{key}_se") for record in history]
    if any(error is not None for error in errors):
        pairs = [(value, math.nan if e is None else e) for value, e in zip(shown, errors, strict=True)]
        low, high = [value - e for value, e in pairs], [value + e for value, e in pairs]
        axis.fill_between([record["epoch"] for record in history], low, high, color=color, alpha=0.2, linewidth=0)


def _mark_best(axis: Axes, history: Sequence[dict[str, Any]], name: str, best_epoch: int) -> None:
    axis.axvline(best_epoch, color=MARKED, linewidth=0.8, linestyle=":", label=f"best epoch, {best_epoch}")
    value = next((record.get(f"val/{name}") for record in history if record["epoch"] == best_epoch), None)
    if value is not None and math.isfinite(value):
        axis.plot([best_epoch], [value], "*", color=MARKED, markersize=8, zorder=3)


def _draw_rates(axis: Axes, history: Sequence[dict[str, Any]], rates: list[float | None]) -> None:
    values = [math.nan if rate is None else rate for rate in rates]
    axis.plot([record["epoch"] for record in history], values, color=NEUTRAL, gid="lr")
    is_log = are_geometric(rate for rate in rates if rate is not None)  # a cosine would end in a cliff
    set_limit(axis, "y", limit(rates, may_be_log=is_log))
    axis.set(title="learning rate", ylabel="learning rate")
