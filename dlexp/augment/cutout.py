"""Blank a random square.

Works on bytes as on floats.
"""

import torch
from torch import Tensor

from dlexp.augment.draw import require_images, uniforms, whole
from dlexp.type import Count, UnitInterval


class Cutout:
    """Blanks a square of each image; its centre is any pixel, so it may stand out over the border.

    Args:
        size: Side of the square in pixels, >= 1.
        p: Probability of blanking an image, in [0, 1].
        fill: Grey value of the square, 0 black to 1 white. The paper's squares have the value that normalisation
            turns to 0, for which 0.5 is near.

    References:
        T. DeVries, G. Taylor (2017), Improved Regularization of CNNs with Cutout, arXiv:1708.04552.
    """

    def __init__(self, size: Count = 8, p: UnitInterval = 1.0, fill: UnitInterval = 0.5):
        self.size = size
        self.p = p
        self.fill = fill

    def __call__(self, images: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return images (N, C, H, W) of the same type and the same targets."""
        require_images(images, "cutout")
        num, _, height, width = images.shape
        chance_N, down_N, right_N = uniforms(3, num, generator, images.device)
        is_cut = (chance_N < self.p).view(-1, 1)
        top, left = whole(down_N, height) - self.size // 2, whole(right_N, width) - self.size // 2
        row_NH = span(top, top + self.size, height) & is_cut
        column_NW = span(left, left + self.size, width)
        value = round(255 * self.fill) if images.dtype == torch.uint8 else self.fill
        is_blank = row_NH[:, None, :, None] & column_NW[:, None, None, :]
        return images.masked_fill(is_blank, value), targets


def span(start_N: Tensor, end_N: Tensor, length: int) -> Tensor:
    """Return (N, length) bool: positions from start up to before end."""
    position = torch.arange(length, device=start_N.device)
    return (position >= start_N.unsqueeze(1)) & (position < end_N.unsqueeze(1))
