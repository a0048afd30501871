"""Nesterov's accelerated gradient, in both published forms. Shapes: T trials, P parameters."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from dlexp.optimizer.axpy import axpy
from dlexp.optimizer.decay import add_coupled
from dlexp.type import NonNegative, PerTrial, Positive, Probability


@dataclass(frozen=True)
class Nesterov:
    """Nesterov momentum: the gradient is taken where the velocity is about to lead.

    Sutskever et al. write, with m = momentum: v' = m v - lr g(theta + m v); theta' = theta + v'. The parameters held
    here are the point where the gradient is taken, phi = theta + m v:
        sutskever: v' = m v - lr g(phi);  phi' = phi - m v + (1 + m) v'
        torch:     b' = m b + g(phi);     phi' = phi - lr (g(phi) + m b')
    With v = -lr b the two are the same at constant rate; under a schedule the first keeps the rate with which each
    gradient entered.

    Args:
        lr: Step size per update, > 0.
        momentum: Fraction of the last velocity kept, in [0, 1).
        form: `torch`: b = momentum * b + g; params -= lr * (g + momentum * b); or `sutskever`: v = momentum * v - lr *
            g at the point ahead, which is another path as soon as a schedule moves the rate.
        weight_decay: Factor of the parameters added to their gradient, >= 0.
        biases: Whether weight decay also acts on biases and normalisation parameters.

    References:
        Nesterov (1983), A Method of Solving a Convex Programming Problem with Rate O(1/k^2), Soviet Math. Dokl. 27.
        Sutskever, Martens, Dahl and Hinton (2013), On the Importance of Initialization and Momentum, ICML, eq. 3-4.
    """

    lr: PerTrial[Positive] = 0.1
    momentum: PerTrial[Probability] = 0.9
    form: Literal["torch", "sutskever"] = "torch"
    weight_decay: PerTrial[NonNegative] = 0.0
    biases: bool = False

    def init(self, params_TP: Tensor) -> dict[str, Tensor]:
        """Return the state: the velocity (b or v), zero."""
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
            axpy(self.momentum, velocity_TP, grads_TP)
            axpy(lr_T1, grads_TP, params_TP, sign=-1)
        else:
            velocity_TP.mul_(self.momentum)
            params_TP.sub_(velocity_TP)
            axpy(lr_T1, grads_TP, velocity_TP, sign=-1)
            axpy(1 + self.momentum, velocity_TP, params_TP)
