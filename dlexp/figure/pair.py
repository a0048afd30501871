"""The objective over pairs of searched dimensions: a map for each pair of the most important ones."""

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from dlexp.figure.point import Point, Spot, spots
from dlexp.figure.style.canvas import add_legend, panels, styled
from dlexp.figure.style.color import FAILED, MARKED
from dlexp.figure.style.scale import is_number, set_scale
from dlexp.figure.style.text import plain, shorten
from dlexp.number import significant

MOST_KEYS = 4
MOST_TICKS = 5  # of the colour bar
SPREAD = 0.25  # how far points of one name are drawn apart


@styled()
def pair_figure(
    points: Sequence[Point],
    keys: list[str],
    log_keys: set[str],
    metric: str,
    *,
    is_high_better: bool,
) -> Figure:
    """Return the objective over each pair of dimensions; the best setting is a star, failed ones are crosses.

    Args:
        points: All trials, those of the best setting first.
        keys: The dimensions, the most important first; the first four are drawn.
        log_keys: Those on a logarithmic scale.
        metric: Name of the objective.
        is_high_better: Direction of the objective.
    """
    pairs = list(combinations(keys[:MOST_KEYS], 2))
    figure, axes = panels(len(pairs), height=2.7)
    every = spots(points)
    values = [spot.mean for spot in every if spot.mean is not None and math.isfinite(spot.mean)]
    ranks = _rank(values, is_high_better=is_high_better)
    drawn = None
    for axis, (x, y) in zip(axes, pairs, strict=True):
        there = [spot for spot in every if x in spot.settings and y in spot.settings]
        drawn = _draw(axis, there, (x, y), log_keys, ranks) or drawn
    if drawn is not None:
        bar = figure.colorbar(drawn, ax=axes, label=f"{plain(metric)}, coloured by rank", shrink=0.9, aspect=30)
        places, names = zip(*_ticks(ranks), strict=True)
        bar.set_ticks(list(places), labels=list(names))
    add_legend(figure, is_below=True)
    return figure


def _draw(axis: Axes, there: list[Spot], pair: tuple[str, str], log_keys: set[str], ranks: dict[float, float]) -> Any:
    places = []
    for which, key in zip(("x", "y"), pair, strict=True):
        values = [spot.settings[key] for spot in there]
        place = set_scale(axis, which, values, is_log=key in log_keys)
        shift = _shifts(values)
        places.append([place(value) + shift[i] for i, value in enumerate(values)])
    axis.set(xlabel=plain(shorten(pair[0])), ylabel=plain(shorten(pair[1])))
    shares = {i: ranks[spot.mean] for i, spot in enumerate(there) if spot.mean in ranks}
    failed = [i for i in range(len(there)) if i not in shares]
    if failed:
        x, y = ([place[i] for i in failed] for place in places)
        axis.plot(x, y, "x", color=FAILED, alpha=0.7, label="failed")
    order = sorted(shares, key=lambda i: (shares[i], -i))  # of equal ones the first is the best
    if not order:
        return None
    x, y = ([place[i] for i in order] for place in places)
    colors, norm = [shares[i] for i in order], Normalize(0.0, 1.0)
    drawn = axis.scatter(x, y, c=colors, cmap="viridis", norm=norm, s=20, edgecolors="black", linewidths=0.4)
    axis.plot(x[-1:], y[-1:], "*", color=MARKED, ms=11, markeredgecolor="white", label="best")
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


def _rank(values: list[float], *, is_high_better: bool) -> dict[float, float]:
    """Return the share of distinct values that each value is at least as good as, in (0, 1]."""
    order = sorted(set(values), reverse=not is_high_better)
    return {value: (place + 1) / len(order) for place, value in enumerate(order)}


def _ticks(ranks: dict[float, float]) -> list[tuple[float, str]]:
    """Return places and labels of a colour bar of ranks: a few values."""
    ordered = sorted(ranks, key=ranks.__getitem__)
    shown = sorted({round(step * (len(ordered) - 1) / MOST_TICKS) for step in range(MOST_TICKS + 1)})
    return [(ranks[ordered[place]], significant(ordered[place])) for place in shown]
