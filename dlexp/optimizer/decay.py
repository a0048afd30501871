"""Weight decay, coupled (added to the gradient) and decoupled (a shrinkage beside the step).

A plain 0.0 costs nothing; a tensor of rates is always applied. `decay_P` is 1 where decay acts and 0 elsewhere,
None for everywhere. Shapes: T trials, P parameters.
"""

import torch
from torch import Tensor

from dlexp.optimizer.axpy import axpy


def add_coupled(grads_TP: Tensor, params_TP: Tensor, weight_decay: float | Tensor, decay_P: Tensor | None) -> None:
    """Add the gradient of weight_decay / 2 * ||params||^2 to the gradients: g += weight_decay * params."""
    if isinstance(weight_decay, Tensor) or weight_decay != 0:
        axpy(weight_decay, _masked(params_TP, decay_P), grads_TP)


def shrink(params_TP: Tensor, lr_T1: float | Tensor, weight_decay: float | Tensor, decay_P: Tensor | None) -> None:
    """Shrink the parameters: params -= lr * weight_decay * params."""
    if isinstance(weight_decay, Tensor) or weight_decay != 0:
        axpy(lr_T1 * weight_decay, _masked(params_TP, decay_P), params_TP, sign=-1)


def _masked(params_TP: Tensor, decay_P: Tensor | None) -> Tensor:
    return params_TP if decay_P is None else torch.mul(params_TP, decay_P)
