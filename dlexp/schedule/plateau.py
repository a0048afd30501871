"""A rate that drops when the validation stops improving. Shapes: T trials, S steps."""

import torch
from torch import Tensor

from dlexp.schedule.warmup import ramp
from dlexp.type import NonNegative, NonNegativeInt, PerTrial, UnitInterval


class Plateau:
    """Reduction on plateau: the rate is multiplied by gamma after more than `patience` epochs without improvement.

    An epoch improves when its value is below best - threshold * |best|. `start` makes the state of all trials and
    `observe` updates it at each epoch's end; the program multiplies `factor` by state["scale"].

    Args:
        gamma: Factor of one drop, in [0, 1].
        patience: Epochs without improvement that are tolerated, an integer >= 0.
        threshold: Relative improvement that counts, >= 0.
        cooldown: Epochs after a drop in which none is counted as bad, an integer >= 0.
        min_scale: Smallest product of all drops, in [0, 1].
        warmup: Epochs of linear rise to the full rate, >= 0.

    References:
        Senior, Heigold, Ranzato and Yang (2013), An Empirical Study of Learning Rates, ICASSP, section 4.3.
    """

    def __init__(
        self,
        gamma: PerTrial[UnitInterval] = 0.1,
        patience: PerTrial[NonNegativeInt] = 10,
        threshold: PerTrial[NonNegative] = 1e-4,
        cooldown: PerTrial[NonNegativeInt] = 0,
        min_scale: PerTrial[UnitInterval] = 0.0,
        warmup: PerTrial[NonNegative] = 0.0,
        *,
        total_steps: int,
        steps_per_epoch: int,
    ):
        self.gamma, self.patience, self.threshold = gamma, patience, threshold
        self.cooldown, self.min_scale = cooldown, min_scale
        self.warmup, self.steps_per_epoch = warmup, steps_per_epoch

    def factor(self, step_S: Tensor) -> Tensor:
        """Return the warm-up's factor, (S,) or (T, S)."""
        return ramp(step_S, self.warmup, self.steps_per_epoch)[0]

    def start(self, num_trials: int, device: torch.device | str) -> dict[str, Tensor]:
        """Return the state, each (T,) float64: scale, best value, bad epochs in a row, epochs left to cool down."""
        zeros = torch.zeros(num_trials, dtype=torch.float64, device=device)
        return {"scale": zeros + 1, "best": zeros + float("inf"), "bad": zeros.clone(), "cooling": zeros.clone()}

    def observe(self, state: dict[str, Tensor], value_T: Tensor) -> None:
        """Take in the values of an epoch (T,), lower is better; a value that is not a number never improves."""
        scale, best, bad, cooling = state["scale"], state["best"], state["bad"], state["cooling"]
        value_T = value_T.to(best)
        slack_T = torch.where(best.isinf(), 0.0, best.abs()) * _row(self.threshold, best)
        better_T = value_T < best - slack_T
        best.copy_(torch.where(better_T, value_T, best))
        bad.copy_(torch.where(better_T | (cooling > 0), 0.0, bad + 1))
        cooling.sub_(1).clamp_(min=0)
        drop_T = bad > _row(self.patience, best)
        lower_T = torch.maximum(scale * _row(self.gamma, best), _row(self.min_scale, best))
        scale.copy_(torch.where(drop_T, lower_T, scale))
        bad.masked_fill_(drop_T, 0.0)
        cooling.copy_(torch.where(drop_T, _row(self.cooldown, best), cooling))


def _row(value: float | Tensor, like: Tensor) -> Tensor:
    """Return a number or a (T, 1) tensor as (1,) or (T,)."""
    return torch.as_tensor(value, dtype=like.dtype, device=like.device).reshape(-1)
