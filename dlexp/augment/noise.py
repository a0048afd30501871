"""Add noise to pixels."""

import torch
from torch import Tensor

from dlexp.augment.draw import normal, require_images
from dlexp.image import as_float
from dlexp.type import NonNegative


class Noise:
    """Adds an independent normal number to every pixel and channel, then clamps to [0, 1].

    Args:
        std: Standard deviation, where 1 is the range from black to white, >= 0.

    References:
        C. Bishop (1995), Training with Noise is Equivalent to Tikhonov Regularization, Neural Computation 7.
    """

    def __init__(self, std: NonNegative = 0.05):
        self.std = std

    def __call__(self, images: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return images (N, C, H, W) float32 in [0, 1] and the same targets."""
        require_images(images, "noise")
        noise = normal(images.shape, generator, images.device)
        return (as_float(images) + self.std * noise).clamp_(0, 1), targets
