"""Whole updates captured as CUDA graphs: forward, loss, backward, collection of gradients, rule, average and sums.

An update of a kind that was seen before is captured and then replayed: one launch, whatever the number of trials. The
first of its kind runs as it is, on the stream that captures, so that libraries have chosen their kernels and taken
their workspaces. What changes from one update to the next is copied into tensors that the graph reads: the batches,
the seeds of dropout, the rates and what the rule computes of the update's number. Shapes: T trials, V values.
"""

import gc
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Protocol

import torch
from torch import Tensor

from dlexp.engine.graph.fork import STREAMS, streams_of
from dlexp.engine.graph.moment import Ahead, Moment
from dlexp.engine.sums import Sums
from dlexp.engine.task import Batch
from dlexp.error import EmptyGraph, first_line, is_out_of_memory

MOST_KINDS = 2  # of updates that are captured: an epoch's, and its last
GROUPS = ("loss", "optimizer", "regularizer")

_log = logging.getLogger(__name__)

Batches = list[list[Batch]]
Seed = Callable[[int], None]


class Updater(Protocol):
    """What a graph needs of `dlexp.engine.step.Step`."""

    forward: Any
    rules: Any

    def differentiate(self, batches: Batches, sums: Any, seed_batch: Seed | None) -> None:
        """Bring the gradients of an update into `forward.grads`."""
        ...

    def apply(self, moment: Moment) -> None:
        """Move the parameters by the gradients."""
        ...


class Captures:
    """The captured updates of a program, by their kind.

    Attributes:
        has_rule: Whether the rule may be part of a graph: where parameters count other updates it may not.
    """

    def __init__(self, step: Updater) -> None:
        """Capture nothing yet.

        Args:
            step: Whose updates are captured.
        """
        self._step, self.has_rule = step, True
        self._device = step.forward.flat.tensor.device
        self.reason = self._obstacle()
        self._updates: dict[tuple, _Captured] = {}
        self._seen: set[tuple] = set()
        self._pool: Any = None
        self._ahead: Ahead | None = None

    def _obstacle(self) -> str:
        """Return why updates are not captured; "" where they are."""
        if not self._step.forward.is_capturable:
            return "the program is none that is captured"
        if not _is_ours(self._step.rules.loss):
            return "a loss of the user's own may count, or draw, in Python"
        return ""

    def update(self, batches: Batches, lr_T1: Tensor, number: int, sums: Sums, seed_batch: Seed | None) -> bool:
        """Do an update as a graph, or as it is where its kind is new; whether it was done.

        Args:
            batches: As of a step.
            lr_T1: As of a step.
            number: As of a step.
            sums: As of a step.
            seed_batch: As of a step.

        Raises:
            EmptyGraph: When an update that was to be captured has run instead.
            RuntimeError: When the memory does not suffice for several trials; one then runs as it is.
        """
        if self.reason or any(batch.rows is not None for by_length in batches for batch in by_length):
            return False
        key = (sums.loss.data_ptr(), *[_kind(batch) for by_length in batches for batch in by_length])
        if key not in self._seen:
            self._seen.add(key)
            with self._on_stream():
                self._step.differentiate(batches, sums, seed_batch)
                self._step.apply(Moment.of(lr_T1, number))
            return True
        if key not in self._updates and (len(self._updates) == MOST_KINDS or not self._capture(key, batches, sums)):
            return False
        assert self._ahead is not None
        self._updates[key].replay(batches, lr_T1, self._ahead.values(number), seed_batch)
        for by_length in batches:
            for batch in by_length:
                sums.see(batch)
        if not self._is_whole:
            with torch.no_grad():
                self._step.apply(Moment.of(lr_T1, number))
        return True

    @property
    def is_replayed(self) -> bool:
        """Whether there are graphs."""
        return bool(self._updates)

    @property
    def _is_whole(self) -> bool:
        """Whether the rule is part of the graph: one of the user's own may compute numbers of the step in Python."""
        return self.has_rule and all(_is_ours(getattr(self._step.rules, name)) for name in GROUPS)

    def _capture(self, key: tuple, batches: Batches, sums: Sums) -> bool:
        if self._ahead is None:
            self._ahead = Ahead(self._step.rules.optimizer, self._step.forward.flat.tensor)
            self._pool = torch.cuda.graph_pool_handle()
        try:
            self._updates[key] = _Captured(self._step, batches, sums, self._ahead, self._pool, self._is_whole)
        except EmptyGraph:
            raise
        except RuntimeError as error:
            if is_out_of_memory(error) and self._step.forward.flat.tensor.shape[0] > 1:
                raise
            self.reason = first_line(error)
            _log.warning("updates are not replayed as a graph: %s", self.reason)
        return not self.reason

    @contextmanager
    def _on_stream(self) -> Iterator[None]:
        """Work on the stream that captures, in turn with the current one."""
        side, current = streams_of(self._device)[STREAMS], torch.cuda.current_stream(self._device)
        side.wait_stream(current)
        with torch.cuda.stream(side):
            yield
        current.wait_stream(side)

    def close(self) -> None:
        """Free all graphs and their memory now, not at a collection that may fall into another capture."""
        if self._updates:
            torch.cuda.synchronize(self._device)
        for update in self._updates.values():
            update.close()
        self._updates, self._seen, self._ahead, self._pool = {}, set(), None, None


class _Captured:
    """The graph of an update of one kind, with the tensors that it reads."""

    def __init__(self, step: Updater, batches: Batches, sums: Sums, ahead: Ahead, pool: Any, is_whole: bool) -> None:
        """Capture; nothing is computed.

        Args:
            step: What is captured.
            batches: Of the kind.
            sums: Which the losses and right answers are added to.
            ahead: The numbers that the rule reads.
            pool: Of memory, which the graphs of a program share: they run one after another.
            is_whole: Whether the rule is part of it.

        Raises:
            EmptyGraph: If nothing was captured.
            RuntimeError: If something is done that cannot be captured, such as `.item()`.
        """
        params = step.forward.flat.tensor
        self._batches = [[_copy(batch) for batch in by_length] for by_length in batches]
        self._seeds = step.forward.dropout_seeds
        self._seeds_by_place = [self._seeds.clone() for _ in batches]
        self._lr_T1, self._values_V = params.new_zeros(params.shape[0], 1), ahead.values(1).clone()
        self._graph = torch.cuda.CUDAGraph()
        totals, side = sums.on_device(), streams_of(params.device)[STREAMS]
        gc.disable()  # a graph that is destroyed while another is captured breaks the capture
        try:
            with (
                torch.cuda.device(params.device),
                _refuse_empty(),
                torch.cuda.graph(self._graph, pool=pool, stream=side, capture_error_mode="thread_local"),
            ):
                step.differentiate(self._batches, totals, self._seed)
                if is_whole:
                    with torch.no_grad():
                        step.apply(ahead.moment(self._values_V, self._lr_T1))
        except BaseException:
            step.forward.drop_grads()
            raise
        finally:
            gc.enable()

    def _seed(self, place: int) -> None:
        self._seeds.copy_(self._seeds_by_place[place])

    def replay(self, batches: Batches, lr_T1: Tensor, values_V: Tensor, seed_batch: Seed | None) -> None:
        """Do the update with other batches of the same kind."""
        for place, (statics, by_length) in enumerate(zip(self._batches, batches, strict=True)):
            for static, batch in zip(statics, by_length, strict=True):
                static.x.copy_(batch.x)
                static.targets.copy_(batch.targets)
            if seed_batch is not None and self._seeds.numel():
                seed_batch(place)
                self._seeds_by_place[place].copy_(self._seeds)
        self._lr_T1.copy_(lr_T1)
        self._values_V.copy_(values_V)
        self._graph.replay()

    def close(self) -> None:
        """Free the graph."""
        self._graph.reset()


@contextmanager
def _refuse_empty() -> Iterator[None]:
    """Raise `EmptyGraph` where a capture got nothing, of which torch only warns."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for warning in caught:
        if "graph is empty" in str(warning.message).lower():
            raise EmptyGraph(
                "a CUDA graph is empty: its update ran on another stream or device; trainer.cuda_graph=false trains "
                "without graphs"
            )
        warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)


def _copy(batch: Batch) -> Batch:
    return replace(batch, x=batch.x.detach().clone(), targets=batch.targets.clone())


def _kind(batch: Batch) -> tuple:
    return batch.x.shape, batch.x.stride(), batch.x.dtype, batch.targets.shape, batch.targets.dtype, batch.is_shared


def _is_ours(component: Any) -> bool:
    """Whether a component's code is the project's."""
    return type(component).__module__.startswith("dlexp.")
