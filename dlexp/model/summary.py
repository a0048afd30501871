"""What a model is made of: shapes, parameters, FLOPs, receptive field and stride of each layer, without weights."""

import copy
from collections import Counter
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from dlexp.error import ConfigError, first_line
from dlexp.model.trace import Call, Field, Trace


@dataclass(frozen=True)
class Layer:
    """One call of one layer.

    Attributes:
        name: The module's name in the model.
        type: The module's class.
        output_shape: Shape of its output for one example.
        num_params: Parameters; 0 where an earlier call of the same module has counted them.
        num_trainable: Those of them that training changes.
        flops: Floating-point operations for one example, a multiply-add as two.
        receptive_field: Longer side of the window of the image that one output pixel sees, in pixels; None without a
            map or behind attention.
        stride: Pixels of the image between neighbouring output pixels; None without a map.
        share: Fraction of the model's parameters, in [0, 1].
        flops_share: Fraction of the model's FLOPs, in [0, 1]; 0 for auxiliary heads.
        is_auxiliary: Whether it belongs to a head that only training uses.
    """

    name: str
    type: str
    output_shape: tuple[int, ...]
    num_params: int
    num_trainable: int
    flops: int
    receptive_field: int | None
    stride: int | None
    share: float
    flops_share: float
    is_auxiliary: bool


@dataclass(frozen=True)
class AuxiliaryHead:
    """Where a head that only training uses attaches.

    Attributes:
        name: The head's module.
        behind: The module whose output it reads.
        weight: Of its loss.
    """

    name: str
    behind: str
    weight: float


@dataclass(frozen=True)
class Summary:
    """A model's layers and totals.

    Attributes:
        input_shape: Shape of one example.
        num_params: All parameters, auxiliary heads included.
        num_trainable: Those that training changes.
        flops: For the evaluation of one example, a multiply-add as two, so without auxiliary heads.
        layers: In order of call; auxiliary heads last. Layers that do nothing are left out.
        auxiliary: Where auxiliary heads attach.
        warnings: Sentences for the user.
    """

    input_shape: tuple[int, ...]
    num_params: int
    num_trainable: int
    flops: int
    layers: list[Layer]
    auxiliary: list[AuxiliaryHead]
    warnings: list[str]


def summarize(model: nn.Module, in_shape: tuple[int, ...]) -> Summary:
    """Return what `model` is made of, found by one evaluation on the meta device.

    Args:
        model: Best built under ``torch.device("meta")``; otherwise a copy goes there. Its training mode stays.
        in_shape: (C, H, W) or (D,).

    Raises:
        ConfigError: The model cannot run without numbers.
    """
    if not all(parameter.is_meta for parameter in model.parameters()):
        model = copy.deepcopy(model).to("meta")
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        calls, auxiliary = _trace(model, in_shape)
    except NotImplementedError as error:
        reason = first_line(error)
        raise ConfigError(f"model: got {type(model).__name__}, which cannot run without numbers: {reason}") from error
    finally:
        for module, is_training in modes:
            module.training = is_training
    heads = [head.name for head in auxiliary]
    flops = sum(call.flops for call in calls if not _is_within(call.name, heads))
    num_params = sum(parameter.numel() for parameter in model.parameters())
    return Summary(
        input_shape=tuple(in_shape),
        num_params=num_params,
        num_trainable=sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad),
        flops=flops,
        layers=_layers(calls, _own_params(model, calls), _own_params(model, calls, True), flops, heads),
        auxiliary=auxiliary,
        warnings=_warnings(calls, in_shape),
    )


def _trace(model: nn.Module, in_shape: tuple[int, ...]) -> tuple[list[Call], list[AuxiliaryHead]]:
    dtype = next((p.dtype for p in model.parameters() if p.is_floating_point()), torch.float32)
    is_image = len(in_shape) == 3
    trace = Trace(sides=(in_shape[1], in_shape[2]) if is_image else (1, 1))
    trace.run(model, "", torch.empty(1, *in_shape, dtype=dtype, device="meta"), Field() if is_image else None)
    auxiliary = []
    points: dict[str, str] = getattr(model, "aux_points", {})
    weights: list[float] = getattr(model, "aux_weights", [])
    read = {call.name: call for call in trace.calls if call.name in points.values()}
    for (head, point), weight in zip(points.items(), weights, strict=True):
        maps = torch.empty(1, *read[point].output_shape, dtype=dtype, device="meta")
        trace.run(model.get_submodule(head), head, maps, read[point].field)
        auxiliary.append(AuxiliaryHead(head, point, weight))
    return trace.calls, auxiliary


def _own_params(model: nn.Module, calls: list[Call], is_trainable: bool = False) -> Counter[str]:
    """Return the parameters, or trainable ones, of each called module that no called module within it owns."""
    called = {call.name for call in calls}
    counts: Counter[str] = Counter()
    for name, parameter in model.named_parameters():
        owner = name.rpartition(".")[0]
        while owner not in called:
            owner = owner.rpartition(".")[0]
        counts[owner] += parameter.numel() if parameter.requires_grad or not is_trainable else 0
    return counts


def _layers(
    calls: list[Call], num_params_of: Counter[str], num_trainable_of: Counter[str], flops: int, heads: list[str]
) -> list[Layer]:
    layers, num_params = [], num_params_of.total()
    for call in calls:
        params, trainable = num_params_of.pop(call.name, 0), num_trainable_of.pop(call.name, 0)
        is_layer = not call.has_children and not isinstance(call.module, nn.Identity | nn.Sequential)
        if not (is_layer or call.flops or params):
            continue
        is_auxiliary = _is_within(call.name, heads)
        layers.append(
            Layer(
                name=call.name,
                type=type(call.module).__name__,
                output_shape=call.output_shape,
                num_params=params,
                num_trainable=trainable,
                flops=call.flops,
                receptive_field=max(call.field.size) if call.field else None,
                stride=max(call.field.stride) if call.field else None,
                share=params / num_params if num_params else 0.0,
                flops_share=call.flops / flops if flops and not is_auxiliary else 0.0,
                is_auxiliary=is_auxiliary,
            )
        )
    return layers


def _is_within(name: str, heads: list[str]) -> bool:
    return any(name == head or name.startswith(f"{head}.") for head in heads)


def _exceeds(field: Field, in_shape: tuple[int, ...]) -> bool:
    return field.size[0] > in_shape[1] or field.size[1] > in_shape[2]


def _warnings(calls: list[Call], in_shape: tuple[int, ...]) -> list[str]:
    warnings = []
    if len(in_shape) != 3:
        return warnings
    leaves: list[Any] = [call for call in calls if not call.has_children]
    large = next((call for call in leaves if call.field and _exceeds(call.field, in_shape)), None)
    if large is not None:
        axis = 0 if large.field.size[0] - in_shape[1] >= large.field.size[1] - in_shape[2] else 1
        side = "" if in_shape[1] == in_shape[2] else " height of" if axis == 0 else " width of"
        warnings.append(
            f"{large.name}: its receptive field of {large.field.size[axis]} pixels exceeds the image's{side} "
            f"{in_shape[1 + axis]}; from here on filters see padding, not more of the image"
        )
    single = next((call for call in leaves if call.reads_single_pixel), None)
    if single is not None:
        k = single.reads_single_pixel
        warnings.append(
            f"{single.name}: a {k}x{k} window reads a 1x1 map: the maps shrank before the last stage; "
            "take fewer strides and poolings (model.stem=small, where there is one) or larger images"
        )
    return warnings
