"""Paste a box of another image.

Works on bytes as on floats.
"""

import torch
from torch import Tensor

from dlexp.augment.cutout import span
from dlexp.augment.draw import beta, permutation, require_images, uniform
from dlexp.augment.label import mix_targets
from dlexp.type import Positive


class CutMix:
    """Pastes a box of another image of the batch into each; the targets mix by area.

    With w from Beta(alpha, alpha) for each image, the box has sides H sqrt(1 - w) and W sqrt(1 - w) around a uniform
    centre, cut at the border; y = (1 - a) y_i + a y_j with a the box's true share of the area. The paper draws one box
    for a batch.

    Args:
        alpha: Both parameters of the Beta distribution, > 0.

    References:
        S. Yun et al. (2019), CutMix: Regularization Strategy to Train Strong Classifiers, ICCV.
    """

    def __init__(self, alpha: Positive = 1.0, *, num_classes: int):
        self.alpha = alpha
        self.num_classes = num_classes

    def __call__(self, images: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return images of the same type, and targets (N, K) float32 (classes) or (N,) (values)."""
        require_images(images, "cutmix")
        num, _, height, width = images.shape
        side_N = (1 - beta(num, self.alpha, generator, images.device)).sqrt()
        partner_N = permutation(num, generator, images.device)
        row_NH = _box(side_N, height, generator)
        column_NW = _box(side_N, width, generator)
        is_pasted = row_NH[:, None, :, None] & column_NW[:, None, None, :]
        kept_N = 1 - row_NH.sum(1) * column_NW.sum(1) / (height * width)
        return torch.where(is_pasted, images[partner_N], images), mix_targets(
            targets, partner_N, kept_N, self.num_classes
        )


def _box(side_N: Tensor, length: int, generator: torch.Generator) -> Tensor:
    """Return (N, length) bool: the box's extent along one axis."""
    centre_N = uniform(len(side_N), 0, length, generator, side_N.device)
    half_N = side_N * length / 2
    return span((centre_N - half_N).round(), (centre_N + half_N).round(), length)
