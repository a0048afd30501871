"""Targets of images that are mixed from two."""

import torch
from torch import Tensor
from torch.nn import functional as F


def mix_targets(targets: Tensor, partner_N: Tensor, weight_N: Tensor, num_classes: int) -> Tensor:
    """Return weight * own + (1 - weight) * partner's target.

    Args:
        targets: (N,) int64 classes, (N, K) probabilities of an earlier mix, or (N,) float values.
        partner_N: Row of each example's partner.
        weight_N: Share of the own target.
        num_classes: K; 0 for regression.

    Returns:
        (N, K) float32 probabilities for classes, (N,) values for regression.
    """
    if not targets.is_floating_point():
        targets = F.one_hot(targets, num_classes).to(torch.float32)
    weight = weight_N.view(-1, *[1] * (targets.dim() - 1)).to(targets.dtype)
    return weight * targets + (1 - weight) * targets[partner_N]
