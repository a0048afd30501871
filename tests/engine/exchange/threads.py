"""Devices that are threads of this process: an exchange without torch.distributed, for what only needs its sums."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch
from torch import Tensor

from dlexp.engine.exchange.exchange import Exchange

T = TypeVar("T")


class _Table:
    """Where all threads lay what they bring, and take it up when all have."""

    def __init__(self, size: int) -> None:
        self.brought: list[Tensor] = [torch.empty(0)] * size
        self.barrier = threading.Barrier(size, timeout=60)

    def stack(self, rank: int, tensor: Tensor) -> Tensor:
        self.brought[rank] = tensor.clone()
        self.barrier.wait()
        stacked = torch.stack(self.brought)
        self.barrier.wait()
        return stacked


class Threaded(Exchange):
    def __init__(self, rank: int, size: int, table: _Table) -> None:
        self.rank, self.size, self._table = rank, size, table
        self.counts: list[int] = []
        self._bring = None

    def stack(self, tensor: Tensor) -> Tensor:
        return self._table.stack(self.rank, tensor)

    def on_bringing(self, bring: Callable[[], None]) -> None:
        self._bring = bring

    def bring_together(self) -> None:
        assert self._bring is not None
        self._bring()

    def sum_slices(self, row_P: Tensor, bounds: list[tuple[int, int]]) -> None:
        first, end = bounds[self.rank]
        row_P[first:end] = self.stack(row_P).sum(0)[first:end]

    def gather_slices(self, row_P: Tensor, bounds: list[tuple[int, int]]) -> None:
        rows = self.stack(row_P)
        row_P.copy_(torch.cat([row[first:end] for row, (first, end) in zip(rows, bounds, strict=True)]))

    def collect(self, slice_S: Tensor, bounds: list[tuple[int, int]]) -> Tensor | None:
        row = slice_S.new_zeros(bounds[-1][1])
        row[slice(*bounds[self.rank])] = slice_S
        rows = self.stack(row)
        return None if self.rank else rows.sum(0)

    def sum(self, tensor: Tensor) -> Tensor:
        return tensor.copy_(self.stack(tensor).sum(0))


def together(size: int, act: Callable[[Threaded], T]) -> list[T]:
    """Return what each of a number of threads makes of its exchange with the others."""
    table = _Table(size)
    with ThreadPoolExecutor(size) as pool:
        return list(pool.map(act, [Threaded(rank, size, table) for rank in range(size)]))
