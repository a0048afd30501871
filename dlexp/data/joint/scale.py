"""The unit of several targets: of values deviations from the mean of the training part, of classes nothing.

Shapes: T trials (1 where all have the same), N examples, J targets, K outputs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dlexp.data.joint.head import Head
from dlexp.data.target_scale import Scale, TargetScale
from dlexp.device import send, take_rows


@dataclass(frozen=True)
class JointScale(Scale):
    """The units of all targets; used as `TargetScale` is.

    Attributes:
        mean: (T, J) float64, 0 for classes.
        std: (T, J) float64, 1 for classes.
        columns: The target of each of the K outputs.
    """

    mean: Tensor
    std: Tensor
    columns: tuple[int, ...]

    @staticmethod
    def fit(targets_NJ: Tensor, train: Tensor, heads: Sequence[Head]) -> "JointScale":
        """Return the units, each fitted on the training rows that have the target."""
        scales = []
        for place, head in enumerate(heads):
            column = targets_NJ[:, place]
            rows = train[~column[train].isnan()]
            nothing = TargetScale(torch.zeros(1, 1).double(), torch.ones(1, 1).double())
            scales.append(nothing if head.num_classes else TargetScale.fit(column, rows))
        columns = tuple(place for place, head in enumerate(heads) for _ in range(head.num_outputs))
        return JointScale(torch.cat([s.mean for s in scales], 1), torch.cat([s.std for s in scales], 1), columns)

    @staticmethod
    def stack(units: Sequence["JointScale"]) -> "JointScale":
        """Return the units of a stack of trials."""
        mean, std = torch.cat([unit.mean for unit in units]), torch.cat([unit.std for unit in units])
        return JointScale(mean, std, units[0].columns)

    @staticmethod
    def of_state(state: dict[str, Any]) -> "JointScale":
        """Return what `state` was read from."""
        mean, std = (torch.tensor([state[name]], dtype=torch.float64) for name in ("mean", "std"))
        return JointScale(mean, std, tuple(state["columns"]))

    @property
    def state(self) -> dict[str, Any]:
        """The units of one trial as plain data."""
        return {"mean": self.mean[0].tolist(), "std": self.std[0].tolist(), "columns": list(self.columns)}

    @property
    def by_output(self) -> tuple[Tensor, Tensor]:
        """Mean and std of each of the outputs (K,) of one trial."""
        return self._spread(self.mean)[0], self._spread(self.std)[0]

    def to(self, device: torch.device | str) -> "JointScale":
        """Return the same on another device."""
        return JointScale(send(self.mean, device), send(self.std, device), self.columns)

    def keep(self, rows: list[int]) -> "JointScale":
        """Return the units of some trials; those that all share stay."""
        if len(self.mean) == 1:
            return self
        return JointScale(take_rows(self.mean, rows), take_rows(self.std, rows), self.columns)

    def _axes(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and std for targets (T, N, J) or outputs (T, N, K)."""
        # as many outputs as targets are one each
        is_targets = values.shape[-1] == self.mean.shape[1]
        mean, std = (self.mean, self.std) if is_targets else (self._spread(self.mean), self._spread(self.std))
        return mean[:, None, :], std[:, None, :]

    def _spread(self, by_target: Tensor) -> Tensor:
        return by_target[:, list(self.columns)]
