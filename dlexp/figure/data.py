"""What a data set looks like: pictures of the training part with their labels, or how each column is spread."""

import numpy as np
import torch
from matplotlib.figure import Figure

from dlexp.data.dataset import Dataset
from dlexp.figure.style.canvas import PAGE, add_legend, new_figure, panels, styled
from dlexp.figure.style.color import NEUTRAL, SPLITS
from dlexp.figure.style.limit import FARTHEST_OF_CURVE, limit, mark_clipped, set_limit
from dlexp.figure.style.text import fit, label
from dlexp.figure.style.tile import tile

_SIDE = 5
_MOST_COLUMNS = 24
_COLUMN = 1.55  # inches that a histogram needs
_FONT = 6  # points of a picture's label
_LINE = 0.14  # inches of a picture's label


@styled()
def data_figure(data: Dataset) -> Figure:
    """Return 25 pictures from all over the training part, or histograms of the first 24 inputs.

    Args:
        data: The data set.
    """
    return _picture_figure(data) if data.is_image else _column_figure(data)


def _picture_figure(data: Dataset) -> Figure:
    rows = data.train[torch.linspace(0, len(data.train) - 1, min(_SIDE**2, len(data.train))).long()]
    x_NHWC, targets = data.pictures(rows), data.targets[rows].tolist()
    columns = min(_SIDE, len(rows))
    figure = new_figure(PAGE, 0.0)
    side = figure.get_figwidth() / columns
    height, width = x_NHWC.shape[1:3]
    gap = max(2, round(width * _LINE / side))
    figure.set_figheight(side * (height + gap) / (width + 1) * -(-len(rows) // columns) + 0.1)
    axis = figure.subplots()
    axis.imshow(tile(x_NHWC, columns, gap), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axis.set_axis_off()
    classes = sorted(set(targets)) if data.class_names else []
    labels = label([data.class_names[k] for k in classes], fit(side, _FONT), classes)
    names = dict(zip(classes, labels.short, strict=True))
    for place, target in enumerate(targets):
        left, top = place % columns * (width + 1), place // columns * (height + gap)
        text = names.get(target, f"{target:.4g}")
        axis.text(left + width / 2, top + height, text, fontsize=_FONT, ha="center", va="top")
    add_legend(figure, labels.key)
    return figure


def _column_figure(data: Dataset) -> Figure:
    names = data.feature_names or [str(k) for k in range(data.inputs.shape[1])]
    shown = names[:_MOST_COLUMNS]
    figure, axes = panels(len(shown), height=1.4, width=_COLUMN)
    labels = label(shown, fit(_COLUMN))
    for k, (axis, name) in enumerate(zip(axes, labels.short, strict=True)):
        values = data.inputs[data.members(data.train), k].double().numpy()
        values = values[~np.isnan(values)]
        limits = limit(values, may_be_log=False, farthest=FARTHEST_OF_CURVE)
        if len(values):
            axis.hist(values[(values >= limits.low) & (values <= limits.high)], bins=30, color=SPLITS["train"])
            set_limit(axis, "x", limits)
            mark_clipped(axis, np.zeros(len(values)).tolist(), values.tolist(), limits, "x")
        else:
            axis.text(0.5, 0.5, "gaps only", transform=axis.transAxes, ha="center", color=NEUTRAL)
            axis.set(xticks=[], yticks=[])
        axis.set_xlabel(name)
        axis.tick_params(labelsize=6)
        axis.locator_params(axis="both", nbins=4)
    figure.supylabel("training examples", fontsize=7)
    add_legend(figure, labels.key, is_below=True)
    return figure
