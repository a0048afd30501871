"""Parallel coordinates of a sweep: each trial is a line through its values, the best fifth coloured."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dlexp.figure.point import Point, spots
from dlexp.figure.style.canvas import new_figure, styled
from dlexp.figure.style.color import MARKED, shades
from dlexp.figure.style.limit import is_log_metric, limit
from dlexp.figure.style.scale import is_number
from dlexp.figure.style.text import plain, shorten

FEWEST_KEYS = 3  # of fewer the maps of pairs show all
TOP_SHARE = 0.2
MOST_NAMES = 12
NARROWEST = 0.95  # inches from axis to axis
LONGEST = 14
BOX = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.8}


@dataclass(frozen=True)
class _Column:
    heights: list[float]
    ticks: list[tuple[float, str]]


@styled()
def parallel_figure(
    points: Sequence[Point], keys: list[str], log_keys: set[str], metric: str, *, is_high_better: bool
) -> Figure:
    """Return each setting as a line through its values: the best fifth coloured by rank, the others grey.

    The last axis holds the objective without its diverged values, its better end on top. Where they have no room beside
    each other the axes lie below each other, their upper ends to the right.

    Args:
        points: All trials, those of the best setting first.
        keys: The dimensions.
        log_keys: Those on a logarithmic scale.
        metric: Name of the objective.
        is_high_better: Direction of the objective.
    """
    sign = -1.0 if is_high_better else 1.0
    whole = sorted(
        (spot for spot in spots(points) if spot.mean is not None), key=lambda spot: sign * (spot.mean or 0.0)
    )
    limits = limit([spot.mean for spot in whole], may_be_log=is_log_metric(metric))
    shown = [spot for spot in whole if limits.has(spot.mean)]
    figure = new_figure(1.25 * (len(keys) + 1) + 0.8, 3.0)
    is_down = figure.get_figwidth() < NARROWEST * (len(keys) + 1)
    longest, most = (8, 4) if is_down else (LONGEST, MOST_NAMES)
    columns = [_positions([spot.settings.get(key) for spot in shown], key in log_keys, longest, most) for key in keys]
    objective = _positions([spot.mean for spot in shown], limits.is_log, longest, most)
    columns.append(objective if is_high_better else _upside_down(objective))
    axis = figure.subplots()
    num_top = math.ceil(TOP_SHARE * len(shown))
    colors = shades(num_top)
    for rank in reversed(range(len(shown))):
        there = [place for place, column in enumerate(columns) if not math.isnan(column.heights[rank])]
        heights = [columns[place].heights[rank] for place in there]
        color, width = (colors[rank], 1.4) if rank < num_top else ("#c4c4c4", 0.7)
        color, width = (MARKED, 2.2) if rank == 0 else (color, width)
        line = (heights, there) if is_down else (there, heights)
        axis.plot(*line, color=color, linewidth=width, gid=f"line-{shown[rank].run_id or rank}")
    for place, column in enumerate(columns):
        _draw_column(axis, place, column.ticks, is_down=is_down)
    tails = Counter(_tail(key) for key in keys)
    names = [_tail(key) if tails[_tail(key)] == 1 else key for key in keys]
    _name_columns(axis, [plain(shorten(name, 18)) for name in (*names, metric)], is_down=is_down)
    if is_down:
        figure.set_figheight(0.6 + 0.5 * len(columns))
    away = f"; {len(whole) - len(shown)} diverged left out" if len(whole) > len(shown) else ""
    axis.set_title(f"the best thick, the best fifth coloured, dark to light{away}", wrap=True)
    axis.spines[:].set_visible(False)
    axis.grid(False)
    return figure


def _draw_column(axis: Axes, place: int, ticks: list[tuple[float, str]], *, is_down: bool) -> None:
    (axis.axhline if is_down else axis.axvline)(place, color="#888888", linewidth=0.8)
    for height, text in ticks:
        if is_down:
            axis.text(height, place - 0.08, text, fontsize=6.5, ha="center", va="bottom", bbox=BOX)
        else:
            axis.text(place + 0.03, height, text, fontsize=6.5, va="center", bbox=BOX)


def _name_columns(axis: Axes, names: list[str], *, is_down: bool) -> None:
    if is_down:
        axis.set_yticks(range(len(names)), names)
        axis.set_xticks([])
        axis.set(ylim=(len(names) - 0.7, -0.5), xlim=(-0.08, 1.08))
    else:
        axis.set_xticks(range(len(names)), names)
        axis.set_yticks([])
        axis.set(xlim=(-0.1, len(names) - 0.45), ylim=(-0.05, 1.05))


def _tail(key: str) -> str:
    return key.rpartition(".")[2]


def _positions(values: list[Any], is_log: bool, longest: int, most: int) -> _Column:
    """Return each value's height in [0, 1], NaN where it does not exist, and a few labels."""
    numbers = [v for v in values if is_number(v)]
    if numbers and len(numbers) == sum(v is not None for v in values):
        return _number_positions(values, numbers, is_log=is_log and min(numbers) > 0)
    names = sorted({str(v) for v in values if v is not None}, key=_natural)
    spread = {name: i / max(len(names) - 1, 1) for i, name in enumerate(names)}
    every = -(-len(names) // most) or 1
    ticks = [(y, plain(shorten(name, longest))) for name, y in list(spread.items())[::every]]
    return _Column([math.nan if v is None else spread[str(v)] for v in values], ticks)


def _natural(name: str) -> list[tuple[float, str]]:
    """Return what names are sorted by: [8] before [16] before [16,8], each number in a name as a number."""
    pieces = re.split(r"(\d+(?:\.\d+)?)", name.rstrip("]"))
    return [(float(piece), "") if place % 2 else (-1.0, piece) for place, piece in enumerate(pieces)]


def _number_positions(values: list[Any], numbers: list[float], *, is_log: bool) -> _Column:
    low, high = min(numbers), max(numbers)
    ends = (math.log(low), math.log(high)) if is_log else (low, high)
    span = ends[1] - ends[0] or 1.0

    def height(value: Any) -> float:
        return math.nan if value is None else ((math.log(value) if is_log else value) - ends[0]) / span

    middle = math.exp(sum(ends) / 2) if is_log else sum(ends) / 2
    # rounding may carry the middle beyond an end
    listed = {min(max(height(v), 0.0), 1.0): f"{v:.3g}" for v in sorted({low, middle, high})}
    return _Column([min(max(height(v), 0.0), 1.0) if v is not None else math.nan for v in values], list(listed.items()))


def _upside_down(column: _Column) -> _Column:
    """Return a column with its least value on top."""
    return _Column([1 - height for height in column.heights], [(1 - height, text) for height, text in column.ticks])
