"""What the devices of one training tell each other; a single one has nobody to tell.

A collective: every device has to call it, in the same order as the others. Shapes: T trials, N examples, K outputs,
W devices.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from dlexp.engine.exchange.share import Share


class Exchange:
    """The exchange of a training on one device.

    Attributes:
        rank: Number of this device, from 0.
        size: Devices.
        each: Inputs of an example: 2 of a pair, which one device computes.
        least: Fewest examples that a device computes of a batch, unless it is left out: as many as have two inputs
            where batch norm normalises by those of the device alone.
        has_apart: Whether a batch norm does so.
        has_synced: Whether layers exchange in the midst of a pass, so that a device without examples takes part too.
    """

    rank: int = 0
    size: int = 1
    each: int = 1
    least: int = 1
    has_apart: bool = False
    has_synced: bool = False

    def sum(self, tensor: Tensor) -> Tensor:
        """Replace a tensor by the sum over all devices, the same to the bit everywhere; return it. Collective."""
        return tensor

    def stack(self, tensor: Tensor) -> Tensor:
        """Return the tensors of all devices (W, ...), which have one shape. Collective."""
        return tensor.unsqueeze(0)

    def any(self, *wishes: bool) -> tuple[bool, ...]:
        """Return of each wish whether any device has it. Collective."""
        return wishes

    def join(self, rows_TNK: Tensor, bounds: list[tuple[int, int]]) -> Tensor:
        """Return what the devices computed of their examples, in the order of the devices. Collective.

        Args:
            rows_TNK: This device's.
            bounds: First example and end of each device.
        """
        if self.size == 1:
            return rows_TNK
        longest = max(end - first for first, end in bounds)
        padded = rows_TNK.new_zeros(len(rows_TNK), longest, rows_TNK.shape[2])
        padded[:, : rows_TNK.shape[1]] = rows_TNK
        stacked = self.stack(padded)
        return torch.cat([rows[:, : end - first] for rows, (first, end) in zip(stacked, bounds, strict=True)], dim=1)

    def connect(self, model: nn.Module, each: int) -> None:
        """Tell the layers of a model of the other devices, and take note of what they need.

        Args:
            model: Of this device.
            each: Inputs of an example.
        """

    def place(self, share: Share) -> None:
        """Tell the layers of the model where the examples that come next stand in their batch."""

    def sum_slices(self, row_P: Tensor, bounds: list[tuple[int, int]]) -> None:
        """Replace this device's slice of a row by its sum over all devices; the rest is undefined then. Collective.

        Args:
            row_P: Of each device.
            bounds: First element and end of each device's slice; see `dlexp.engine.exchange.share.slices`.
        """

    def gather_slices(self, row_P: Tensor, bounds: list[tuple[int, int]]) -> None:
        """Replace each slice of a row by that of the device whose it is. Collective."""

    def collect(self, slice_S: Tensor, bounds: list[tuple[int, int]]) -> Tensor | None:
        """Return on the first device the row that all slices make, on its host; None on the others. Collective."""
        return slice_S.cpu()

    def bring_together(self) -> None:
        """Let the first device have what the devices hold apart: what a checkpoint needs. Collective.

        The running statistics of norms that normalise by their device alone become their mean, on all devices.
        """

    def on_bringing(self, bring: Callable[[], None]) -> None:
        """Have `bring_together` bring something more: call a function that is collective itself."""

    def merge_statistics(self) -> None:
        """Replace the exact statistics of such norms by those of the values of all devices. Collective."""


ALONE = Exchange()
