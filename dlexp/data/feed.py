"""Batches on the device: gathered there when the data fit, streamed by threads when they do not.

An example of a data set of pairs gives two rows of a batch, one after the other.
Shapes: N examples, T trials, B batch, H, W, C image, D features.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from dlexp.data.dataset import Dataset
from dlexp.device import send, send_soon

Batch = tuple[Tensor, Tensor]
BLOCK_BYTES = 1 << 20  # gathered at once: one gather for many small batches, and still in the cache when used


class Resident:
    """All examples live on the device; a batch is a gather there.

    Args:
        dataset: The examples.
        device: Where they go.
    """

    def __init__(self, dataset: Dataset, device: torch.device | str):
        self.device = torch.device(device)
        self.inputs = send(dataset.inputs, self.device)
        self.targets = send(dataset.targets, self.device)
        self.pairs = None if dataset.pairs is None else send(dataset.pairs, self.device)
        # One row per example: index_select then copies whole rows, several times faster than indexing 4 dimensions.
        self._rows = self.inputs.contiguous().flatten(1)

    def batches(self, index_list: Sequence[Tensor]) -> Iterator[Batch]:
        """Yield (x, y) for each index tensor, (B,) or (T, B).

        Returns:
            x (..., B, H, W, C) or (..., B, D) in the stored type, y (..., B, ...), both on the device; of pairs x has
            2 B rows.
        """
        if not index_list:
            return
        # all at once: each transfer by itself costs a launch
        everything = send_soon(torch.cat([index.reshape(-1) for index in index_list]), self.device)
        start, example = 0, self.inputs.shape[1:]
        each = 1 if self.pairs is None else 2
        row_bytes = each * self._rows[:1].numel() * self._rows.element_size()
        for block in _blocks(index_list, max(1, BLOCK_BYTES // row_bytes)):
            sizes = [index.numel() for index in block]
            flat = everything[start : start + sum(sizes)]
            start += sum(sizes)
            rows = flat if self.pairs is None else self.pairs.index_select(0, flat).flatten()
            inputs = self._rows.index_select(0, rows).split([each * size for size in sizes])
            targets = self.targets.index_select(0, flat).split(sizes)
            for index, x, y in zip(block, inputs, targets, strict=True):
                shape = (*index.shape[:-1], each * index.shape[-1])
                yield x.view(*shape, *example), y if index.dim() == 1 else y.view(*index.shape, *y.shape[1:])


def _blocks(index_list: Sequence[Tensor], max_rows: int) -> Iterator[list[Tensor]]:
    """Yield runs of index tensors that together stay below a number of rows, one at least."""
    block: list[Tensor] = []
    num_rows = 0
    for index in index_list:
        if block and num_rows + index.numel() > max_rows:
            yield block
            block, num_rows = [], 0
        block.append(index)
        num_rows += index.numel()
    if block:
        yield block


class Streaming:
    """Examples stay in memory or in a mapped file; threads gather batches ahead and copy them to the device.

    Gathering rows of decoded bytes runs outside the interpreter lock, so threads serve as well as processes would
    and need no copy of the data. On CUDA the batches are pinned and copied without blocking.

    Args:
        dataset: The examples.
        device: Where batches go.
        workers: Threads that gather.
        ahead: Batches kept ready.
    """

    def __init__(self, dataset: Dataset, device: torch.device | str, workers: int = 2, ahead: int = 4):
        self.device = torch.device(device)
        self.inputs = dataset.inputs
        self.targets = dataset.targets
        self.pairs = dataset.pairs
        self.workers = workers
        self.ahead = ahead
        self._rows = self.inputs.flatten(1)

    def batches(self, index_list: Sequence[Tensor]) -> Iterator[Batch]:
        """Yield (x, y) for each index tensor as `Resident.batches` does."""
        waiting: deque = deque()
        with ThreadPoolExecutor(self.workers, thread_name_prefix="feed") as pool:
            try:
                for index in index_list:
                    waiting.append(pool.submit(self._gather, index))
                    if len(waiting) > self.ahead:
                        yield self._send(waiting.popleft().result())
                while waiting:
                    yield self._send(waiting.popleft().result())
            finally:
                for future in waiting:
                    future.cancel()

    def _gather(self, index: Tensor) -> Batch:
        flat = index.cpu().reshape(-1)
        rows = flat if self.pairs is None else self.pairs.index_select(0, flat).flatten()
        x = self._rows.index_select(0, rows).view(*index.shape[:-1], -1, *self.inputs.shape[1:])
        y = self.targets.index_select(0, flat)
        y = y.view(*index.shape, *y.shape[1:])
        return (x.pin_memory(), y.pin_memory()) if self.device.type == "cuda" else (x, y)

    def _send(self, batch: Batch) -> Batch:
        return batch[0].to(self.device, non_blocking=True), batch[1].to(self.device, non_blocking=True)


def feed(dataset: Dataset, device: torch.device | str, free_bytes: int) -> Resident | Streaming:
    """Return a resident feed when the examples take at most half of the free device memory, else a streaming one.

    On CPU the examples are in memory (or mapped) already, so the resident feed costs nothing.
    """
    size = dataset.inputs.numel() * dataset.inputs.element_size()
    if torch.device(device).type == "cpu" or size <= free_bytes // 2:
        return Resident(dataset, device)
    return Streaming(dataset, device)
