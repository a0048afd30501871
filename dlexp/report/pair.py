"""The objective over pairs of searched dimensions: a map for each pair of the most important ones."""

import math
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize

from dlexp.report.canvas import new_figure, plain, save
from dlexp.report.scale import is_number, set_scale
from dlexp.report.search import Point

MOST_KEYS = 4
COLUMNS = 3
CLIPPED = 0.2  # share of the worst settings that all get the last colour: one diverging run would flatten the rest
SPREAD = 0.25  # how far points of one name are drawn apart


def draw_pairs(
    points: list[Point], keys: list[str], log_keys: set[str], metric: str, path: Path, *, is_high_better: bool
) -> Path:
    """Draw the objective over each pair of dimensions; the best setting is a star, failed ones are crosses.

    Args:
        points: All trials, those of the best setting first.
        keys: The dimensions, the most important first; the first four are drawn.
        log_keys: Those on a logarithmic scale.
        metric: Name of the objective.
        path: The PNG to write.
        is_high_better: Direction of the objective.
    """
    pairs = list(combinations(keys[:MOST_KEYS], 2))
    columns = min(len(pairs), COLUMNS)
    rows = math.ceil(len(pairs) / columns)
    figure = new_figure(4.0 * columns + 1.2, 3.6 * rows)
    axes = figure.subplots(rows, columns, squeeze=False).flatten()
    for axis in axes[len(pairs) :]:
        axis.set_visible(False)
    colors = _colors([p.value for p in points if p.value is not None], is_high_better)
    drawn = None
    for axis, (x, y) in zip(axes, pairs, strict=False):
        there = [p for p in points if x in p.settings and y in p.settings]
        drawn = _draw(axis, there, (x, y), log_keys, colors, is_high_better) or drawn
    if drawn is not None:
        figure.colorbar(drawn, ax=axes[: len(pairs)].tolist(), label=metric, shrink=0.9, extend=_clipped_end(colors))
    return save(figure, path)


def _draw(
    axis: Axes, points: list[Point], pair: tuple[str, str], log_keys: set[str], colors: Normalize, is_high_better: bool
) -> Any:
    places = []
    for which, key in zip(("x", "y"), pair, strict=True):
        values = [p.settings[key] for p in points]
        place = set_scale(axis, which, values, is_log=key in log_keys)
        shift = _shifts(values)
        places.append([place(value) + shift[i] for i, value in enumerate(values)])
    axis.set(xlabel=plain(pair[0]), ylabel=plain(pair[1]))
    axis.grid(alpha=0.3)
    failed = [i for i, p in enumerate(points) if p.value is None]
    axis.plot([places[0][i] for i in failed], [places[1][i] for i in failed], "x", color="tab:red", ms=5, alpha=0.7)
    sign = 1.0 if is_high_better else -1.0
    there = [i for i, p in enumerate(points) if p.value is not None]
    order = sorted(there, key=lambda i: (sign * (points[i].value or 0.0), -i))  # of equal ones the first is the best
    if not order:
        return None
    x, y = ([place[i] for i in order] for place in places)
    values = [points[i].value or 0.0 for i in order]
    map_name = "viridis" if is_high_better else "viridis_r"
    drawn = axis.scatter(x, y, c=values, cmap=map_name, norm=colors, s=26, edgecolors="black", linewidths=0.3)
    axis.plot(x[-1:], y[-1:], "*", color="tab:red", ms=13, markeredgecolor="white")
    return drawn


def _shifts(values: list[Any]) -> list[float]:
    """Return how far each point is moved from the place of its name, in turn, so that all are seen."""
    if all(is_number(value) for value in values):
        return [0.0] * len(values)
    seen: dict[str, int] = {}
    shifts = []
    for value in values:
        number = seen[str(value)] = seen.get(str(value), -1) + 1
        shifts.append(SPREAD * ((number * 0.618034) % 1.0 - 0.5) * 2 if number else 0.0)  # golden ratio: never in rows
    return shifts


def _colors(values: list[float], is_high_better: bool) -> Normalize:
    if not values:
        return Normalize(0.0, 1.0)
    low, high = (CLIPPED, 1.0) if is_high_better else (0.0, 1.0 - CLIPPED)
    ends = np.quantile(values, [low, high]) if len(values) > 1 / CLIPPED else np.array([min(values), max(values)])
    return Normalize(float(ends[0]), float(ends[1]), clip=True)


def _clipped_end(colors: Normalize) -> str:
    return "neither" if colors.vmin == colors.vmax else "both"
