"""Blend each example with another of its batch."""

import torch
from torch import Tensor

from dlexp.augment.draw import beta, permutation
from dlexp.augment.label import mix_targets
from dlexp.image import as_float
from dlexp.type import Positive


class Mixup:
    """Blends each example, and its target, with another of the batch.

    x = w x_i + (1 - w) x_j, y = w y_i + (1 - w) y_j, with w drawn for each example from Beta(alpha, alpha). The paper
    draws one w for a batch. Also for tables.

    Args:
        alpha: Both parameters of the Beta distribution, > 0; larger mixes more evenly.

    References:
        H. Zhang, M. Cisse, Y. Dauphin, D. Lopez-Paz (2018), mixup: Beyond Empirical Risk Minimization, ICLR.
    """

    def __init__(self, alpha: Positive = 0.2, *, num_classes: int):
        self.alpha = alpha
        self.num_classes = num_classes

    def __call__(self, images: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return blended inputs as floats, and targets (N, K) float32 (classes) or (N,) (values)."""
        weight_N = beta(len(images), self.alpha, generator, images.device)
        partner_N = permutation(len(images), generator, images.device)
        x = as_float(images)
        weight = weight_N.to(x.dtype).view(-1, *[1] * (x.dim() - 1))
        return torch.lerp(x[partner_N], x, weight), mix_targets(targets, partner_N, weight_N, self.num_classes)
