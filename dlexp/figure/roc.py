"""ROC curves, each class against the rest, with their mean, and the corner where good ones crowd."""

from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from dlexp.figure.style.canvas import add_legend, new_figure, styled
from dlexp.figure.style.color import MARKED, NEUTRAL, SPLITS
from dlexp.figure.style.text import label
from dlexp.metric.probability import ranks_by
from dlexp.metric.ranking import roc_auc, roc_curve

MAX_NAMED = 10
CORNER = 0.2  # false positive rates of the inset
CROWDED = 0.9  # mean area from which the corner is shown enlarged
INSET = (0.42, 0.3, 0.54, 0.54)
_GRID = np.linspace(0.0, 1.0, 501)
LINES = ("-", "--", ":", "-.")
COLORS = ("#0072b2", "#d55e00", "#009e73", "#aa3377", "#806000")


@styled()
def roc_figure(
    outputs_NK: Tensor,
    targets_N: Tensor,
    class_names: list[str],
    link: str = "softmax",
    split: str = "validation",
    positive: int = 1,
) -> Figure:
    """Return a curve for each class that has examples of both kinds; for two classes the positive one's alone.

    From three curves on their mean over classes (at equal false positive rates) is the thick one.

    Args:
        outputs_NK: Logits; one column is the logit of class 1 of two.
        targets_N: Classes.
        class_names: A label for each class; more than 10 are not named.
        link: How outputs become probabilities; see `dlexp.metric.probability`.
        split: Part of the data, for the title.
        positive: The positive class of two.
    """
    scores_NK = ranks_by(outputs_NK, link)
    areas_K = roc_auc(scores_NK.unsqueeze(0), targets_N.unsqueeze(0))[0]
    every = [positive] if len(class_names) == 2 else list(range(len(class_names)))
    shown = [k for k in every if torch.isfinite(areas_K[k])]
    curves = [[values.numpy() for values in roc_curve(scores_NK[:, k], targets_N == k)[:2]] for k in shown]
    is_named = len(class_names) <= MAX_NAMED
    has_legend = bool(shown) and (is_named or len(shown) > 2)  # else there is no curve to name
    figure = new_figure(5.1 if has_legend else 3.6, 3.3)
    axis = figure.subplots()
    axis.plot([0, 1], [0, 1], ":", color=NEUTRAL, linewidth=0.8)
    labels = label([class_names[k] for k in shown], 14, shown)
    names = [f"{name} ({areas_K[k]:.3f})" for name, k in zip(labels.short, shown, strict=True)] if is_named else []
    _draw_curves(axis, curves, names)
    mean = float(areas_K[shown].mean()) if shown else 0.0
    if len(shown) > 2:
        _draw_mean(axis, curves, f"mean{'' if is_named else f' of {len(shown)} classes'} ({mean:.3f})")
    axis.set(title=f"{split}: ROC (area)", xlabel="false positive rate", ylabel="true positive rate")
    if shown and mean > CROWDED:
        _draw_corner(axis, curves)
    add_legend(figure, labels.key if is_named else [])
    return figure


def _draw_curves(axis: Axes, curves: list[list[np.ndarray]], names: list[str]) -> None:
    if len(curves) == 1:
        axis.plot(*curves[0], color=SPLITS["val"], label=names[0] if names else None)
        return
    for place, curve in enumerate(curves):
        axis.plot(*curve, **look_of(place, is_named=bool(names)), label=names[place] if names else None)


def look_of(place: int, *, is_named: bool) -> dict[str, Any]:
    """Return how one of many classes' curves is drawn: a colour and dashes where it is named, else a thin grey line."""
    if not is_named:
        return {"color": NEUTRAL, "linestyle": "-", "linewidth": 0.4}
    line = LINES[place // len(COLORS) % len(LINES)]
    return {"color": COLORS[place % len(COLORS)], "linestyle": line, "linewidth": 0.9}


def _draw_mean(axis: Axes, curves: list[list[np.ndarray]], name: str) -> None:
    axis.plot(*_mean(curves), color=MARKED, linewidth=2, label=name, gid="macro")


def _mean(curves: list[list[np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean true positive rate over classes, from (0, 0) on."""
    heights = np.mean([np.interp(_GRID, curve[0], curve[1]) for curve in curves], axis=0)
    return np.r_[0.0, _GRID], np.r_[0.0, heights]


def _draw_corner(axis: Axes, curves: list[list[np.ndarray]]) -> None:
    corner = axis.inset_axes(INSET)
    _draw_curves(corner, curves, [""] * len(curves) if len(curves) <= MAX_NAMED else [])
    if len(curves) > 2:
        corner.plot(*_mean(curves), color=MARKED, linewidth=1.6)
    corner.set(xlim=(-0.01 * CORNER, CORNER), ylim=(1 - CORNER, 1 + 0.02 * CORNER))
    corner.tick_params(labelsize=6)
    axis.indicate_inset_zoom(corner, edgecolor=NEUTRAL)
