"""RMSprop. Shapes: T trials, P parameters."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from dlexp.optimizer.axpy import axpy
from dlexp.optimizer.decay import add_coupled
from dlexp.optimizer.denominator import denominator
from dlexp.type import NonNegative, PerTrial, Positive, Probability


@dataclass(frozen=True)
class RMSprop:
    """Rates by a running mean of squares: s = alpha s + (1 - alpha) g^2; params -= lr * g / (sqrt(s) + eps).

    `form` says where eps stands, as printed in one text or another, and whether there is a root.

    Args:
        lr: Step size per update, > 0.
        alpha: Fraction of the running mean kept, in [0, 1).
        eps: Keeps the denominator from zero, > 0.
        form: Denominator: outside, sqrt(s) + eps; inside, sqrt(s + eps); rootless, s + eps.
        weight_decay: Factor of the parameters added to their gradient, >= 0.
        biases: Whether weight decay also acts on biases and normalisation parameters.

    References:
        Tieleman and Hinton (2012), Neural Networks for Machine Learning, lecture 6.5.
    """

    lr: PerTrial[Positive] = 0.01
    alpha: PerTrial[Probability] = 0.99
    eps: PerTrial[Positive] = 1e-8
    form: Literal["outside", "inside", "rootless"] = "outside"
    weight_decay: PerTrial[NonNegative] = 0.0
    biases: bool = False

    def init(self, params_TP: Tensor) -> dict[str, Tensor]:
        """Return the state: the running mean of squares, zero."""
        return {"mean_of_squares": torch.zeros_like(params_TP)}

    def update(
        self,
        params_TP: Tensor,
        grads_TP: Tensor,
        state: dict[str, Tensor],
        lr_T1: float | Tensor,
        step: int | Tensor,
        decay_P: Tensor | None = None,
    ) -> None:
        """Move the parameters and the mean in place; overwrites the gradients."""
        add_coupled(grads_TP, params_TP, self.weight_decay, decay_P)
        mean_TP, work_TP = state["mean_of_squares"], torch.mul(grads_TP, grads_TP)
        torch.lerp(work_TP, mean_TP, self.alpha, out=mean_TP)
        divisor_TP = denominator(mean_TP, self.eps, self.form, out=work_TP)
        axpy(lr_T1, grads_TP.div_(divisor_TP), params_TP, sign=-1)
