"""A linearly falling rate. Shapes: T trials, S steps."""

from torch import Tensor

from dlexp.schedule.warmup import ramp
from dlexp.type import NonNegative, PerTrial, UnitInterval


class LinearDecay:
    """Linear decay: 1 - (1 - final) * t.

    t is the share of the steps after the warm-up that are done; t = 1 is one step past the last.

    Args:
        final: Factor at the end, in [0, 1].
        warmup: Epochs of linear rise to the full rate, >= 0.

    References:
        Goyal et al. (2017), Accurate, Large Minibatch SGD, arXiv:1706.02677, section 2.2 (the warm-up).
    """

    def __init__(
        self,
        final: PerTrial[UnitInterval] = 0.0,
        warmup: PerTrial[NonNegative] = 0.0,
        *,
        total_steps: int,
        steps_per_epoch: int,
    ):
        self.final, self.warmup = final, warmup
        self.total_steps, self.steps_per_epoch = total_steps, steps_per_epoch

    def factor(self, step_S: Tensor) -> Tensor:
        """Return the factor, (S,) or (T, S)."""
        rise, elapsed, length = ramp(step_S, self.warmup, self.steps_per_epoch)
        done = (elapsed / (self.total_steps - length).clamp(min=1)).clamp(max=1)
        return rise * (1 - (1 - self.final) * done)
