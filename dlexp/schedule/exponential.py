"""An exponentially falling rate. Shapes: T trials, S steps."""

from torch import Tensor

from dlexp.schedule.warmup import ramp
from dlexp.type import NonNegative, PerTrial, Positive


class ExponentialDecay:
    """Exponential decay: gamma^e, e the epochs since the end of the warm-up, fractions included.

    Args:
        gamma: Factor per epoch, > 0.
        warmup: Epochs of linear rise to the full rate, >= 0.

    References:
        Senior, Heigold, Ranzato and Yang (2013), An Empirical Study of Learning Rates, ICASSP, section 4.2.
    """

    def __init__(
        self,
        gamma: PerTrial[Positive] = 0.95,
        warmup: PerTrial[NonNegative] = 0.0,
        *,
        total_steps: int,
        steps_per_epoch: int,
    ):
        self.gamma, self.warmup, self.steps_per_epoch = gamma, warmup, steps_per_epoch

    def factor(self, step_S: Tensor) -> Tensor:
        """Return the factor, (S,) or (T, S)."""
        rise, elapsed, _ = ramp(step_S, self.warmup, self.steps_per_epoch)
        return rise * self.gamma ** (elapsed / self.steps_per_epoch)
