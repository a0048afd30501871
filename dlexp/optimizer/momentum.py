"""Gradient descent with momentum. Shapes: T trials, P parameters."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from dlexp.optimizer.axpy import axpy
from dlexp.optimizer.decay import add_coupled
from dlexp.type import NonNegative, PerTrial, Positive, Probability


@dataclass(frozen=True)
class Momentum:
    """Heavy ball: v = momentum * v + g; params -= lr * v.

    Two forms, the same at constant rate:
        torch:     v = momentum * v + g; params -= lr * v: the rate multiplies the whole velocity.
        sutskever: v = momentum * v - lr * g; params += v: each gradient keeps the rate with which it entered.

    Args:
        lr: Step size per update, > 0.
        momentum: Fraction of the last velocity kept, in [0, 1).
        form: `torch`, as above, or `sutskever`: v = momentum * v - lr * g; params += v, which is another path as soon
            as a schedule moves the rate.
        weight_decay: Factor of the parameters added to their gradient, >= 0.
        biases: Whether weight decay also acts on biases and normalisation parameters.

    References:
        Polyak (1964), Some Methods of Speeding up the Convergence of Iteration Methods, USSR Comp. Math. 4.
        Sutskever, Martens, Dahl and Hinton (2013), On the Importance of Initialization and Momentum, ICML, eq. 1-2.
    """

    lr: PerTrial[Positive] = 0.1
    momentum: PerTrial[Probability] = 0.9
    form: Literal["torch", "sutskever"] = "torch"
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
        step: int | Tensor,
        decay_P: Tensor | None = None,
    ) -> None:
        """Move the parameters and the velocity in place; overwrites the gradients."""
        add_coupled(grads_TP, params_TP, self.weight_decay, decay_P)
        velocity_TP = state["velocity"]
        if self.form == "torch":
            axpy(self.momentum, velocity_TP, grads_TP, out=velocity_TP)
            axpy(lr_T1, velocity_TP, params_TP, sign=-1)
        else:
            axpy(lr_T1, grads_TP, velocity_TP.mul_(self.momentum), sign=-1)
            params_TP.add_(velocity_TP)
