"""Pieces of the cross-entropy. Shapes: T trials, N batch, K classes; z outputs, s = softmax(z)."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from dlexp.error import ConfigError


def require_weights(class_weight: list[Any], num_classes: int) -> None:
    """Refuse class weights that the loss cannot take.

    Args:
        class_weight: A number for each class; tensors (T, 1) where trials differ.
        num_classes: K.

    Raises:
        ConfigError: There is not one for each class, or all are 0.
    """
    if len(class_weight) != num_classes:
        raise ConfigError(f"loss.class_weight: got {len(class_weight)} weights; the data has {num_classes} classes")
    if are_all_zero(class_weight):
        raise ConfigError(f"loss.class_weight: got {class_weight}; a weight > 0 is needed for anything to be learnt")


def are_all_zero(weights: Sequence[Any]) -> bool:
    """Say whether nothing counts: of weights that are numbers, or tensors where trials differ."""
    return not any(bool(torch.as_tensor(weight).any()) for weight in weights)


def mass_of_classes(weight_T1K: Tensor, targets: Tensor) -> Tensor:
    """Return the sum of the weights of a batch's examples (T,), or (1,) where trials share both."""
    num_trials = max(len(targets), len(weight_T1K))
    return weight_T1K.squeeze(1).expand(num_trials, -1).gather(1, targets.expand(num_trials, -1)).sum(1)


def mean_square_lse(outputs_TNK: Tensor, logp_TNK: Tensor) -> Tensor:
    """Return mean_n (log sum_k exp z_nk)^2 (T, 1).

    It is z_k - log s_k for any k, exact for the largest.
    """
    largest_TN1 = outputs_TNK.argmax(-1, keepdim=True)
    lse_TN = (outputs_TNK.gather(-1, largest_TN1) - logp_TNK.gather(-1, largest_TN1)).squeeze(-1)
    return lse_TN.square().mean(1, keepdim=True)


def divisor(mass_T: Tensor) -> Tensor:
    """Return what a sum of weighted terms is divided by: where nothing has a weight, nothing is divided."""
    return mass_T.clamp(min=torch.finfo(mass_T.dtype).tiny)
