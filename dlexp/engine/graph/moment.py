"""What an update is told besides its batches: the rates, and the numbers that follow from its place in the training.

On the host they are numbers; for a graph, whose kernels can read no number that changes, they lie on the device,
computed for many updates ahead. Both are rounded once, from the same float64. Shapes: T trials, V values, R 1 or T.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dlexp.device import send_soon

AHEAD = 256  # updates


@dataclass(frozen=True)
class Moment:
    """The place of an update.

    Attributes:
        lr_T1: Learning rate of each trial.
        step: Number of the update, from 1; or the update rule's `corrections` for it (C, R, 1), on the device.
        most_kept: Largest decay of the averaged weights, a number or (1, 1).
    """

    lr_T1: Tensor
    step: int | Tensor
    most_kept: float | Tensor

    @classmethod
    def of(cls, lr_T1: Tensor, number: int) -> "Moment":
        """Return that of an update by its number, from 1."""
        return cls(lr_T1, number, most_kept(number))


def most_kept(number: int) -> float:
    """Return the largest decay of the averaged weights at an update, from 1: the first ones are soon forgotten."""
    return (1 + number) / (10 + number)


class Ahead:
    """The numbers of the updates to come, on the device."""

    def __init__(self, optimizer: Any, like: Tensor) -> None:
        """Compute nothing yet.

        Args:
            optimizer: The update rule; one that depends on the update's number has `corrections`.
            like: The parameters.
        """
        self._corrections, self._like = getattr(optimizer, "corrections", None), like
        first = [] if self._corrections is None else self._corrections(1)
        self._shape = (len(first), len(first[0]) if first else 0, 1)
        self._begin, self._rows = 0, list[Tensor]()

    def values(self, number: int) -> Tensor:
        """Return the values (V,) of an update; the host does not wait."""
        if not self._begin <= number < self._begin + len(self._rows):
            self._begin = number
            values = [self._of(each) for each in range(number, number + AHEAD)]
            self._rows = list(send_soon(torch.tensor(values, dtype=self._like.dtype), self._like.device).unbind())
        return self._rows[number - self._begin]

    def moment(self, values_V: Tensor, lr_T1: Tensor) -> Moment:
        """Return the moment that reads a tensor of values."""
        return Moment(lr_T1, values_V[1:].view(self._shape), values_V[:1].view(1, 1))

    def _of(self, number: int) -> list[float]:
        rows = [] if self._corrections is None else self._corrections(number)
        return [most_kept(number), *(value for row in rows for value in row)]
