"""The learning rate of every update of an epoch. Shapes: S updates, T trials."""

from collections.abc import Collection
from typing import Any

import torch
from torch import Tensor


def learning_rates(
    schedule: Any, lr: float | Tensor, scale_T: Tensor | None, first: int, num: int, idle: Collection[int]
) -> Tensor:
    """Return the rates (S, T) in float64 on the CPU: lr times the schedule's factor, times the scale.

    Args:
        schedule: Of one trial, or with values of each.
        lr: Of each trial (T, 1), or one for all.
        scale_T: Of a schedule that follows the metric; None without.
        first: Number of the first update, from 0.
        num: S.
        idle: Rows of trials that are over, whose rate is 0.
    """
    factor = torch.as_tensor(schedule.factor(torch.arange(first, first + num, dtype=torch.float64)))
    factor_ST = factor.T if factor.dim() == 2 else factor[:, None]
    if scale_T is not None:
        factor_ST = factor_ST * scale_T
    lr_ST = factor_ST * torch.as_tensor(lr).double().cpu().reshape(1, -1)
    return lr_ST.index_fill(1, torch.tensor(list(idle), dtype=torch.int64), 0.0) if idle else lr_ST
