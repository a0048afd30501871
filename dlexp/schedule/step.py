"""A rate that drops at given epochs. Shapes: T trials, S steps."""

import torch
from torch import Tensor

from dlexp.schedule.warmup import ramp
from dlexp.type import NonNegative, PerTrial, Positive


class StepDecay:
    """Step decay: gamma^(number of drops so far), a drop every step_size epochs or at the milestones.

    Epochs count from the start of training, warm-up included.

    Args:
        step_size: Epochs between drops, > 0; milestones replace it.
        milestones: Epochs of the drops, for example [82, 123], or null for a drop every step_size epochs.
        gamma: Factor of one drop, > 0.
        warmup: Epochs of linear rise to the full rate, >= 0.

    References:
        He, Zhang, Ren and Sun (2016), Deep Residual Learning, CVPR, sections 3.4 and 4.2.
    """

    def __init__(
        self,
        step_size: PerTrial[Positive] = 10.0,
        milestones: list[Positive] | None = None,
        gamma: PerTrial[Positive] = 0.1,
        warmup: PerTrial[NonNegative] = 0.0,
        *,
        total_steps: int,
        steps_per_epoch: int,
    ):
        self.step_size, self.milestones, self.gamma, self.warmup = step_size, milestones, gamma, warmup
        self.steps_per_epoch = steps_per_epoch

    def factor(self, step_S: Tensor) -> Tensor:
        """Return the factor, (S,) or (T, S)."""
        if self.milestones is None:
            drops = (step_S / (self.step_size * self.steps_per_epoch)).floor()
        else:
            marks = torch.tensor(self.milestones, dtype=step_S.dtype, device=step_S.device) * self.steps_per_epoch
            drops = (step_S[:, None] >= marks).sum(1, dtype=step_S.dtype)
        return self.gamma**drops * ramp(step_S, self.warmup, self.steps_per_epoch)[0]
