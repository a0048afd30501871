"""One output that is a value. Shapes: T trials, N examples."""

from typing import Any

from torch import Tensor

from dlexp import metric
from dlexp.data.target_scale import TargetScale


class Unclassed:
    """What holds of every answer that is no class; see `Answer`."""

    num_classes = 0
    positive = 1
    has_accuracy = False
    monitor = "loss"


class Values(Unclassed):
    """One value for each example, measured while training in deviations of the training targets; see `Answer`."""

    def headline(self, *, is_single: bool) -> str:
        """See `Answer`; the rmse of one example is its absolute error, so that of those the mse is shown."""
        return "mse" if is_single else "rmse"

    def fit_unit(self, targets: Tensor, train: Tensor) -> TargetScale:
        """See `Answer`."""
        return TargetScale.fit(targets, train)

    def scores(self, outputs: Tensor, targets: Tensor, link: str) -> dict[str, Tensor]:
        """See `Answer`."""
        return metric.regression(outputs, targets)

    def report(
        self, outputs: Tensor, targets: Tensor, link: str, beta: float, delta: float | Tensor
    ) -> dict[str, Tensor]:
        """See `Answer`."""
        return metric.regression_report(outputs, targets, delta)

    def stored(self, outputs_NK: Tensor) -> Tensor:
        """See `Answer`; the only column."""
        return outputs_NK[:, 0]

    def record_kind(self, name: str) -> str:
        """See `Answer`; every metric of values can be recomputed from these."""
        return "values"

    def by_example(self, name: str, outputs_NK: Tensor, targets: Tensor, loss: Any, link: str) -> Tensor:
        """See `Answer`."""
        return outputs_NK[:, 0]
