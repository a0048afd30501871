"""Figures of a sweep: each dimension against the objective, learning curves of the best, parallel coordinates."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import BoundaryNorm
from matplotlib.ticker import MaxNLocator

from dlexp.report.canvas import new_figure, plain, save
from dlexp.report.scale import is_number, set_scale

TOP = 10
COLUMNS = 3
LABEL = {"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 1}


@dataclass(frozen=True)
class Point:
    """One trial.

    Attributes:
        settings: Its searched values.
        value: The objective; None where it failed.
        round: The round that asked for it.
    """

    settings: dict[str, Any]
    value: float | None
    round: int


def draw_dimensions(points: list[Point], keys: list[str], log_keys: set[str], metric: str, path: Path) -> Path:
    """Draw each dimension against the objective, coloured by round; failed trials as marks at the bottom.

    Args:
        points: All trials.
        keys: The dimensions.
        log_keys: Those on a logarithmic scale.
        metric: Name of the objective.
        path: The PNG to write.
    """
    rows = math.ceil(len(keys) / COLUMNS)
    columns = min(len(keys), COLUMNS)
    figure = new_figure(4.2 * columns + 0.8, 3.4 * rows)
    axes = figure.subplots(rows, columns, squeeze=False).flatten()
    for axis in axes[len(keys) :]:
        axis.set_visible(False)
    num_rounds = max(p.round for p in points)
    colors, norm = (
        colormaps["viridis"].resampled(num_rounds),
        BoundaryNorm([n + 0.5 for n in range(num_rounds + 1)], num_rounds),
    )
    drawn = None
    for axis, key in zip(axes, keys, strict=False):
        values = [p.settings[key] for p in points if key in p.settings]
        place = set_scale(axis, "x", values, is_log=key in log_keys)
        whole = [p for p in points if p.value is not None and key in p.settings]
        failed = [p for p in points if p.value is None and key in p.settings]
        drawn = axis.scatter(
            [place(p.settings[key]) for p in whole],
            [p.value for p in whole if p.value is not None],
            c=[p.round for p in whole],
            cmap=colors,
            norm=norm,
            s=22,
            alpha=0.85,
        )
        if failed and whole:
            bottom = min(p.value for p in whole if p.value is not None)
            axis.plot([place(p.settings[key]) for p in failed], [bottom] * len(failed), "x", color="tab:red", ms=5)
        axis.set(xlabel=plain(key), ylabel=metric)
        axis.grid(alpha=0.3)
    if drawn is not None and num_rounds > 1:
        ticks = range(1, num_rounds + 1, math.ceil(num_rounds / 10))
        figure.colorbar(drawn, ax=axes[: len(keys)].tolist(), label="round", shrink=0.8, ticks=list(ticks))
    return save(figure, path)


def draw_curves(curves: list[tuple[str, list[dict[str, Any]]]], metric: str, path: Path) -> Path:
    """Draw the objective by epoch of the best trials.

    Args:
        curves: Label and records of ``metrics.jsonl``, best first; ten are drawn.
        metric: Name of the objective.
        path: The PNG to write.
    """
    figure = new_figure(8.5, 4)
    axis = figure.subplots()
    colors = _shades(len(curves[:TOP]))
    for (label, history), color in zip(curves[:TOP], colors, strict=True):
        axis.plot(
            [r["epoch"] for r in history],
            [r.get(metric, math.nan) for r in history],
            marker=".",
            label=plain(label),
            color=color,
        )
    axis.set(xlabel="epoch", ylabel=metric, title=f"the best {len(curves[:TOP])}")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.grid(alpha=0.3)
    axis.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    return save(figure, path)


def draw_parallel(
    points: list[Point], keys: list[str], log_keys: set[str], metric: str, path: Path, *, is_high_better: bool
) -> Path:
    """Draw each trial as a line through its values, the better the darker.

    Args:
        points: All trials.
        keys: The dimensions.
        log_keys: Those on a logarithmic scale.
        metric: Name of the objective, the last axis.
        path: The PNG to write.
        is_high_better: Direction of the objective.
    """
    whole = sorted(
        (p for p in points if p.value is not None), key=lambda p: (p.value or 0.0) * (1 if is_high_better else -1)
    )
    figure = new_figure(2.0 * (len(keys) + 1) + 1, 4)
    axis = figure.subplots()
    columns = [_positions([p.settings.get(key) for p in whole], key in log_keys) for key in keys]
    columns.append(_positions([p.value for p in whole], False))
    shades = _shades(len(whole))[::-1]
    for i, _ in enumerate(whole):
        heights = [(x, column.heights[i]) for x, column in enumerate(columns) if not math.isnan(column.heights[i])]
        axis.plot(*zip(*heights, strict=True), color=shades[i], alpha=0.75, lw=1.2)
    for x, column in enumerate(columns):
        axis.axvline(x, color="gray", lw=0.8)
        for height, label in column.ticks:
            axis.text(x + 0.03, height, label, fontsize=7, va="center", bbox=LABEL)
    axis.set_xticks(range(len(columns)), [*keys, metric], fontsize=8)
    axis.set_yticks([])
    axis.set(xlim=(-0.1, len(columns) - 0.6), title="the darker, the better")
    axis.spines[:].set_visible(False)
    return save(figure, path)


@dataclass(frozen=True)
class _Column:
    heights: list[float]
    ticks: list[tuple[float, str]]


def _positions(values: list[Any], is_log: bool) -> _Column:
    """Return each value's height in [0, 1], NaN where it does not exist, and a few labels."""
    numbers = [v for v in values if is_number(v)]
    if numbers and len(numbers) == sum(v is not None for v in values):
        low, high = min(numbers), max(numbers)
        ends = (math.log(low), math.log(high)) if is_log and low > 0 else (low, high)
        span = ends[1] - ends[0] or 1.0

        def height(value: Any) -> float:
            return math.nan if value is None else ((math.log(value) if is_log and low > 0 else value) - ends[0]) / span

        middle = math.exp(sum(ends) / 2) if is_log and low > 0 else sum(ends) / 2
        return _Column([height(v) for v in values], [(height(v), f"{v:.3g}") for v in sorted({low, middle, high})])
    names = sorted({str(v) for v in values if v is not None})
    spread = {name: i / max(len(names) - 1, 1) for i, name in enumerate(names)}
    return _Column(
        [math.nan if v is None else spread[str(v)] for v in values], [(y, plain(name)) for name, y in spread.items()]
    )


def _shades(count: int) -> list[Any]:
    """Return colours from dark to light."""
    return [colormaps["viridis"](share) for share in np.linspace(0.0, 0.9, max(count, 1))]
