"""The unit of a regression model's outputs: standard deviations of the training targets from their mean.

A model starts near 0 with steps near 1, whatever the target's unit: years or millimetres train alike. The unit is
fitted on the training part and stored with the model; predictions and metrics are in the target's own unit again.
Shapes: T trials (1 where all have the same), N examples.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dlexp.device import send, take_rows


class Scale(ABC):
    """A mean and a deviation, whatever the axes of what is measured by them."""

    def scale(self, values: Tensor) -> Tensor:
        """Return (y - mean) / std of targets or outputs."""
        mean, std = self._axes(values)
        return (values - mean) / std

    def unscale(self, values: Tensor) -> Tensor:
        """Return z * std + mean, in the targets' own unit."""
        mean, std = self._axes(values)
        return values * std + mean

    @abstractmethod
    def _axes(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and std with the axes of such values."""


@dataclass(frozen=True)
class TargetScale(Scale):
    """A fitted unit.

    Attributes:
        mean: (T, 1) float64 mean of the training targets.
        std: (T, 1) float64 standard deviation, 1 where they are all equal.
    """

    mean: Tensor
    std: Tensor

    @staticmethod
    def fit(targets: Tensor, train: Tensor) -> "TargetScale":
        """Return the unit of the values (N,) in the rows of the training part."""
        values = targets[train].double()
        # Divided by a power of two, exactly: a square must not leave float64.
        factor = torch.ldexp(torch.tensor(1.0, dtype=torch.float64), -values.abs().max().frexp().exponent)
        std, mean = torch.std_mean(values * factor, correction=0)
        is_constant = bool(values.min() == values.max()) or not bool(std > 0)
        mean, std = (values[0], torch.ones_like(std)) if is_constant else (mean / factor, std / factor)
        return TargetScale(mean.view(1, 1), std.view(1, 1))

    @staticmethod
    def stack(units: Sequence["TargetScale"]) -> "TargetScale":
        """Return the units of a stack of trials."""
        return TargetScale(torch.cat([unit.mean for unit in units]), torch.cat([unit.std for unit in units]))

    @staticmethod
    def of_state(state: dict[str, float]) -> "TargetScale":
        """Return what `state` was read from."""
        return TargetScale(*(torch.tensor([[state[name]]], dtype=torch.float64) for name in ("mean", "std")))

    @property
    def state(self) -> dict[str, float]:
        """The unit of one trial as plain data."""
        return {"mean": self.mean.item(), "std": self.std.item()}

    def to(self, device: torch.device | str) -> "TargetScale":
        """Return the same on another device."""
        return TargetScale(send(self.mean, device), send(self.std, device))

    def keep(self, rows: list[int]) -> "TargetScale":
        """Return the units of some trials; one that all share stays."""
        return self if len(self.mean) == 1 else TargetScale(take_rows(self.mean, rows), take_rows(self.std, rows))

    def _axes(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and std for targets (T, N) or outputs (T, N, 1)."""
        return (self.mean, self.std) if values.dim() == 2 else (self.mean[..., None], self.std[..., None])
