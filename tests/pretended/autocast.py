"""Autocast on the pretended device: the casts that torch makes on a CPU, so that both give the same bits.

The lists are those of torch's documents, "CPU Ops that can autocast to bfloat16" and "... to float32", as far as dlexp
calls them.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

LOWER = {
    "conv1d",
    "conv2d",
    "conv3d",
    "bmm",
    "mm",
    "baddbmm",
    "addmm",
    "addbmm",
    "linear",
    "matmul",
}
WIDEST = {"stack", "cat", "index_copy"}
PLAIN = torch.autocast


class _Casting(TorchFunctionMode):
    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name, kwargs = getattr(func, "__name__", ""), kwargs or {}
        if name in LOWER:
            args, kwargs = tree_map(lambda leaf: _cast(leaf, self.dtype), (tuple(args), kwargs))
        elif name in WIDEST:
            leaves = tree_leaves((args, kwargs))
            if any(isinstance(leaf, Tensor) and leaf.dtype == torch.float32 for leaf in leaves):
                args, kwargs = tree_map(lambda leaf: _cast(leaf, torch.float32), (tuple(args), kwargs))
        return func(*args, **kwargs)


def _cast(leaf: Any, dtype: torch.dtype) -> Any:
    is_cast = isinstance(leaf, Tensor) and leaf.is_floating_point() and leaf.dtype not in (torch.float64, dtype)
    return leaf.to(dtype) if is_cast else leaf


class Autocast:
    """As torch.autocast; of another device the real thing."""

    def __init__(self, device_type: str, dtype: Any = None, enabled: bool = True, cache_enabled: Any = None) -> None:
        self.stack = contextlib.ExitStack()
        self.arguments = (device_type, dtype, enabled, cache_enabled)

    def __enter__(self) -> None:
        device_type, dtype, enabled, cache_enabled = self.arguments
        if device_type == "cuda":
            self.stack.enter_context(_enabled(dtype, enabled))
        else:
            self.stack.enter_context(PLAIN(device_type, dtype=dtype, enabled=enabled, cache_enabled=cache_enabled))

    def __exit__(self, *_error: Any) -> None:
        self.stack.close()


@contextlib.contextmanager
def _enabled(dtype: Any, enabled: bool) -> Iterator[None]:
    before = torch.is_autocast_enabled("cuda"), torch.get_autocast_dtype("cuda")
    torch.set_autocast_enabled("cuda", enabled)
    torch.set_autocast_dtype("cuda", dtype or before[1])
    try:
        with _Casting(torch.get_autocast_dtype("cuda")) if enabled else contextlib.nullcontext():
            yield
    finally:
        torch.set_autocast_enabled("cuda", before[0])
        torch.set_autocast_dtype("cuda", before[1])
