"""AdamW: Adam with decoupled weight decay. Shapes: T trials, P parameters."""

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Len
from torch import Tensor

from dlexp.optimizer.adam import adam_step, corrections, init_moments
from dlexp.optimizer.decay import shrink
from dlexp.type import NonNegative, PerTrial, Positive, Probability

Betas = PerTrial[Annotated[list[Probability], Len(2, 2)]]


@dataclass(frozen=True)
class AdamW:
    """Adam with decoupled weight decay: params -= lr * weight_decay * params, then Adam's step.

    Args:
        lr: Step size per update, > 0.
        betas: Fractions of the running means of gradient and square kept, each in [0, 1).
        eps: Added to the root, > 0.
        bias_correction: Whether the means are corrected for having begun at zero.
        weight_decay: Shrinkage per update in units of lr, >= 0.
        biases: Whether weight decay also acts on biases and normalisation parameters.

    References:
        Loshchilov and Hutter (2019), Decoupled Weight Decay Regularization, ICLR, algorithm 2.
    """

    lr: PerTrial[Positive] = 0.001
    betas: Betas = field(default_factory=lambda: [0.9, 0.999])
    eps: PerTrial[Positive] = 1e-8
    bias_correction: bool = True
    weight_decay: PerTrial[NonNegative] = 0.01
    biases: bool = False

    def init(self, params_TP: Tensor) -> dict[str, Tensor]:
        """Return the state: running means of gradients and of their squares, zero."""
        return init_moments(params_TP)

    def corrections(self, step: int) -> list[list[float]]:
        """Return what `update` may be given as a tensor in place of the number of an update; see `corrections`."""
        return corrections(self.betas, step, self.eps, self.bias_correction, "outside")

    def update(
        self,
        params_TP: Tensor,
        grads_TP: Tensor,
        state: dict[str, Tensor],
        lr_T1: float | Tensor,
        step: int | Tensor,
        decay_P: Tensor | None = None,
    ) -> None:
        """Move the parameters and means in place; overwrites the gradients."""
        shrink(params_TP, lr_T1, self.weight_decay, decay_P)
        adam_step(params_TP, grads_TP, state, lr_T1, step, self.betas, self.eps, self.bias_correction)
