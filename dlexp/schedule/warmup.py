"""Linear warm-up: over the first W = round(warmup * steps_per_epoch) steps the rate rises from lr / W to lr.

Decays that run over the whole training begin where the warm-up ends. Shapes: T trials, S steps.
"""

import torch
from torch import Tensor


def ramp(step_S: Tensor, warmup: float | Tensor, steps_per_epoch: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the warm-up's factor, the steps since its end and its length.

    Args:
        step_S: Steps, counted from 0.
        warmup: Length in epochs, a number or (T, 1).
        steps_per_epoch: Steps in an epoch.

    Returns:
        min(1, (step + 1) / W) and max(0, step - W), each (S,) or (T, S), and W, () or (T, 1).
    """
    length = (torch.as_tensor(warmup, dtype=step_S.dtype, device=step_S.device) * steps_per_epoch).round()
    rise = ((step_S + 1) / length.clamp(min=1)).clamp(max=1)
    return rise, (step_S - length).clamp(min=0), length
