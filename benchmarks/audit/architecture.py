"""FLOPs of every architecture against torch's counter, receptive fields against the pixels that reach an output."""

from collections.abc import Iterator
from typing import cast

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.audit.row import Row
from dlexp.build.model import build_module
from dlexp.config.resolve import resolve
from dlexp.model.summary import summarize

SECTION = "architecture"
SHAPE = (3, 64, 64)
MODELS: dict[str, tuple[str, ...]] = {
    "softmax": (),
    "mlp": (),
    "cnn": (),
    "nin": (),
    "vgg": ("model.depth=11",),
    "resnet": ("model.depth=8",),
    "resnext": ("model.depth=50",),
    "densenet": ("model.depth=40",),
    "inception": (),
}
SEEN = {"cnn": 64, "vgg": 160, "resnet": 96, "densenet": 224}  # side of an image that is larger than the field
QUICK = ("mlp", "cnn")


def _build(name: str, shape: tuple[int, int, int], *more: str) -> nn.Module:
    config = resolve(["data=fake", f"data.shape={list(shape)}", f"model={name}", *MODELS[name], *more]).config
    return build_module(config, shape, 10, seed=0)


def _flops(name: str) -> Row:
    model = _build(name, SHAPE).eval()
    ours = summarize(model, SHAPE).flops
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.zeros(1, *SHAPE))
    theirs = counter.get_total_flops()
    quantity = f"FLOPs of convolutions and products beside torch's {theirs:,}, as a share"
    return Row(SECTION, name, quantity, abs(ours - theirs) / theirs, 0.0)


def _field(name: str, side: int) -> Row:
    """Look which pixels have a gradient, under positive weights: the largest field that the image has room for."""
    model = _build(name, (1, side, side), "norm=none", "activation=identity").double().eval()
    layers = [each for each in summarize(model, (1, side, side)).layers if each.type.startswith("Conv")]
    field, last = max(
        (each.receptive_field, each.name) for each in layers if 0 < (each.receptive_field or 0) < side // 2
    )
    for parameter in model.parameters():
        nn.init.constant_(parameter, 0.1)
    outputs: list[torch.Tensor] = []
    model.get_submodule(last).register_forward_hook(lambda module, _, maps: cast(list, outputs).append(maps))
    chance = torch.Generator().manual_seed(0)
    seen = torch.zeros(side, side, dtype=torch.bool)
    for _ in range(12):  # a maximum passes the gradient of one pixel of its window: many images show them all
        image = torch.rand(1, 1, side, side, dtype=torch.float64, generator=chance).requires_grad_()
        model(image)
        maps = outputs[-1]
        (gradient,) = torch.autograd.grad(maps[0, :, maps.shape[2] // 2, maps.shape[3] // 2].sum(), image)
        seen |= gradient[0, 0] != 0
    lines = seen.any(0).nonzero()
    measured = int(lines.max() - lines.min()) + 1
    quantity = f"pixels of the receptive field of {last}, {measured} seen"
    return Row(SECTION, name, quantity, abs((field or 0) - measured), 0.0)


def rows(*, is_quick: bool) -> Iterator[Row]:
    """Yield FLOPs of every architecture and the receptive field of those with a map."""
    for name in QUICK if is_quick else MODELS:
        yield _flops(name)
    for name in ("cnn",) if is_quick else SEEN:
        yield _field(name, SEEN[name])
