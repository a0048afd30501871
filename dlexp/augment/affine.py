"""Rotate, scale and translate images.

Shapes: N batch, C channels, H, W image.
"""

import math
from typing import Annotated, Literal

import torch
from annotated_types import Interval
from torch import Tensor
from torch.nn import functional as F

from dlexp.augment.draw import require_images, uniforms
from dlexp.image import as_float
from dlexp.type import Probability, UnitInterval

Degrees = Annotated[float, Interval(ge=0, le=180)]


class RandomAffine:
    """Rotates, scales and translates each image by random amounts, with bilinear interpolation.

    A point p of the image, measured from its centre, goes to s R(a) p + t.

    Args:
        rotation: Largest angle a in degrees, either way, in [0, 180].
        scale: s lies in [1 - scale, 1 + scale], in [0, 1).
        translation: Largest shift t as a share of width and height, in [0, 1].
        fill: What comes in from outside: zeros (black), edge (the border repeated) or reflect.

    References:
        P. Simard, D. Steinkraus, J. Platt (2003), Best Practices for Convolutional Neural Networks, ICDAR.
    """

    moves = True  # the picture, so that what is to be reconstructed moves too

    def __init__(
        self,
        rotation: Degrees = 10.0,
        scale: Probability = 0.1,
        translation: UnitInterval = 0.1,
        fill: Literal["zeros", "edge", "reflect"] = "zeros",
    ):
        self.rotation = rotation
        self.scale = scale
        self.translation = translation
        self.fill = fill

    def __call__(self, images: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return moved images (N, C, H, W) float32 and the same targets."""
        require_images(images, "affine")
        num, _, height, width = images.shape
        limit = math.radians(self.rotation)
        turn_N, size_N, right_N, down_N = 2 * uniforms(4, num, generator, images.device) - 1  # in [-1, 1)
        angle, scale = limit * turn_N, 1 + self.scale * size_N
        shift_x, shift_y = 2 * self.translation * right_N, 2 * self.translation * down_N
        theta = inverse_map(angle, scale, shift_x, shift_y, width / height)
        grid = F.affine_grid(theta, list(images.shape), align_corners=False)
        mode = {"zeros": "zeros", "edge": "border", "reflect": "reflection"}[self.fill]
        return F.grid_sample(as_float(images), grid, padding_mode=mode, align_corners=False), targets


def inverse_map(angle: Tensor, scale: Tensor, shift_x: Tensor, shift_y: Tensor, aspect: float) -> Tensor:
    """Return (N, 2, 3) matrices from output to input coordinates, as `grid_sample` asks.

    Coordinates run from -1 to 1 over either side; `aspect` = W / H keeps a rotation free of shear.
    """
    cos, sin = angle.cos() / scale, angle.sin() / scale
    first = torch.stack([cos, sin / aspect, -(cos * shift_x + sin / aspect * shift_y)], dim=1)
    second = torch.stack([-sin * aspect, cos, sin * aspect * shift_x - cos * shift_y], dim=1)
    return torch.stack([first, second], dim=1)
