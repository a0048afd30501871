"""The unit of a regression model's outputs: standard deviations of the training targets from their mean.

A model starts near 0 with steps near 1, whatever the target's unit: years or millimetres train alike. The unit is
fitted on the training part and stored with the model; predictions and metrics are in the target's own unit again.
Shapes: T trials (1 where all have the same), N examples.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class TargetScale:
    """A fitted unit.

    Attributes:
        mean: (T, 1) mean of the training targets.
        std: (T, 1) their standard deviation, 1 where they are all equal.
    """

    mean: Tensor
    std: Tensor

    @staticmethod
    def fit(targets: Tensor, train: Tensor) -> "TargetScale":
        """Return the unit of the values (N,) in the rows of the training part."""
        values = targets[train].double()
        std, mean = torch.std_mean(values, correction=0)
        std = torch.where(std > 1e-12 * mean.abs(), std, 1.0)
        return TargetScale(mean.float().view(1, 1), std.float().view(1, 1))

    @staticmethod
    def stack(units: Sequence["TargetScale"]) -> "TargetScale":
        """Return the units of a stack of trials."""
        return TargetScale(torch.cat([unit.mean for unit in units]), torch.cat([unit.std for unit in units]))

    def to(self, device: torch.device | str) -> "TargetScale":
        """Return the same on another device."""
        return TargetScale(self.mean.to(device), self.std.to(device))

    def keep(self, rows: list[int]) -> "TargetScale":
        """Return the units of some trials; one that all share stays."""
        return self if len(self.mean) == 1 else TargetScale(self.mean[rows], self.std[rows])

    def scale(self, values: Tensor) -> Tensor:
        """Return (y - mean) / std of targets (T, N) or outputs (T, N, 1)."""
        mean, std = self._axes(values)
        return (values - mean) / std

    def unscale(self, values: Tensor) -> Tensor:
        """Return z * std + mean, in the target's own unit."""
        mean, std = self._axes(values)
        return values * std + mean

    def _axes(self, values: Tensor) -> tuple[Tensor, Tensor]:
        return (self.mean, self.std) if values.dim() == 2 else (self.mean[..., None], self.std[..., None])
