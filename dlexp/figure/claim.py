"""Training curves of a claim's networks: every setting's mean over seeds, and the range of the seeds. E epochs."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dlexp.figure.style.canvas import add_legend, panels, styled
from dlexp.figure.style.color import SPLITS
from dlexp.figure.style.limit import FARTHEST_OF_CURVE, is_log_metric, limit, set_limit
from dlexp.figure.style.text import plain

COLORS = tuple(SPLITS.values())
LINES = ("-", "--")

Curves = Mapping[str, Sequence[Sequence[Mapping[str, Any]]]]  # by setting: the epochs of each seed


@styled()
def claim_figure(name: str, curves: Curves, metrics: Sequence[str]) -> Figure:
    """Return a panel a metric, in it a line a setting, from the first epoch to the last that every seed came to.

    Args:
        name: Of the claim.
        curves: Of one setting or two.
        metrics: Such as train/loss.
    """
    figure, axes = panels(len(metrics))
    for axis, metric in zip(axes, metrics, strict=True):
        _draw(axis, curves, metric)
    figure.suptitle(plain(name))
    add_legend(figure, is_below=True)
    return figure


def _draw(axis: Axes, curves: Curves, metric: str) -> None:
    shown = {setting: _values(runs, metric) for setting, runs in curves.items()}
    every = [value for values_SE in shown.values() for value in values_SE.ravel().tolist()]
    limits = limit(every, may_be_log=is_log_metric(metric.partition("/")[2]), farthest=FARTHEST_OF_CURVE)
    for (setting, values_SE), color, line in zip(shown.items(), COLORS, LINES, strict=False):
        epochs_E = np.arange(1, values_SE.shape[1] + 1)
        axis.plot(epochs_E, values_SE.mean(0), line, color=color, label=plain(setting))
        axis.fill_between(epochs_E, values_SE.min(0), values_SE.max(0), color=color, alpha=0.2, linewidth=0)
    set_limit(axis, "y", limits)
    axis.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1))
    axis.set(xlabel="epoch", ylabel=plain(metric))


def _values(runs: Sequence[Sequence[Mapping[str, Any]]], metric: str) -> np.ndarray:
    """Return a metric (S, E), NaN where it is not finite."""
    length = min((len(run) for run in runs), default=0)
    rows = [[record.get(metric) for record in run[:length]] for run in runs]
    return np.array([[np.nan if value is None else value for value in row] for row in rows], dtype=float)
