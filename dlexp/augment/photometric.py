"""Change brightness and contrast."""

import torch
from torch import Tensor

from dlexp.augment.draw import per_image, require_images, uniforms
from dlexp.image import as_float
from dlexp.type import UnitInterval


class Photometric:
    """Changes brightness and contrast of each image by random factors.

    x becomes b x, then m + c (x - m) with m the image's mean, clamped to [0, 1].

    Args:
        brightness: b lies in [1 - brightness, 1 + brightness], in [0, 1].
        contrast: c lies in [1 - contrast, 1 + contrast], in [0, 1].

    References:
        A. Krizhevsky, I. Sutskever, G. Hinton (2012), ImageNet Classification with Deep CNNs, section 4.1 (idea).
    """

    def __init__(self, brightness: UnitInterval = 0.2, contrast: UnitInterval = 0.2):
        self.brightness = brightness
        self.contrast = contrast

    def __call__(self, images: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return images (N, C, H, W) float32 in [0, 1] and the same targets."""
        require_images(images, "photometric")
        light_N, range_N = 2 * uniforms(2, len(images), generator, images.device) - 1  # in [-1, 1)
        brightness, contrast = per_image(1 + self.brightness * light_N), per_image(1 + self.contrast * range_N)
        x = as_float(images) * brightness
        mean = x.mean((1, 2, 3), keepdim=True)
        return torch.lerp(mean.expand_as(x), x, contrast).clamp_(0, 1), targets
