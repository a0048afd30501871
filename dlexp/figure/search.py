"""Figures of a sweep: each dimension against the objective, and learning curves of the best settings."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dlexp.figure.point import Point, Spot, spots
from dlexp.figure.style.canvas import PANEL, add_legend, new_figure, panels, styled
from dlexp.figure.style.color import FAILED, MARKED, NEUTRAL, ranked_map, shades
from dlexp.figure.style.limit import FARTHEST_OF_CURVE, Limit, limit_of, mark_clipped, set_limit
from dlexp.figure.style.scale import set_scale
from dlexp.figure.style.text import label, plain, shorten

TOP = 10
MOST_ROUNDS = 8  # of more the bars would be a block
LINES = ("-", "--", ":")


@styled()
def dimension_figure(
    points: Sequence[Point],
    keys: list[str],
    log_keys: set[str],
    metric: str,
    ranges: Mapping[str, tuple[float, float]] | None = None,
) -> Figure:
    """Return each dimension against the objective, coloured by rank; failed settings are crosses at the bottom.

    Of settings with seeds the mean with a bar of one standard deviation. The best is a star. Of several rounds a bar
    above the panel shows what each looked at, the first on top.

    Args:
        points: All trials, the best setting first.
        keys: The dimensions, in the order of their panels.
        log_keys: Those on a logarithmic scale.
        metric: Name of the objective.
        ranges: The ends of what the user searched, by key; shaded.
    """
    figure, axes = panels(len(keys))
    every = spots(points)
    limits = limits_of(every, metric)
    for axis, key in zip(axes, keys, strict=True):
        _draw_dimension(axis, every, key, limits, is_log=key in log_keys, ends=(ranges or {}).get(key))
        axis.set(xlabel=plain(shorten(key)), ylabel=plain(metric))
    add_legend(figure, is_below=True)
    return figure


def limits_of(every: Sequence[Spot], metric: str) -> Limit:
    """Return the limits of the means, widened to hold the bars of those that are shown."""
    limits = limit_of([spot.mean for spot in every], metric)
    ends = [
        spot.mean + side * spot.std
        for spot in every
        if spot.mean is not None and limits.has(spot.mean) and spot.std
        for side in (-1, 1)
    ]
    low, high = min([limits.low, *ends]), max([limits.high, *ends])
    return replace(limits, low=limits.low if limits.is_log and low <= 0 else low, high=high)


def _draw_dimension(
    axis: Axes, every: list[Spot], key: str, limits: Limit, *, is_log: bool, ends: tuple[float, float] | None
) -> None:
    there = [spot for spot in every if key in spot.settings]
    place = set_scale(axis, "x", [spot.settings[key] for spot in there], is_log=is_log)
    shown = [spot for spot in there if limits.has(spot.mean)]
    failed = [place(spot.settings[key]) for spot in there if spot.is_failed]
    places, means = [place(spot.settings[key]) for spot in shown], [spot.mean or 0.0 for spot in shown]
    if any(spot.std for spot in shown):
        bars = [spot.std for spot in shown]
        axis.errorbar(places, means, bars, fmt="none", ecolor="#888888", elinewidth=0.8, capsize=2)
    drawn = axis.scatter(places, means, c=range(len(shown)), cmap=ranked_map(), s=16, alpha=0.85, linewidths=0)
    drawn.set_gid("trials")
    if ends is not None:
        axis.axvspan(*ends, color=NEUTRAL, alpha=0.1, linewidth=0, zorder=0, label="searched")
    _draw_rounds(axis, there, [place(spot.settings[key]) for spot in there])
    set_limit(axis, "y", limits)
    mark_clipped(axis, [place(spot.settings[key]) for spot in there], [spot.mean for spot in there], limits)
    if failed:
        heights = [0.03] * len(failed)
        axis.plot(failed, heights, "x", color=FAILED, transform=axis.get_xaxis_transform(), label="failed")
    best = every[0]
    if key in best.settings and limits.has(best.mean):
        axis.plot(place(best.settings[key]), best.mean or 0.0, "*", color=MARKED, markersize=9, label="best")


def _draw_rounds(axis: Axes, there: list[Spot], places: list[float]) -> None:
    """Draw above the panel from where to where each round went, the first on top; of one round nothing."""
    rounds = sorted({spot.round for spot in there})
    if not 1 < len(rounds) <= MOST_ROUNDS:
        return
    for level, number in enumerate(reversed(rounds)):
        at = [place for spot, place in zip(there, places, strict=True) if spot.round == number]
        axis.plot(
            [min(at), max(at)],
            [1.02 + 0.03 * level] * 2,
            color=NEUTRAL,
            linewidth=2,
            transform=axis.get_xaxis_transform(),
            clip_on=False,
            label="_" if level else "a round, the first on top",
        )


@styled()
def curve_figure(curves: Sequence[tuple[str, Sequence[list[dict[str, Any]]]]], metric: str) -> Figure:
    """Return the objective by epoch of the best settings: the mean over seeds in a band from least to largest.

    Args:
        curves: Label and, of each seed, the records of ``metrics.jsonl``; best first; ten are drawn.
        metric: Name of the objective.
    """
    shown = curves[:TOP]
    labels = label([name for name, _ in shown], 36)
    figure = new_figure(2 * PANEL, 2.8)
    axis = figure.subplots()
    values = [record.get(metric) for _, histories in shown for history in histories for record in history]
    limits = limit_of(values, metric, farthest=FARTHEST_OF_CURVE)
    colors = shades(len(shown))
    for place, ((_, histories), color) in enumerate(zip(shown, colors, strict=True)):
        epochs, rows = _aligned(histories, metric)
        bounded = np.where((rows >= limits.low) & (rows <= limits.high), rows, np.nan)
        # over the seeds that have a value at that epoch
        mean = np.array([np.nan if np.isnan(column).all() else np.nanmean(column) for column in bounded.T])
        look = {"color": MARKED if place == 0 else color, "linewidth": 2.0 if place == 0 else 1.0}
        axis.plot(epochs, mean, LINES[place % 3], label=labels.short[place], gid=f"curve-{place}", **look)
        if len(rows) > 1:
            columns = [_numbers(column) for column in bounded.T]
            least, largest = [min(column) for column in columns], [max(column) for column in columns]
            axis.fill_between(epochs, least, largest, color=look["color"], alpha=0.15, linewidth=0)
    if values:
        set_limit(axis, "y", limits)
    for _, histories in shown:
        for history in histories:
            mark_clipped(axis, [r["epoch"] for r in history], [r.get(metric) for r in history], limits)
    num = len(shown)
    band = "; band: least to largest seed" if any(len(histories) > 1 for _, histories in shown) else ""
    title = f"the best {num}, the very best thick{band}" if num > 1 else band.removeprefix("; ")
    axis.set(xlabel="epoch", ylabel=plain(metric))
    axis.set_title(title, wrap=True)
    axis.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1))
    add_legend(figure, labels.key)
    return figure


def _aligned(histories: Sequence[list[dict[str, Any]]], metric: str) -> tuple[list[int], np.ndarray]:
    """Return the epochs and the values (seeds, epochs), NaN where a seed has none."""
    epochs = sorted({record["epoch"] for history in histories for record in history})
    by_epoch = [{record["epoch"]: record.get(metric) for record in history} for history in histories]
    rows = [[math.nan if values.get(e) is None else values[e] for e in epochs] for values in by_epoch]
    return epochs, np.array(rows, dtype=np.float64).reshape(len(histories), len(epochs))


def _numbers(column: np.ndarray) -> list[float]:
    """Return what is not missing; one NaN where all is."""
    numbers = column[~np.isnan(column)].tolist()
    return numbers or [math.nan]
