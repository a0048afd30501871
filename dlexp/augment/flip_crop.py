"""Mirror images and crop them at a random place after padding.

Shapes: N batch, C channels, H, W image. Works on bytes as on floats, since pixels only move.
"""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from dlexp.augment.draw import require_images, uniforms, whole
from dlexp.error import ConfigError
from dlexp.type import NonNegativeInt, UnitInterval


class FlipCrop:
    """Mirrors left and right with a probability, and shifts by padding and cropping.

    Each image of H x W is padded to (H + 2 padding) x (W + 2 padding) and cropped to H x W at a uniform place.

    Args:
        padding: Pixels added at each side, >= 0; 0 = no crop.
        flip: Probability of mirroring, in [0, 1]; 0 for digits and letters.
        fill: What is added: zeros (black), edge (the border repeated) or reflect.

    References:
        K. He et al. (2016), Deep Residual Learning for Image Recognition, CVPR, section 4.2.
    """

    moves = True  # the picture, so that what is to be reconstructed moves too

    def __init__(
        self, padding: NonNegativeInt = 4, flip: UnitInterval = 0.5, fill: Literal["zeros", "edge", "reflect"] = "zeros"
    ):
        self.padding = padding
        self.flip = flip
        self.fill = fill

    def __call__(self, images: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return moved images (N, C, H, W) of the same type, in channels-last memory, and the same targets."""
        require_images(images, "flip_crop")
        shorter = min(images.shape[-2:])
        if self.fill == "reflect" and self.padding >= shorter:
            raise ConfigError(
                f"augment.padding: got {self.padding}; fill=reflect mirrors less than the picture's {shorter} pixels: "
                f"at most {shorter - 1}, or fill=edge"
            )
        chance_N, down_N, right_N = uniforms(3, len(images), generator, images.device)
        top, left = whole(down_N, 2 * self.padding + 1), whole(right_N, 2 * self.padding + 1)
        x_NHWC = images.permute(0, 2, 3, 1).contiguous()
        if self.padding:
            x_NHWC = _crop(_pad(x_NHWC, self.padding, self.fill), x_NHWC.shape, top, left)
        if self.flip:
            x_NHWC = _flip(x_NHWC, chance_N < self.flip)
        return x_NHWC.permute(0, 3, 1, 2), targets


def _pad(x_NHWC: Tensor, padding: int, fill: str) -> Tensor:
    num, height, width, channels = x_NHWC.shape
    if fill == "zeros":
        padded = x_NHWC.new_zeros(num, height + 2 * padding, width + 2 * padding, channels)
        padded[:, padding : padding + height, padding : padding + width] = x_NHWC
        return padded
    mode = {"edge": "replicate", "reflect": "reflect"}[fill]
    # F.pad does not mirror bytes; small whole numbers pass through floats unchanged.
    x = F.pad(x_NHWC.permute(0, 3, 1, 2).float(), [padding] * 4, mode=mode)
    return x.permute(0, 2, 3, 1).to(x_NHWC.dtype).contiguous()


def _crop(padded: Tensor, shape: torch.Size, top_N: Tensor, left_N: Tensor) -> Tensor:
    """Cut (N, H, W, C) windows. A window's row is one run of W * C numbers, so all rows are gathered in one call."""
    num, height, width, channels = shape
    _, tall, wide, _ = padded.shape
    device = padded.device
    first_N = (torch.arange(num, device=device) * tall + top_N) * wide + left_N
    start_NH = first_N[:, None] + torch.arange(height, device=device) * wide
    runs = padded.as_strided((num * tall * wide - width + 1, width * channels), (channels, 1))
    return runs.index_select(0, start_NH.flatten()).view(shape)


def _flip(x_NHWC: Tensor, is_flipped_N: Tensor) -> Tensor:
    return torch.where(is_flipped_N.view(-1, 1, 1, 1), x_NHWC.flip(2), x_NHWC)
