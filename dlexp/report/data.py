"""What a data set looks like: pictures of the training part with their labels, or how each column is spread."""

from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes

from dlexp.data.dataset import Dataset
from dlexp.image import as_float
from dlexp.report.canvas import new_figure, plain, save

_SIDE = 5
_MOST_COLUMNS = 24


def draw(data: Dataset, path: Path) -> Path:
    """Draw 25 pictures from all over the training part, or histograms of the first 24 inputs.

    Args:
        data: The data set.
        path: The PNG to write.
    """
    return _draw_pictures(data, path) if data.is_image else _draw_columns(data, path)


def _draw_pictures(data: Dataset, path: Path) -> Path:
    rows = data.train[torch.linspace(0, len(data.train) - 1, min(_SIDE**2, len(data.train))).long()]
    figure = new_figure(1.5 * _SIDE, 1.7 * _SIDE)
    axes = list(figure.subplots(_SIDE, _SIDE).flat)
    for axis, row in zip(axes, rows.tolist(), strict=False):
        picture = as_float(data.inputs[row]).numpy()
        axis.imshow(picture[..., 0] if picture.shape[-1] == 1 else picture[..., :3], cmap="gray", vmin=0, vmax=1)
        axis.set_title(plain(_target(data, row))[:20], fontsize=7)
    _clear(axes)
    return save(figure, path)


def _draw_columns(data: Dataset, path: Path) -> Path:
    names = data.feature_names or [str(k) for k in range(data.inputs.shape[1])]
    shown = names[:_MOST_COLUMNS]
    width = min(6, len(shown))
    height = -(-len(shown) // width)
    figure = new_figure(2.2 * width, 1.8 * height)
    axes = list(figure.subplots(height, width, squeeze=False).flat)
    for k, (axis, name) in enumerate(zip(axes, shown, strict=False)):
        values = data.inputs[data.train, k].double().numpy()
        axis.hist(values[np.isfinite(values)], bins=30)
        axis.set_title(plain(name)[:24], fontsize=8)
        axis.tick_params(labelsize=6)
    for axis in axes[len(shown) :]:
        axis.set_visible(False)
    return save(figure, path)


def _target(data: Dataset, row: int) -> str:
    target = data.targets[row].item()
    return data.class_names[int(target)] if data.num_classes else f"{target:.4g}"


def _clear(axes: list[Axes]) -> None:
    for axis in axes:
        axis.set_axis_off()
