"""Stochastic gradient descent. Shapes: T trials, P parameters."""

from dataclasses import dataclass

from torch import Tensor

from dlexp.optimizer.axpy import axpy
from dlexp.optimizer.decay import add_coupled
from dlexp.type import NonNegative, PerTrial, Positive


@dataclass(frozen=True)
class SGD:
    """Gradient descent: params -= lr * g, g the gradient of a batch plus weight_decay * params.

    Args:
        lr: Step size per update, > 0.
        weight_decay: Factor of the parameters added to their gradient, >= 0.
        biases: Whether weight decay also acts on biases and normalisation parameters.

    References:
        Robbins and Monro (1951), A Stochastic Approximation Method, Annals of Mathematical Statistics 22.
    """

    lr: PerTrial[Positive] = 0.1
    weight_decay: PerTrial[NonNegative] = 0.0
    biases: bool = False

    def init(self, params_TP: Tensor) -> dict[str, Tensor]:
        """Return the state: none."""
        return {}

    def update(
        self,
        params_TP: Tensor,
        grads_TP: Tensor,
        state: dict[str, Tensor],
        lr_T1: float | Tensor,
        step: int | Tensor,
        decay_P: Tensor | None = None,
    ) -> None:
        """Move the parameters in place; overwrites the gradients."""
        add_coupled(grads_TP, params_TP, self.weight_decay, decay_P)
        axpy(lr_T1, grads_TP, params_TP, sign=-1)
