"""The one-cycle policy. Shapes: T trials, S steps."""

import math

import torch
from torch import Tensor

from dlexp.schedule.warmup import ramp
from dlexp.type import Fraction, NonNegative, PerTrial, Positive


class OneCycle:
    """One cycle: by half cosines from 1 / div_factor up to 1 and down to 1 / (div_factor * final_div_factor).

    The top is reached at step pct_start * n - 1 and the end at step n - 1, n the steps after the warm-up, as in torch.

    Args:
        pct_start: Share of the steps spent rising, in (0, 1).
        div_factor: The optimiser's rate, the top, divided by the rate at the start, > 0.
        final_div_factor: The rate at the start divided by the rate at the end, > 0.
        warmup: Epochs of linear rise before the cycle, up to the rate at its start, >= 0.

    References:
        Smith and Topin (2018), Super-Convergence: Very Fast Training Using Large Learning Rates, arXiv:1708.07120.
    """

    def __init__(
        self,
        pct_start: PerTrial[Fraction] = 0.3,
        div_factor: PerTrial[Positive] = 25.0,
        final_div_factor: PerTrial[Positive] = 1e4,
        warmup: PerTrial[NonNegative] = 0.0,
        *,
        total_steps: int,
        steps_per_epoch: int,
    ):
        self.pct_start, self.div_factor, self.final_div_factor = pct_start, div_factor, final_div_factor
        self.warmup, self.total_steps, self.steps_per_epoch = warmup, total_steps, steps_per_epoch

    def factor(self, step_S: Tensor) -> Tensor:
        """Return the factor, (S,) or (T, S)."""
        rise, elapsed, length = ramp(step_S, self.warmup, self.steps_per_epoch)
        last = (self.total_steps - length - 1).clamp(min=0)
        top = ((last + 1) * self.pct_start - 1).clamp(min=0)
        start = 1 / self.div_factor
        end = start / self.final_div_factor
        up = start + (1 - start) * _half_cosine(elapsed / top.clamp(min=1e-12))
        down = 1 + (end - 1) * _half_cosine((elapsed - top) / (last - top).clamp(min=1e-12))
        return rise * torch.where(elapsed <= top, up, down)


def _half_cosine(share: Tensor) -> Tensor:
    return (1 - torch.cos(math.pi * share.clamp(0, 1))) / 2
