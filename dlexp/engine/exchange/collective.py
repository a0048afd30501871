"""The exchange of several devices by torch.distributed, whose import only such a training pays for."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from dlexp.dropout import Classic, Inverted
from dlexp.engine.exchange.exchange import Exchange
from dlexp.engine.exchange.share import Share, deal
from dlexp.engine.exchange.statistic import average, merge_exact
from dlexp.error import PeerLost, first_line, is_broken_device, is_out_of_memory, shorten
from dlexp.norm import BatchNorm

_reduce_scatter: Any = getattr(dist, "reduce_scatter_single", None) or dist.reduce_scatter_tensor  # as torch renames it
WHY = 160  # characters of what torch.distributed says


class Collective(Exchange):
    """The exchange of the processes of torch's default group, each with a device.

    Attributes:
        beats: Exchanges so far: whoever watches sees whether the training moves.
        is_over: Whether all have agreed to stop.
        counts: Inputs of each device in the batch in hand.
    """

    def __init__(self) -> None:
        """Take part in the group that was joined."""
        self.rank, self.size = dist.get_rank(), dist.get_world_size()
        self.beats, self.is_over = 0, False
        self.counts: list[int] = []
        self._dropouts: list[Inverted | Classic] = []
        self._apart: list[_BatchNorm] = []
        self._bringers: list[Callable[[], None]] = []

    def connect(self, model: nn.Module, each: int) -> None:
        """See `Exchange`."""
        modules = list(model.modules())
        self._dropouts = [module for module in modules if isinstance(module, Inverted | Classic)]
        synced = [module for module in modules if isinstance(module, BatchNorm) and module.is_synced]
        for norm in synced:
            norm.across = self
        self._apart = [module for module in modules if isinstance(module, _BatchNorm) and module not in synced]
        self.has_synced, self.has_apart, self.each = bool(synced), bool(self._apart), each
        self.least = 2 if self._apart and each == 1 else 1

    def sum(self, tensor: Tensor) -> Tensor:
        """See `Exchange`."""
        with self._beat():
            dist.all_reduce(tensor)
        return tensor

    def stack(self, tensor: Tensor) -> Tensor:
        """See `Exchange`."""
        stacked = tensor.new_empty(self.size, *tensor.shape)
        with self._beat():
            dist.all_gather(list(stacked.unbind()), tensor.contiguous())
        return stacked

    def any(self, *wishes: bool) -> tuple[bool, ...]:
        """See `Exchange`."""
        agreed = torch.tensor(wishes, dtype=torch.int32)
        with self._beat():
            dist.all_reduce(agreed, dist.ReduceOp.MAX)
        self.is_over = self.is_over or bool(agreed[0])
        return tuple(bool(wish) for wish in agreed.tolist())

    def place(self, share: Share) -> None:
        """See `Exchange`."""
        self.counts = [self.each * (end - first) for first, end in deal(share.whole, self.size, self.least)]
        for dropout in self._dropouts:
            dropout.first = self.each * share.first

    def sum_slices(self, row_P: Tensor, bounds: list[tuple[int, int]]) -> None:
        """See `Exchange`."""
        even, rest = self._divided(row_P, bounds)
        with self._beat():
            if len(even):
                _reduce_scatter(even.view(self.size, -1)[self.rank], even)
            if len(rest):
                dist.all_reduce(rest)

    def gather_slices(self, row_P: Tensor, bounds: list[tuple[int, int]]) -> None:
        """See `Exchange`."""
        even, rest = self._divided(row_P, bounds)
        with self._beat():
            if len(even):
                dist.all_gather(list(even.view(self.size, -1)), even.view(self.size, -1)[self.rank].clone())
            if len(rest):
                dist.broadcast(rest, self.size - 1)

    def _divided(self, row_P: Tensor, bounds: list[tuple[int, int]]) -> tuple[Tensor, Tensor]:
        """Return the equal slices of all devices, and what the last one has beyond."""
        end = self.size * (bounds[0][1] - bounds[0][0])
        return row_P[:end], row_P[end:]

    def collect(self, slice_S: Tensor, bounds: list[tuple[int, int]]) -> Tensor | None:
        """See `Exchange`."""
        on_host = slice_S.cpu()
        with self._beat():
            if self.rank:
                dist.send(on_host, 0)
                return None
            whole = on_host.new_empty(bounds[-1][1])
            whole[: len(on_host)] = on_host
            for rank, (first, end) in enumerate(bounds[1:], 1):
                dist.recv(whole[first:end], rank)
        return whole

    def on_bringing(self, bring: Callable[[], None]) -> None:
        """See `Exchange`."""
        self._bringers.append(bring)

    def bring_together(self) -> None:
        """See `Exchange`."""
        average([buffer for norm in self._apart for buffer in norm.buffers()], self)
        for bring in self._bringers:
            bring()

    def merge_statistics(self) -> None:
        """See `Exchange`."""
        gathered = [norm for norm in self._apart if isinstance(norm, BatchNorm) and norm.is_gathering]
        merge_exact(gathered, self)

    @contextmanager
    def _beat(self) -> Iterator[None]:
        """Count an exchange; say in one line that another process is gone, where this one's device is not at fault."""
        try:
            yield
            self.beats += 1
        except (RuntimeError, dist.DistError) as error:
            if is_out_of_memory(error) or is_broken_device(error):
                raise
            why = shorten(first_line(error), WHY)
            raise PeerLost(
                f"another process of this training ended or was lost ({why}); the last checkpoint is intact"
            ) from error
