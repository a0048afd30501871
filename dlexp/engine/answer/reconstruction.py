"""Outputs that are error and spread of reconstructed inputs: see `dlexp.engine.answer.inputs`. T trials, N examples."""

from typing import Any

import torch
from torch import Tensor

from dlexp import metric
from dlexp.data.target_scale import TargetScale
from dlexp.engine.answer.values import Unclassed


class Reconstruction(Unclassed):
    """Error and spread of each example (N, 2), whose target is 0; see `Answer`.

    What is stored is the error alone, so that everything that reads values takes it: its mean square is the mse.
    """

    def headline(self, *, is_single: bool) -> str:
        """See `Answer`; the share of variance, which has no unit; the mse where folds have an example each."""
        return "mse" if is_single else "explained_variance"

    def fit_unit(self, targets: Tensor, train: Tensor) -> TargetScale:
        """See `Answer`; errors are in the unit of normalised inputs already."""
        std = torch.ones(1, 1, dtype=torch.float64)
        return TargetScale(torch.zeros_like(std), std)

    def scores(self, outputs: Tensor, targets: Tensor, link: str) -> dict[str, Tensor]:
        """See `Answer`."""
        return metric.reconstruction(outputs)

    def report(
        self, outputs: Tensor, targets: Tensor, link: str, beta: float, delta: float | Tensor
    ) -> dict[str, Tensor]:
        """See `Answer`; of errors alone (T, N), as they are stored, the share of variance is not known."""
        return metric.reconstruction(outputs)

    def stored(self, outputs_NK: Tensor) -> Tensor:
        """See `Answer`; the error."""
        return outputs_NK[:, 0]

    def record_kind(self, name: str) -> str | None:
        """See `Answer`; the errors."""
        return "values" if name in ("loss", "mse", "rmse") else None

    def by_example(self, name: str, outputs_NK: Tensor, targets: Tensor, loss: Any, link: str) -> Tensor:
        """See `Answer`."""
        return outputs_NK[:, 0]
