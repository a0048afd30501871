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
        milestones: PerTrial[list[Positive]] | None = None,
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
            # a number, or (T, 1) where trials differ
            marks = [torch.as_tensor(mark, dtype=step_S.dtype) * self.steps_per_epoch for mark in self.milestones]
            drops = torch.stack([(step_S >= mark).to(step_S.dtype) for mark in marks]).sum(0)
        return self.gamma**drops * ramp(step_S, self.warmup, self.steps_per_epoch)[0]
