"""Adagrad. Shapes: T trials, P parameters."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from dlexp.optimizer.axpy import axpy
from dlexp.optimizer.decay import add_coupled
from dlexp.optimizer.denominator import denominator
from dlexp.type import NonNegative, PerTrial, Positive


@dataclass(frozen=True)
class Adagrad:
    """Rates that fall with the gradients seen: s += g^2; params -= lr * g / (sqrt(s) + eps).

    `form` says where eps stands, as printed in one text or another, and whether there is a root.

    Args:
        lr: Step size per update, > 0.
        eps: Keeps the denominator from zero, > 0.
        form: Denominator: outside, sqrt(s) + eps; inside, sqrt(s + eps); rootless, s + eps.
        initial: Value that s begins with, >= 0.
        weight_decay: Factor of the parameters added to their gradient, >= 0.
        biases: Whether weight decay also acts on biases and normalisation parameters.

    References:
        Duchi, Hazan and Singer (2011), Adaptive Subgradient Methods, JMLR 12, section 1.2.
    """

    lr: PerTrial[Positive] = 0.01
    eps: PerTrial[Positive] = 1e-10
    form: Literal["outside", "inside", "rootless"] = "outside"
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
        step: int | Tensor,
        decay_P: Tensor | None = None,
    ) -> None:
        """Move the parameters and the sum in place; overwrites the gradients."""
        add_coupled(grads_TP, params_TP, self.weight_decay, decay_P)
        squares_TP = state["sum_of_squares"].addcmul_(grads_TP, grads_TP)
        axpy(lr_T1, grads_TP.div_(denominator(squares_TP, self.eps, self.form)), params_TP, sign=-1)
