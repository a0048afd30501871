"""What an epoch adds up on the device: no number is asked for before it ends.

Shapes: T trials, R chosen trials, N batch, K outputs.
"""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from dlexp.device import send_soon
from dlexp.engine.exchange.exchange import Exchange
from dlexp.engine.task import Batch

PENDING_BATCHES = 64
PENDING_NUMBERS = 1 << 20
LARGE_INPUTS = 1 << 20  # numbers of a batch, whose count of right answers costs nothing beside it


@dataclass
class Sums:
    """Losses and right answers of the batches so far.

    Right answers are counted many batches at once: three kernels a batch are a tenth of a small model's step. Losses
    are added one by one, because their rounding depends on the order and a resumed run must add them alike.

    Attributes:
        loss: Sum of the examples' losses (T,).
        correct: Right answers (T,) int64, 0 where none are counted.
        seen: Examples of each trial.
        has_accuracy: Whether right answers are counted.
    """

    loss: Tensor
    correct: Tensor
    seen: list[int]
    has_accuracy: bool = True
    _pending: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    _pending_numbers: int = 0

    @classmethod
    def zero(cls, like_T: Tensor, has_accuracy: bool = True) -> "Sums":
        """Return empty sums for T trials."""
        zeros = torch.zeros_like(like_T), torch.zeros_like(like_T, dtype=torch.int64)
        return cls(*zeros, [0] * len(like_T), has_accuracy)

    def add(self, loss_R: Tensor, outputs: Tensor, batch: Batch) -> None:
        """Add a batch: its mean losses and its outputs (R, N, K)."""
        self.see(batch)
        rows, num = batch.rows, batch.num
        if rows is not None:
            chosen = send_soon(torch.tensor(rows), loss_R.device)
            # the same addition as below; index_add_ with a factor rounds once more
            self.loss.index_copy_(0, chosen, self.loss[chosen].add_(loss_R, alpha=num))
            if self.has_accuracy:
                self.correct.index_add_(0, chosen, count_correct(outputs, batch.targets))
            return
        self.loss.add_(loss_R, alpha=num)
        if self.has_accuracy:
            self._pending.append((outputs, batch.targets))
            self._pending_numbers += outputs.numel()
            # What waits lies between large batches in the heap, whose holes the next ones then do not fit into.
            is_large = batch.x.numel() >= LARGE_INPUTS
            if is_large or len(self._pending) >= PENDING_BATCHES or self._pending_numbers >= PENDING_NUMBERS:
                self._count()

    def see(self, batch: Batch) -> None:
        """Count a batch whose numbers a graph adds."""
        num = batch.num
        for row in range(len(self.seen)) if batch.rows is None else batch.rows:
            self.seen[row] += num

    def on_device(self) -> "Totals":
        """Return what a graph adds to: the same tensors, and nothing that the host counts."""
        return Totals(self.loss, self.correct, self.has_accuracy)

    def clear(self) -> None:
        """Begin anew, in the same tensors."""
        self.loss.zero_()
        self.correct.zero_()
        self.seen, self._pending, self._pending_numbers = [0] * len(self.seen), [], 0

    def unite(self, exchange: Exchange, *, is_with_first: bool = False) -> None:
        """Add up what all devices have counted. Collective.

        Args:
            exchange: Between the devices.
            is_with_first: Leave the sums with the first device and nothing with the others, which go on counting.
        """
        self._count()
        if exchange.size > 1:
            exchange.sum(self.loss)
            exchange.sum(self.correct)
            self.seen = exchange.sum(torch.tensor(self.seen, device=self.loss.device)).tolist()
        if is_with_first and exchange.rank:
            self.clear()

    def mean_loss(self) -> list[float]:
        """Return the mean loss of each trial's examples."""
        return [loss / max(seen, 1) for loss, seen in zip(self.loss.tolist(), self.seen, strict=True)]

    def accuracy(self) -> list[float]:
        """Return each trial's share of right answers."""
        self._count()
        return [right / max(seen, 1) for right, seen in zip(self.correct.tolist(), self.seen, strict=True)]

    def state(self, row: int) -> dict[str, Any]:
        """Return what a checkpoint of one trial needs."""
        self._count()
        loss, correct = self.loss[row : row + 1].clone(), self.correct[row : row + 1].clone()
        return {"loss": loss, "correct": correct, "seen": self.seen[row]}

    def load(self, row: int, state: dict[str, Any]) -> None:
        """Take up one trial's state."""
        self.loss[row : row + 1].copy_(state["loss"])
        self.correct[row : row + 1].copy_(state["correct"])
        self.seen[row] = state["seen"]

    def _count(self) -> None:
        if self._pending:
            outputs, targets = zip(*self._pending, strict=True)
            num_trials = len(self.seen)
            spread = [y.expand(num_trials, *y.shape[1:]) for y in targets]
            self.correct.add_(count_correct(torch.cat(outputs, dim=1), torch.cat(spread, dim=1)))
            self._pending, self._pending_numbers = [], 0


@dataclass(frozen=True)
class Totals:
    """The tensors of sums, to which kernels alone add; attributes as there."""

    loss: Tensor
    correct: Tensor
    has_accuracy: bool = True

    def add(self, loss_T: Tensor, outputs: Tensor, batch: Batch) -> None:
        """Add a batch of all trials: its mean losses and its outputs (T, N, K)."""
        self.loss.add_(loss_T, alpha=batch.num)
        if self.has_accuracy:
            self.correct.add_(count_correct(outputs, batch.targets))


def count_correct(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return how many of a batch's largest outputs are the target (T,).

    Args:
        outputs: (T, N, K) logits; K = 1 is the logit of the second of two classes.
        targets: (T, N) classes, or (T, N, K) class probabilities; T may be 1 where trials share them.
    """
    if targets.dim() == 3:
        targets = targets.argmax(-1)
    guess = outputs.argmax(-1) if outputs.shape[-1] > 1 else (outputs[..., 0] > 0).long()
    return (guess == targets).sum(-1)
