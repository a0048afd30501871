"""Arithmetic of architectures: parameters and receptive fields, counted on the models that train."""

import math
from typing import Any

from torch import nn

from dlexp.build.model import build_meta_model
from dlexp.config.resolve import resolve
from dlexp.model.summary import summarize


def parameter_ratio(seed: int, first: list[str], second: list[str], shape: list[int], num_classes: int) -> float:
    """Return the parameters of one model over those of another.

    Args:
        seed: Without effect: weights are not made.
        first: Overrides of the one.
        second: Overrides of the other.
        shape: Of an example.
        num_classes: Outputs.
    """
    counts = []
    for network in (first, second):
        config: Any = resolve(network).config
        model = build_meta_model(config, tuple(shape), num_classes)
        counts.append(sum(parameter.numel() for parameter in model.parameters()))
    return counts[0] / counts[1]


def stack_ratio(seed: int, first: list[list[int]], second: list[list[int]]) -> float:
    """Return the weights of one stack of convolutions over those of another, without biases.

    Args:
        seed: Without effect.
        first: Of each convolution: channels in, channels out, side of the kernel.
        second: The same of the other.
    """
    return _weights(first) / _weights(second)


def receptive_field(seed: int, kernels: list[int]) -> float:
    """Return the side of the input that one output of a stack of convolutions sees.

    Args:
        seed: Without effect.
        kernels: Side of each kernel.
    """
    stack = nn.Sequential(*(nn.Conv2d(1, 1, kernel, padding=kernel // 2, device="meta") for kernel in kernels))
    field = summarize(stack, (1, 64, 64)).layers[-1].receptive_field
    return math.nan if field is None else float(field)


def _weights(stack: list[list[int]]) -> int:
    layers = [nn.Conv2d(channels, outputs, kernel, bias=False, device="meta") for channels, outputs, kernel in stack]
    return sum(layer.weight.numel() for layer in layers)
