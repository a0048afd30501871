"""A contact sheet: what an augmentation does, before and after, side by side."""

from collections.abc import Callable

import torch
from matplotlib.figure import Figure
from torch import Tensor

from dlexp.image import as_float
from dlexp.report.style.canvas import panels, styled

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
    figure, axes = panels(2, 2, height=3.3)
    for axis, title, x_NHWC in zip(axes, ("before", "after"), (before, after.permute(0, 2, 3, 1)), strict=True):
        axis.imshow(_tiles(as_float(x_NHWC).cpu()).numpy(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        axis.set_title(title)
        axis.set_axis_off()
    return figure


def _tiles(x_NHWC: Tensor) -> Tensor:
    """Lay up to 16 images out in a square with a white line between: (4 (H + 1), 4 (W + 1)[, 3])."""
    num, height, width, channels = x_NHWC.shape
    sheet = torch.ones(_SIDE * (height + 1), _SIDE * (width + 1), channels)
    for i in range(num):
        top, left = i // _SIDE * (height + 1), i % _SIDE * (width + 1)
        sheet[top : top + height, left : left + width] = x_NHWC[i]
    return sheet[:, :, :3] if channels >= 3 else sheet[:, :, 0]
