"""A contact sheet: what an augmentation does, before and after, side by side."""

from collections.abc import Callable

import torch
from matplotlib.figure import Figure
from torch import Tensor

from dlexp.figure.style.canvas import panels, styled
from dlexp.figure.style.tile import tile

_SIDE = 4


@styled()
def augment_figure(
    images_NHWC: Tensor,
    targets: Tensor,
    augment: Callable[[Tensor, Tensor, torch.Generator], tuple[Tensor, Tensor]],
    generator: torch.Generator,
) -> Figure:
    """Return the first 16 images and the same augmented.

    Args:
        images_NHWC: Raw training images, bytes or floats in [0, 1].
        targets: Their targets.
        augment: The augmentation.
        generator: Draws the augmentation.
    """
    before = images_NHWC[: _SIDE**2]
    after, _ = augment(before.permute(0, 3, 1, 2), targets[: _SIDE**2], generator)
    figure, axes = panels(2, height=3.3)
    for axis, title, x_NHWC in zip(axes, ("before", "after"), (before, after.permute(0, 2, 3, 1)), strict=True):
        axis.imshow(tile(x_NHWC, _SIDE), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        axis.set_title(title)
        axis.set_axis_off()
    return figure
