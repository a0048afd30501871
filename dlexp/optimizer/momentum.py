"""Gradient descent with momentum. Shapes: T trials, P parameters."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dlexp.optimizer.axpy import axpy
from dlexp.optimizer.decay import add_coupled
from dlexp.type import NonNegative, PerTrial, Positive, Probability


@dataclass(frozen=True)
class Momentum:
    """Heavy ball: v = momentum * v + g; params -= lr * v.

    As in torch the rate multiplies the whole velocity; in the paper it enters with each gradient, which differs only
    while the rate changes.

    Args:
        lr: Step size per update, > 0.
        momentum: Fraction of the last velocity kept, in [0, 1).
        weight_decay: Factor of the parameters added to their gradient, >= 0.
        biases: Whether weight decay also acts on biases and normalisation parameters.

    References:
        Polyak (1964), Some Methods of Speeding up the Convergence of Iteration Methods, USSR Comp. Math. 4.
    """

    lr: PerTrial[Positive] = 0.1
    momentum: PerTrial[Probability] = 0.9
    weight_decay: PerTrial[NonNegative] = 0.0
    biases: bool = False

    def init(self, params_TP: Tensor) -> dict[str, Tensor]:
        """Return the state: the velocity, zero."""
        return {"velocity": torch.zeros_like(params_TP)}

    def update(
        self,
        params_TP: Tensor,
        grads_TP: Tensor,
        state: dict[str, Tensor],
        lr_T1: float | Tensor,
        step: int,
        decay_P: Tensor | None = None,
    ) -> None:
        """Move the parameters and the velocity in place; overwrites the gradients."""
        add_coupled(grads_TP, params_TP, self.weight_decay, decay_P)
        velocity_TP = state["velocity"]
        axpy(self.momentum, velocity_TP, grads_TP, out=velocity_TP)
        axpy(lr_T1, velocity_TP, params_TP, sign=-1)
