"""A pretended CUDA device, for tests without a card: real numbers on the CPU that say they are on ``cuda:0``.

Inside ``with pretend() as log:`` what is moved to or made on "cuda" is a `Pretended` tensor. What a card refuses is
refused: tensors of two devices, a CPU generator for a CUDA tensor, a wait for the device while a graph is captured.
`log` counts what costs time on a card. Limits: a stream is always in order, kernels and their rounding are the CPU's.
"""

import contextlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from unittest import mock

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

from tests.pretended import graph
from tests.pretended.autocast import Autocast
from tests.pretended.log import LOG, Log
from tests.pretended.tensor import THERE, Pretended, is_there, run

FREE = 80 * 2**30
PLAIN_TO, PLAIN_LOAD, PLAIN_CUDA = Tensor.to, torch.load, Tensor.cuda
PLAIN_TENSOR, PLAIN_AS_TENSOR = torch.tensor, torch.as_tensor


class _Mode(TorchDispatchMode):
    """Sees operators without a pretended argument that have a device: ``torch.zeros(3, device="cuda")``."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return run(func, args, kwargs or {})


class _Generator(torch.Generator):
    def __new__(cls, device: Any = "cpu") -> "_Generator":
        made = super().__new__(cls, "cpu")  # pyright: ignore[reportCallIssue]: the stub knows of no device
        (THERE.add if is_there(device) else THERE.discard)(made._cdata)
        return made


def _numbered(value: Any) -> Any:
    """Give "cuda" the number of the current device, which torch would ask the driver for."""
    is_named = isinstance(value, str | torch.device) and torch.device(value).type == "cuda"
    return torch.device("cuda", _index(value)) if is_named else value


def _index(device: Any) -> int:
    if device is None:
        return LOG.current
    if isinstance(device, int):
        return device
    number = torch.device(device).index
    return LOG.current if number is None else number


def _to(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    return PLAIN_TO(self, *map(_numbered, args), **{key: _numbered(value) for key, value in kwargs.items()})


def _made(make: Any) -> Any:
    """Return torch.tensor or torch.as_tensor for the device: made on the CPU, then copied."""

    def call(data: Any, *, device: Any = None, **kwargs: Any) -> Tensor:
        if isinstance(data, Pretended):
            return data if kwargs.get("dtype") in (None, data.dtype) else data.to(kwargs["dtype"])
        made = make(data, **kwargs)
        return made.to(device) if device is not None and torch.device(device).type == "cuda" else made

    return call


def _load(file: Any, map_location: Any = None, **kwargs: Any) -> Any:
    """As torch.load: what goes to the device comes to the host first."""
    loaded = PLAIN_LOAD(file, map_location="cpu", **kwargs)
    if map_location is None or torch.device(map_location).type != "cuda":
        return loaded
    return tree_map(lambda leaf: leaf.to(map_location) if isinstance(leaf, Tensor) else leaf, loaded)


def _pin(self: Tensor, device: Any = None) -> Tensor:
    pinned = self.clone()
    pinned.is_pinned_there = True  # pyright: ignore
    return pinned


@contextlib.contextmanager
def _on_device(device: Any) -> Iterator[None]:
    before, LOG.current = LOG.current, _index(device)
    try:
        yield
    finally:
        LOG.current = before


def _set_device(device: Any) -> None:
    LOG.current = _index(device)


def _cuda(num_devices: int, free: int) -> dict[str, Any]:
    """Return what stands in for the functions of torch.cuda."""
    return {
        "_lazy_init": lambda: None,
        "is_available": lambda: True,
        "is_initialized": lambda: True,
        "device_count": lambda: num_devices,
        "current_device": lambda: LOG.current,
        "set_device": _set_device,
        "device": _on_device,
        "get_device_name": lambda *_device: "pretended GPU",
        "get_device_properties": lambda *_device: SimpleNamespace(total_memory=FREE),
        "get_device_capability": lambda *_device: (9, 0),
        "mem_get_info": lambda *_device: (free, FREE),
        "memory_reserved": lambda *_device: 0,
        "memory_allocated": lambda *_device: 0,
        "max_memory_allocated": lambda *_device: 2**20,
        "reset_peak_memory_stats": lambda *_device: None,
        "synchronize": lambda *_device: LOG.wait("synchronize"),
        "empty_cache": lambda: None,
        "is_bf16_supported": lambda *_args, **_kwargs: True,
        "Stream": graph.Stream,
        "current_stream": graph.current_stream,
        "stream": graph.stream,
        "graph": graph.capture,
        "CUDAGraph": graph.Graph,
        "graph_pool_handle": lambda: (0, 1),
        "is_current_stream_capturing": lambda: LOG.capture is not None,
    }


@contextlib.contextmanager
def pretend(num_devices: int = 1, free: int = FREE) -> Iterator[Log]:
    """Have torch see CUDA devices as long as the context lasts; yields the log of what happens there."""
    LOG.reset()
    patches: list[tuple[Any, str, Any]] = [
        (torch.cuda, name, value) for name, value in _cuda(num_devices, free).items()
    ]
    patches += [
        (torch, "Generator", _Generator),
        (torch, "autocast", Autocast),
        (torch, "load", _load),
        (torch, "tensor", _made(PLAIN_TENSOR)),
        (torch, "as_tensor", _made(PLAIN_AS_TENSOR)),
        (Tensor, "pin_memory", _pin),
        (Tensor, "to", _to),
    ]
    with contextlib.ExitStack() as stack:
        for owner, name, value in patches:
            stack.enter_context(mock.patch.object(owner, name, value))
        stack.enter_context(_Mode())
        yield LOG
