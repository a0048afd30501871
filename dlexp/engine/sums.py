"""What an epoch adds up on the device: no number is asked for before it ends.

Shapes: T trials, N batch, K outputs.
"""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

PENDING_BATCHES = 64
PENDING_NUMBERS = 1 << 20


@dataclass
class Sums:
    """Losses and right answers of the batches so far.

    Right answers are counted many batches at once: three kernels a batch are a tenth of a small model's step. Losses
    are added one by one, because their rounding depends on the order and a resumed run must add them alike.

    Attributes:
        loss: Sum of the examples' losses (T,).
        correct: Right answers (T,) int64, 0 for regression.
        seen: Examples.
    """

    loss: Tensor
    correct: Tensor
    seen: int = 0
    _pending: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    _pending_numbers: int = 0

    @classmethod
    def zero(cls, like_T: Tensor) -> "Sums":
        """Return empty sums for T trials."""
        return cls(torch.zeros_like(like_T), torch.zeros_like(like_T, dtype=torch.int64))

    def add(self, loss_T: Tensor, outputs: Tensor, targets: Tensor) -> None:
        """Add a batch: its mean loss, its outputs (T, N, K) and its targets (T, N) or (T, N, K)."""
        num = targets.shape[1]
        self.loss.add_(loss_T, alpha=num)
        self.seen += num
        if outputs.shape[-1] == 1 and targets.is_floating_point():
            return
        self._pending.append((outputs, targets))
        self._pending_numbers += outputs.numel()
        if len(self._pending) >= PENDING_BATCHES or self._pending_numbers >= PENDING_NUMBERS:
            self._count()

    def mean_loss(self) -> float:
        """Return the mean loss of a single trial's examples."""
        return float(self.loss) / self.seen

    def accuracy(self) -> float:
        """Return the share of right answers of a single trial."""
        self._count()
        return float(self.correct) / self.seen

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint needs."""
        self._count()
        return {"loss": self.loss.clone(), "correct": self.correct.clone(), "seen": self.seen}

    def _count(self) -> None:
        if self._pending:
            outputs, targets = (torch.cat(parts, dim=1) for parts in zip(*self._pending, strict=True))
            self.correct.add_(count_correct(outputs, targets))
            self._pending, self._pending_numbers = [], 0


def count_correct(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return how many of a batch's largest outputs are the target (T,).

    Args:
        outputs: (T, N, K) logits; K = 1 is the logit of the second of two classes.
        targets: (T, N) classes, or (T, N, K) class probabilities.
    """
    if targets.dim() == 3:
        targets = targets.argmax(-1)
    guess = outputs.argmax(-1) if outputs.shape[-1] > 1 else (outputs[..., 0] > 0).long()
    return (guess == targets).sum(-1)
