"""Tensors that say they are on a CUDA device and compute on the CPU.

To C++ they are on the meta device, so that nothing there reads their memory; every operator arrives here, computes on
the tensors inside, and is refused or counted as a real device would.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_iter, tree_map

from tests.pretended.log import LOG, DeviceMismatch

# The host waits because it needs numbers, or a size that depends on numbers.
WAITS = {
    "_local_scalar_dense",
    "_unique2",
    "allclose",
    "bincount",
    "equal",
    "is_nonzero",
    "item",
    "masked_select",
    "nonzero",
    "repeat_interleave",
    "unique_consecutive",
    "unique_dim",
}
COPIES = {"_to_copy", "copy_", "copy"}
INDEXING = {"index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index"}  # move an index of the CPU
SAME = {"detach", "alias", "lift_fresh"}  # no kernel


class Pretended(Tensor):
    """A tensor on a pretended device.

    Attributes:
        held: Its numbers, on the CPU.
        card: Number of the device.
    """

    held: Tensor
    card: int
    __torch_function__ = torch._C._disabled_torch_function_impl  # pyright: ignore

    @staticmethod
    def __new__(cls, held: Tensor, card: int = 0) -> "Pretended":
        shape = {"strides": held.stride(), "storage_offset": held.storage_offset()}
        made = Tensor._make_wrapper_subclass(cls, held.shape, **shape, dtype=held.dtype, device="meta")  # pyright: ignore
        made.held, made.card = held, card
        return made

    @property
    def device(self) -> torch.device:  # pyright: ignore
        return torch.device("cuda", self.card)

    is_cuda = property(lambda _self: True)  # pyright: ignore
    is_meta = property(lambda _self: False)  # pyright: ignore
    is_cpu = property(lambda _self: False)  # pyright: ignore

    @property
    def data(self) -> Tensor:  # pyright: ignore
        return self.detach()

    @data.setter
    def data(self, value: Tensor) -> None:
        assert isinstance(value, Pretended)
        Tensor.data.__set__(self, value)  # pyright: ignore
        self.held, self.card = value.held, value.card

    def __getitem__(self, index: Any) -> Tensor:  # pyright: ignore
        return super().__getitem__(_indices(index))

    def __setitem__(self, index: Any, value: Any) -> None:  # pyright: ignore
        super().__setitem__(_indices(index), value)

    def data_ptr(self) -> int:
        return self.held.data_ptr()

    def pin_memory(self, device: Any = None) -> Tensor:
        raise RuntimeError("cannot pin 'torch.cuda.FloatTensor': only dense CPU tensors can be pinned")

    def numpy(self, *, force: bool = False) -> Any:
        raise TypeError("can't convert cuda:0 device type tensor to numpy; use Tensor.cpu() first")

    def tolist(self) -> Any:
        return self.detach().to("cpu").tolist()

    def __reduce_ex__(self, protocol: Any) -> Any:
        LOG.wait("copy to the host")
        return self.held.detach().__reduce_ex__(protocol)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        copied = Pretended(self.held.detach().clone(), self.card)
        made = nn.Parameter(copied, self.requires_grad) if isinstance(self, nn.Parameter) else copied
        memo[id(self)] = made
        return made

    def __repr__(self, **_format: Any) -> str:  # pyright: ignore
        return f"Pretended({self.held!r}, cuda:{self.card})"

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return run(func, args, kwargs or {})


def _indices(index: Any) -> Any:
    """Return an index with tensors of the CPU for lists, which C++ would send to the meta device, without numbers."""
    if isinstance(index, tuple):
        return tuple(_indices(each) for each in index)
    return torch.tensor(index) if isinstance(index, list) else index


def is_there(device: Any) -> bool:
    """Say whether a device is a pretended one; "meta" is what C++ asks for beside a pretended tensor."""
    return device is not None and torch.device(device).type in ("cuda", "meta")


def strip(tree: Any) -> Any:
    """Return the same structure with the tensors inside."""
    return tree_map(lambda leaf: leaf.held if isinstance(leaf, Pretended) else leaf, tree)


def run(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Run an operator as the device would, or refuse it."""
    name = func._schema.name.removeprefix("aten::")
    tensors = [leaf for leaf in tree_iter((args, kwargs)) if isinstance(leaf, Tensor)]
    there = [tensor for tensor in tensors if isinstance(tensor, Pretended)]
    device = kwargs.get("device")
    if not there and not is_there(device):
        return func(*args, **kwargs)
    is_result_there = bool(there) if device is None else is_there(device)
    index = there[0].card if there else torch.device(device).index or LOG.current  # pyright: ignore
    assert not any(tensor.is_meta for tensor in tensors), f"aten.{name} got a tensor without numbers"
    _judge(name, args, kwargs, tensors, is_result_there)
    _judge_generator(kwargs.get("generator"), is_result_there)
    plain_args, plain_kwargs = strip(args), _on_cpu(strip(kwargs))
    is_kernel = is_result_there and not func.is_view and name not in SAME
    if is_kernel and LOG.capture is None:
        LOG.kernels[name] += 1
        LOG.pending += 1
    saved = LOG.capture.before(index, name, plain_args, plain_kwargs, func) if LOG.capture is not None else None
    with torch._C._DisableTorchDispatch():
        made = func(*plain_args, **plain_kwargs)
    if LOG.capture is not None:
        LOG.capture.after(index, func, plain_args, plain_kwargs, made, saved)
    target = _written(func, args, kwargs, made)
    if target is not None:
        return target
    return tree_map(lambda leaf: _wrap(leaf, index), made) if is_result_there else made


def _wrap(leaf: Any, index: int) -> Any:
    return Pretended(leaf, index) if isinstance(leaf, Tensor) and not isinstance(leaf, Pretended) else leaf


def _on_cpu(kwargs: dict[str, Any]) -> dict[str, Any]:
    changed = {}
    if kwargs.get("device") is not None:
        changed["device"] = torch.device("cpu")
    if kwargs.get("pin_memory"):
        changed["pin_memory"] = None
    return {**kwargs, **changed}


def _written(func: Any, args: Any, kwargs: dict[str, Any], made: Any) -> Any:
    """Return the argument that an operator wrote to and returns; None for one that returns something new."""
    returns, arguments = func._schema.returns, func._schema.arguments
    places = [i for i, each in enumerate(arguments) if each.alias_info is not None and each.alias_info.is_write]
    if len(places) != 1 or not returns or returns[0].alias_info is None or isinstance(made, tuple | list):
        return None
    name = arguments[places[0]].name
    return kwargs[name] if name in kwargs else args[places[0]]


def _judge(name: str, args: Any, kwargs: dict[str, Any], tensors: list[Tensor], is_result_there: bool) -> None:
    """Count copies and waits; refuse what mixes devices."""
    there = [tensor for tensor in tensors if isinstance(tensor, Pretended)]
    if name in COPIES:
        _judge_copy(name, args, kwargs, is_result_there)
    elif name in WAITS and there:
        LOG.wait(name)
    elif name in INDEXING and _is_masked(name, args):
        LOG.wait("nonzero")
    else:
        _judge_devices(name, args, tensors, there)


def _is_masked(name: str, args: Any) -> bool:
    """Say whether an index is a mask of the device, whose True must be counted; one value is written without."""
    is_one_value = "put" in name and args[2].numel() == 1
    masks = [index for index in args[1] if isinstance(index, Pretended) and index.dtype in (torch.bool, torch.uint8)]
    return bool(masks) and not is_one_value


def _judge_copy(name: str, args: Any, kwargs: dict[str, Any], is_result_there: bool) -> None:
    source = args[0] if name == "_to_copy" else args[1]
    is_target_there = is_result_there if name == "_to_copy" else isinstance(args[0], Pretended)
    is_free = kwargs.get("non_blocking") or (name == "copy_" and len(args) > 2 and args[2])
    if isinstance(source, Pretended) and not is_target_there:
        LOG.wait("copy to the host")
    elif not isinstance(source, Pretended) and is_target_there and source.numel():
        LOG.sent += source.numel() * source.element_size()
        if is_free and getattr(source, "is_pinned_there", False):
            LOG.free_copies += 1
        else:
            LOG.wait("copy to the device")


def _judge_devices(name: str, args: Any, tensors: list[Tensor], there: list[Pretended]) -> None:
    here = [tensor for tensor in tensors if not isinstance(tensor, Pretended)]
    if name in INDEXING and here and there and isinstance(args[0], Pretended):
        LOG.wait("copy of an index to the device")
        return
    is_mixed = bool(there) and any(tensor.dim() for tensor in here)  # a number of no dimension is a kernel's argument
    if is_mixed or len({tensor.card for tensor in there}) > 1:
        shown = ", ".join(f"{tensor.device}{list(tensor.shape)}" for tensor in tensors)
        raise DeviceMismatch(f"expected all tensors to be on the same device: aten.{name} got {shown}")


THERE: set[int] = set()  # addresses of generators of the device: operators get them in another wrapping


def _judge_generator(generator: Any, is_result_there: bool) -> None:
    if generator is not None and is_result_there != (generator._cdata in THERE):
        needed = ("cpu", "cuda")[is_result_there]
        raise RuntimeError(f"expected a '{needed}' device type for generator")
