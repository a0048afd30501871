"""A constant rate. Shapes: T trials, S steps."""

from torch import Tensor

from dlexp.schedule.warmup import ramp
from dlexp.type import NonNegative, PerTrial


class Constant:
    """Constant rate.

    Args:
        warmup: Epochs of linear rise to the full rate, >= 0.
    """

    def __init__(self, warmup: PerTrial[NonNegative] = 0.0, *, total_steps: int, steps_per_epoch: int):
        self.warmup, self.steps_per_epoch = warmup, steps_per_epoch

    def factor(self, step_S: Tensor) -> Tensor:
        """Return 1 after the warm-up, (S,) or (T, S)."""
        return ramp(step_S, self.warmup, self.steps_per_epoch)[0]
