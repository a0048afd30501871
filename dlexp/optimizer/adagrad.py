"""Adagrad. Shapes: T trials, P parameters."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dlexp.optimizer.axpy import axpy
from dlexp.optimizer.decay import add_coupled
from dlexp.type import NonNegative, PerTrial, Positive


@dataclass(frozen=True)
class Adagrad:
    """Rates that fall with the gradients seen: s += g^2; params -= lr * g / (sqrt(s) + eps).

    Args:
        lr: Step size per update, > 0.
        eps: Added to the root, > 0.
        initial: Value that s begins with, >= 0.
        weight_decay: Factor of the parameters added to their gradient, >= 0.
        biases: Whether weight decay also acts on biases and normalisation parameters.

    References:
        Duchi, Hazan and Singer (2011), Adaptive Subgradient Methods, JMLR 12, section 1.2.
    """

    lr: PerTrial[Positive] = 0.01
    eps: PerTrial[Positive] = 1e-10
    initial: PerTrial[NonNegative] = 0.0
    weight_decay: PerTrial[NonNegative] = 0.0
    biases: bool = False

    def init(self, params_TP: Tensor) -> dict[str, Tensor]:
        """Return the state: the sum of squared gradients."""
        return {"sum_of_squares": torch.zeros_like(params_TP).add_(self.initial)}

    def update(
        self,
        params_TP: Tensor,
        grads_TP: Tensor,
        state: dict[str, Tensor],
        lr_T1: float | Tensor,
        step: int,
        decay_P: Tensor | None = None,
    ) -> None:
        """Move the parameters and the sum in place; overwrites the gradients."""
        add_coupled(grads_TP, params_TP, self.weight_decay, decay_P)
        root_TP = state["sum_of_squares"].addcmul_(grads_TP, grads_TP).sqrt().add_(self.eps)
        axpy(lr_T1, grads_TP.div_(root_TP), params_TP, sign=-1)
