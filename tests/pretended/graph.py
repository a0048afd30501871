"""Streams, captures and graphs of the pretended device.

A capture notes the operators of the streams that belong to it and undoes what they did; a replay runs them again on
the very same memory. So a graph that reads a tensor which has since been replaced, or a number of the host that has
since changed, gives the wrong numbers here as on a real device.
"""

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_iter, tree_leaves

from tests.pretended.log import LOG, NotInCapture


class Stream:
    """A stream of one device; what it does is done at once."""

    def __init__(self, device: Any = None, **_priority: Any) -> None:
        index = None if device is None else torch.device("cuda", device).index if isinstance(device, int) else None
        if index is None and device is not None:
            index = torch.device(device).index
        self.device = torch.device("cuda", LOG.current if index is None else index)

    def wait_stream(self, other: "Stream") -> None:
        if LOG.capture is not None:
            LOG.capture.join(self, other)

    def synchronize(self) -> None:
        LOG.wait("synchronize")


def current_stream(device: Any = None) -> Stream:
    index = LOG.current if device is None or torch.device(device).index is None else torch.device(device).index
    return LOG.streams.setdefault(index, Stream(torch.device("cuda", index)))


@contextlib.contextmanager
def stream(chosen: Stream | None) -> Iterator[None]:
    """Make a stream and its device current, as torch.cuda.stream does."""
    if chosen is None:
        yield
        return
    index, before = chosen.device.index, (LOG.current, current_stream(chosen.device))
    LOG.streams[index], LOG.current = chosen, index
    try:
        yield
    finally:
        LOG.streams[index], LOG.current = before[1], before[0]


class Graph:
    """The operators of a capture."""

    live = 0

    def __init__(self, keep_graph: bool = False) -> None:
        self.calls: list[tuple[Any, Any, Any, Any]] = []
        self.saved: dict[int, tuple[Tensor, Tensor]] = {}
        self.new: list[Tensor] = []
        self.origin: Stream | None = None
        self.joined: set[int] = set()
        self.unjoined: set[int] = set()
        self.is_ready = False

    def capture_begin(self, pool: Any = None, capture_error_mode: str = "global") -> None:
        if LOG.capture is not None:
            raise NotInCapture("a capture inside a capture")
        self.origin = current_stream()
        self.joined = {id(self.origin)}
        LOG.capture = self

    def capture_end(self) -> None:
        LOG.capture = None
        if self.unjoined:
            raise NotInCapture("capture ended with unjoined work of other streams")
        for tensor, before in reversed(self.saved.values()):
            tensor.copy_(before)
        for tensor in self.new:  # nothing has been computed yet
            if tensor.is_floating_point() and tensor._is_view() is False and tensor.numel():
                tensor.fill_(float("nan"))
        self.saved, self.new, self.is_ready = {}, [], True
        Graph.live += 1
        if not self.calls:
            warnings.warn("The CUDA Graph is empty. This usually means that ...", stacklevel=2)  # all that torch says

    def join(self, waiting: Stream, other: Stream) -> None:
        if id(other) in self.joined:
            self.joined.add(id(waiting))
            self.unjoined.discard(id(other))
            if waiting is not self.origin:
                self.unjoined.add(id(waiting))

    def before(self, index: int, name: str, args: Any, kwargs: Any, func: Any) -> None:
        """Keep what an operator is about to overwrite."""
        if not self._has(index):
            return
        arguments = func._schema.arguments
        places = [i for i, each in enumerate(arguments) if each.alias_info is not None and each.alias_info.is_write]
        values = [args[i] if i < len(args) else kwargs.get(arguments[i].name) for i in places]
        values += list(args) if "batch_norm" in name else []  # writes its running statistics, whatever it declares
        known = {tensor.untyped_storage().data_ptr() for tensor in self.new}
        for tensor in tree_iter(values):
            if isinstance(tensor, Tensor) and tensor.untyped_storage().data_ptr() not in known:
                self.saved.setdefault(id(tensor), (tensor, tensor.clone()))

    def after(self, index: int, func: Any, args: Any, kwargs: Any, made: Any, _saved: None) -> None:
        """Note an operator that a stream of the capture got; others are done now and never again."""
        if not self._has(index):
            return
        self.calls.append((func, args, kwargs, made))
        given = {leaf.untyped_storage().data_ptr() for leaf in tree_iter((args, kwargs)) if isinstance(leaf, Tensor)}
        for leaf in tree_iter(made):
            if isinstance(leaf, Tensor) and leaf.untyped_storage().data_ptr() not in given:
                self.new.append(leaf)

    def _has(self, index: int) -> bool:
        return id(current_stream(torch.device("cuda", index))) in self.joined

    def replay(self) -> None:
        assert self.is_ready, "a graph that was reset is replayed"
        LOG.replays += 1
        LOG.pending += 1
        with torch.no_grad(), torch._C._DisableTorchDispatch():
            for func, args, kwargs, made in self.calls:
                for old, new in zip(tree_leaves(made), tree_leaves(func(*args, **kwargs)), strict=True):
                    if isinstance(old, Tensor) and old.data_ptr() != new.data_ptr():
                        old.copy_(new)

    def reset(self) -> None:
        Graph.live -= self.is_ready
        self.calls, self.is_ready = [], False

    def pool(self) -> tuple[int, int]:
        return (0, id(self))


class capture:
    """A capture as a context, as `torch.cuda.graph` is."""

    def __init__(self, graph: Graph, pool: Any = None, stream: Any = None, **_options: Any) -> None:
        self.graph, self.stack, self.stream = graph, contextlib.ExitStack(), stream

    def __enter__(self) -> None:
        self.stack.enter_context(stream(self.stream if self.stream is not None else Stream()))
        self.graph.capture_begin()

    def __exit__(self, kind: Any, *_rest: Any) -> None:
        try:
            if kind is None:
                self.graph.capture_end()
        finally:
            LOG.capture = None
            self.stack.close()
