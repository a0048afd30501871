"""Watches one forward pass on the meta device: FLOPs, receptive field and stride, module by module.

The receptive field r and the stride j (pixels of the image between neighbours of a map) follow each window of kernel k,
stride s and dilation d: r' = r + (k - 1) d j, j' = j s; where branches meet, the larger counts. A mean over a map sees
the whole image. Norms count as elementwise. Behind attention both are unknown.

References:
    Araujo, Norris, Sim (2019), Computing Receptive Fields of Convolutional Neural Networks, Distill, equations 2 and 3.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

Pair: TypeAlias = tuple[int, int]

aten = torch.ops.aten
MIXING = {aten.bmm, aten.baddbmm, aten._scaled_dot_product_attention_math, aten._softmax}
REDUCING = {aten.mean, aten.sum, aten.amax, aten._adaptive_avg_pool2d, aten.adaptive_max_pool2d}


@dataclass(frozen=True)
class Field:
    """What a pixel of a map sees of the image, by rows and columns.

    Attributes:
        size: Receptive field in pixels.
        stride: Pixels of the image between neighbours.
    """

    size: Pair = (1, 1)
    stride: Pair = (1, 1)


@dataclass
class Call:
    """One call of one module.

    Attributes:
        name: The module's name in the model.
        module: The module.
        output_shape: Shape without the batch.
        field: Of the output, None where it is unknown or there is no map.
        flops: FLOPs of operations in this module's own code, not in its children's.
        has_children: Whether its code called other modules.
        reads_single_pixel: Side of a window that it moves over a 1x1 map, 0 for none.
    """

    name: str
    module: nn.Module
    output_shape: tuple[int, ...] = ()
    field: Field | None = None
    flops: int = 0
    has_children: bool = False
    reads_single_pixel: int = 0


@dataclass
class Trace(TorchDispatchMode):
    """Records every call of a module of `model` while it is active.

    Attributes:
        sides: Rows and columns of the image.
        calls: Finished calls in order.
    """

    sides: Pair
    calls: list[Call] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[Call] = []
        # The tensors are kept so that no identity is given twice; on the meta device they are only shapes.
        self._fields: dict[int, tuple[Tensor, Field | None]] = {}

    def run(self, model: nn.Module, prefix: str, x: Tensor, seen: Field | None) -> Any:
        """Return ``model(x)``, recording the calls under names that start with `prefix`."""
        hooks = []
        for name, module in model.named_modules():
            full = ".".join(word for word in (prefix, name) if word)
            hooks.append(module.register_forward_pre_hook(lambda module, args, full=full: self._enter(full, module)))
            hooks.append(module.register_forward_hook(lambda module, args, output: self._leave(output)))
        try:
            with torch.inference_mode(), self:
                if seen is not None:
                    self._fields[id(x)] = (x, seen)
                return model(x)
        finally:
            for hook in hooks:
                hook.remove()

    def _enter(self, name: str, module: nn.Module) -> None:
        if self._open:
            self._open[-1].has_children = True
        self._open.append(Call(name, module))

    def _leave(self, output: Any) -> None:
        call = self._open.pop()
        tensor = next(iter(_tensors([output])), None)
        if tensor is not None:
            call.output_shape = tuple(tensor.shape[1:])
            _, seen = self._fields.get(id(tensor), (tensor, None))
            call.field = seen if tensor.dim() == 4 else None
        self.calls.append(call)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run one operation; composite ones are taken apart so that each piece is seen."""
        kwargs = kwargs or {}
        with self:
            pieces = func.decompose(*args, **kwargs)
        if pieces is not NotImplemented:
            return pieces
        result = func(*args, **kwargs)
        packet = func._overloadpacket
        if packet in flop_registry and self._open:
            self._open[-1].flops += flop_registry[packet](*args, **kwargs, out_val=result)
        known = [self._fields[id(tensor)][1] for tensor in _tensors(args) if id(tensor) in self._fields]
        if known:
            seen = self._spread(packet, args, known)
            for tensor in _tensors([result]):
                self._fields[id(tensor)] = (tensor, seen)
        return result

    def _spread(self, packet: Any, args: Any, known: list[Field | None]) -> Field | None:
        """Return the field of an operation's result."""
        fields = [seen for seen in known if seen is not None]
        if len(fields) < len(known) or packet in MIXING or "attention" in str(packet):
            return None
        seen = Field(_larger([f.size for f in fields]), _larger([f.stride for f in fields]))
        if args[0].__class__ is list or args[0].dim() != 4:
            return seen
        if packet in REDUCING and _reduces_space(packet, args):
            return Field(self.sides, self.sides)
        window = _window(packet, args)
        if window is None:
            return None
        kernel, stride = window
        if max(kernel) > 1 and tuple(args[0].shape[2:]) == (1, 1) and self._open:
            self._open[-1].reads_single_pixel = max(kernel)
        (size_h, size_w), (step_h, step_w) = seen.size, seen.stride
        size = (size_h + (kernel[0] - 1) * step_h, size_w + (kernel[1] - 1) * step_w)
        return Field(size, (step_h * stride[0], step_w * stride[1]))


def _larger(pairs: list[Pair]) -> Pair:
    return max(h for h, _ in pairs), max(w for _, w in pairs)


def _pair(values: Any) -> Pair:
    return values[0], values[-1]


def _window(packet: Any, args: Any) -> tuple[Pair, Pair] | None:
    """Return the window's extent and stride in map pixels, ones where an operation has none; None where unknown."""
    if packet is aten.convolution:
        weight, stride, dilation, is_transposed = args[1], args[3], _pair(args[5]), args[6]
        if is_transposed:
            return None
        kernel_h, kernel_w = weight.shape[2:]
        return ((kernel_h - 1) * dilation[0] + 1, (kernel_w - 1) * dilation[1] + 1), _pair(stride)
    if packet in (aten.max_pool2d_with_indices, aten.avg_pool2d):
        kernel = _pair(args[1])
        return kernel, _pair(args[2]) if len(args) > 2 and args[2] else kernel
    if packet in (aten._adaptive_avg_pool2d, aten.adaptive_max_pool2d):
        (rows, columns), (height, width) = args[0].shape[2:], _pair(args[1])
        # Windows of unequal size, at most one pixel larger than the ratio rounded up.
        kernel = (-(-rows // height) + (rows % height > 0), -(-columns // width) + (columns % width > 0))
        return kernel, (max(1, rows // height), max(1, columns // width))
    if packet is aten.slice and len(args) == 5 and args[1] in (2, 3):
        return (1, 1), (args[4], 1) if args[1] == 2 else (1, args[4])
    return (1, 1), (1, 1)


def _reduces_space(packet: Any, args: Any) -> bool:
    if packet in (aten._adaptive_avg_pool2d, aten.adaptive_max_pool2d):
        return tuple(args[1]) == (1, 1)
    return len(args) < 2 or any(dim % 4 >= 2 for dim in args[1])


def _tensors(values: Iterable[Any]) -> Iterable[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, dict):
            yield from _tensors(value.values())
        elif isinstance(value, list | tuple):
            yield from _tensors(value)
