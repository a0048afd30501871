"""Blur with a Gaussian of random width.

Shapes: N batch, C channels, H, W image, K taps.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from dlexp.augment.draw import require_images, uniforms
from dlexp.image import as_float
from dlexp.type import Positive, UnitInterval


class Blur:
    """Blurs some images with a Gaussian whose standard deviation is drawn for each.

    Args:
        sigma: Largest standard deviation in pixels, > 0.
        p: Probability of blurring an image, in [0, 1].

    References:
        T. Chen et al. (2020), A Simple Framework for Contrastive Learning (SimCLR), ICML, appendix A.
    """

    def __init__(self, sigma: Positive = 1.0, p: UnitInterval = 0.5):
        self.sigma = sigma
        self.p = p

    def __call__(self, images: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return images (N, C, H, W) float32 and the same targets."""
        require_images(images, "blur")
        width_N, chance_N = uniforms(2, len(images), generator, images.device)
        sigma_N, is_blurred_N = self.sigma * width_N, chance_N < self.p
        # A width near zero is the identity: no branch on which images are blurred.
        sigma_N = torch.where(is_blurred_N, sigma_N, 0.0).clamp(min=1e-3)
        offsets_K = torch.arange(2 * math.ceil(3 * self.sigma) + 1, device=images.device) - math.ceil(3 * self.sigma)
        taps_NK = torch.softmax(-offsets_K.square() / (2 * sigma_N.square()).unsqueeze(1), dim=1)
        return _smooth(_smooth(as_float(images), taps_NK, -1), taps_NK, -2), targets


def _smooth(x_NCHW: Tensor, taps_NK: Tensor, dim: int) -> Tensor:
    """Convolve along one axis with each image's own taps; borders repeat."""
    radius = taps_NK.shape[1] // 2
    padded = F.pad(x_NCHW, [radius, radius, 0, 0] if dim == -1 else [0, 0, radius, radius], mode="replicate")
    smoothed = torch.zeros_like(x_NCHW)
    for k, tap_N in enumerate(taps_NK.unbind(1)):
        smoothed.addcmul_(padded.narrow(dim, k, x_NCHW.shape[dim]), tap_N.view(-1, 1, 1, 1))
    return smoothed
