"""Outputs that are logits of classes. Shapes: T trials, N examples, K outputs."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from dlexp import metric
from dlexp.metric.classification import log_losses, predict_class
from dlexp.metric.loss_error import losses
from dlexp.metric.probability import log_weights

RIGHT = ("accuracy", "precision_micro", "recall_micro", "f1_micro")  # equal where each example has one class


@dataclass(frozen=True)
class Classes:
    """One class of K for each example; see `Answer`.

    Attributes:
        num_classes: K, at least 2.
        positive: The positive class of two.
    """

    num_classes: int = 2
    positive: int = 1
    has_accuracy = True
    monitor = "accuracy"

    def headline(self, *, is_single: bool) -> str:
        """See `Answer`; of one example too the accuracy."""
        return "accuracy"

    def fit_unit(self, targets: Tensor, train: Tensor) -> None:
        """See `Answer`; classes have no unit."""
        return

    def scores(self, outputs: Tensor, targets: Tensor, link: str) -> dict[str, Tensor]:
        """See `Answer`."""
        return metric.classification(outputs, targets, self.num_classes, link, self.positive)

    def report(
        self, outputs: Tensor, targets: Tensor, link: str, beta: float, delta: float | Tensor
    ) -> dict[str, Tensor]:
        """See `Answer`."""
        return metric.classification_report(outputs, targets, self.num_classes, beta, link, self.positive)

    def stored(self, outputs_NK: Tensor) -> Tensor:
        """See `Answer`; logits as they are."""
        return outputs_NK

    def record_kind(self, name: str) -> str | None:
        """See `Answer`; right or wrong takes a bit an example, a loss four bytes."""
        return "bits" if name in RIGHT else "losses" if name in ("loss", "log_loss") else None

    def by_example(self, name: str, outputs_NK: Tensor, targets: Tensor, loss: Any, link: str) -> Tensor:
        """See `Answer`."""
        if name in RIGHT:
            return predict_class(outputs_NK) == targets
        if name == "log_loss":
            return log_losses(log_weights(outputs_NK, link), targets)
        return losses(loss, outputs_NK, targets)
