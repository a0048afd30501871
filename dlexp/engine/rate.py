"""The learning rate of every update of an epoch. Shapes: S updates, T trials."""

from collections.abc import Collection

import torch
from torch import Tensor

from dlexp.engine.step import Rules


def learning_rates(
    rules: Rules, schedule_state: dict[str, Tensor], first: int, num: int, idle: Collection[int]
) -> Tensor:
    """Return the rates (S, T) in float64 on the CPU: lr times the schedule's factor, times its scale by the metric.

    Args:
        rules: With update rule and schedule.
        schedule_state: Of a schedule that follows the metric: "scale" (T,).
        first: Number of the first update, from 0.
        num: S.
        idle: Rows of trials that are over, whose rate is 0.
    """
    factor = torch.as_tensor(rules.schedule.factor(torch.arange(first, first + num, dtype=torch.float64)))
    factor_ST = factor.T if factor.dim() == 2 else factor[:, None]
    if schedule_state:
        factor_ST = factor_ST * schedule_state["scale"]
    lr = rules.optimizer.lr if rules.lr is None else rules.lr
    lr_ST = factor_ST * torch.as_tensor(lr).double().cpu().reshape(1, -1)
    return lr_ST.index_fill(1, torch.tensor(list(idle), dtype=torch.int64), 0.0) if idle else lr_ST
