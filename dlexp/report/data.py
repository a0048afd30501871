"""What a data set looks like: pictures of the training part with their labels, or how each column is spread."""

import numpy as np
import torch
from matplotlib.figure import Figure

from dlexp.data.dataset import Dataset
from dlexp.image import as_float
from dlexp.report.style.canvas import panels, styled
from dlexp.report.style.color import SPLITS
from dlexp.report.style.text import add_key, label, shorten

_SIDE = 5
_MOST_COLUMNS = 24
_LONGEST = 20


@styled()
def data_figure(data: Dataset) -> Figure:
    """Return 25 pictures from all over the training part, or histograms of the first 24 inputs.

    Args:
        data: The data set.
    """
    return _picture_figure(data) if data.is_image else _column_figure(data)


def _picture_figure(data: Dataset) -> Figure:
    rows = data.train[torch.linspace(0, len(data.train) - 1, min(_SIDE**2, len(data.train))).long()].tolist()
    figure, axes = panels(len(rows), _SIDE, height=1.25, width=1.1)
    names = label(data.class_names, _LONGEST) if data.num_classes else None
    for axis, row in zip(axes, rows, strict=True):
        picture = as_float(data.inputs[row]).numpy()
        axis.imshow(picture[..., 0] if picture.shape[-1] == 1 else picture[..., :3], cmap="gray", vmin=0, vmax=1)
        target = data.targets[row].item()
        axis.set_title(f"{target:.4g}" if names is None else names.short[int(target)], fontsize=6)
        axis.set_axis_off()
    add_key(figure, [] if names is None else names.key)
    return figure


def _column_figure(data: Dataset) -> Figure:
    names = data.feature_names or [str(k) for k in range(data.inputs.shape[1])]
    shown = names[:_MOST_COLUMNS]
    figure, axes = panels(len(shown), min(6, len(shown)), height=1.4, width=1.6)
    for k, (axis, name) in enumerate(zip(axes, label([shorten(n, _LONGEST) for n in shown]).short, strict=True)):
        values = data.inputs[data.train, k].double().numpy()
        axis.hist(values[np.isfinite(values)], bins=30, color=SPLITS["train"])
        axis.set_xlabel(name)
        axis.tick_params(labelsize=6)
        axis.locator_params(axis="both", nbins=4)
    figure.supylabel("training examples", fontsize=7)
    return figure
