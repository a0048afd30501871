"""Weight decay, coupled (part of the gradient) and decoupled (a shrinkage beside the step).

A plain 0.0 costs nothing; a tensor of rates is always applied. `decay_P` is 1 where decay acts and 0 elsewhere,
None for everywhere. Shapes: T trials, P parameters.
"""

import torch
from torch import Tensor


def add_coupled(grads_TP: Tensor, params_TP: Tensor, weight_decay: float | Tensor, decay_P: Tensor | None) -> None:
    """Add the gradient of weight_decay / 2 * ||params||^2 to the gradients: g += weight_decay * params."""
    if isinstance(weight_decay, Tensor) or weight_decay != 0:
        grads_TP.add_(_scaled(params_TP, weight_decay, decay_P))


def shrink(params_TP: Tensor, lr_T1: float | Tensor, weight_decay: float | Tensor, decay_P: Tensor | None) -> None:
    """Shrink the parameters: params -= lr * weight_decay * params."""
    if isinstance(weight_decay, Tensor) or weight_decay != 0:
        params_TP.sub_(_scaled(params_TP, lr_T1 * weight_decay, decay_P))


def _scaled(params_TP: Tensor, rate: float | Tensor, decay_P: Tensor | None) -> Tensor:
    scaled_TP = torch.mul(params_TP, rate)
    return scaled_TP if decay_P is None else scaled_TP.mul_(decay_P)
