"""The thoughts that several architectures share: hidden layers, bias or norm, and the smallest image that fits.

Shapes: N batch, C channels, H height, W width, D features in, E features out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, TypeAlias, cast

import torch
from torch import Tensor, nn

from dlexp.error import ConfigError
from dlexp.number import noun

Factory: TypeAlias = "partial[nn.Module]"
Window: TypeAlias = tuple[int, int, int]


@dataclass(frozen=True)
class Blocks:
    """The configured building blocks that a model is made of, as factories.

    Attributes:
        norm: ``norm(num_features=C)``.
        activation: ``activation(num_features=C)``.
        dropout: ``dropout()``.
    """

    norm: Factory
    activation: Factory
    dropout: Factory

    @property
    def needs_bias(self) -> bool:
        """Whether a layer next to the norm needs its own bias: not where the norm adds one."""
        return not cast(Any, self.norm.func).adds_bias


class ConvBlock(nn.Module):
    """Convolution, norm, activation: y = f(norm(w * x)).

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Side of the square filter in pixels.
        stride: Step of the filter in pixels.
        padding: Zeros on each side; None keeps the size at stride 1, for an odd filter.
        blocks: Norm and activation.
        bias: Whether the convolution has a bias; None gives it one where the norm has none.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: int | None = None,
        *,
        blocks: Blocks,
        bias: bool | None = None,
    ) -> None:
        super().__init__()
        padding = kernel_size // 2 if padding is None else padding
        bias = blocks.needs_bias if bias is None else bias
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, bias=bias)
        self.norm = blocks.norm(num_features=out_channels)
        self.activation = blocks.activation(num_features=out_channels)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Return maps (N, out_channels, H', W')."""
        return self.activation(self.norm(self.conv(x_NCHW)))


class PooledStage(nn.Sequential):
    """Layers one after another, of which one is a pooling.

    A rectifier between a convolution and a max pooling runs after the pooling, on a quarter of the numbers, to the same
    bits: the largest of rectified numbers is the rectified largest, and where no number of a window is positive all
    gradients are 0 in either order. Whoever watches a layer by a hook finds the layers in their order.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the last layer's maps (N, C, H, W)."""
        x_NCHW, late = input, None
        for layer, following in pairwise([*self, None]):
            if isinstance(layer, ConvBlock) and _may_swap(layer, following):
                x_NCHW, late = layer.norm(layer.conv(x_NCHW)), layer.activation
                continue
            x_NCHW = cast(nn.Module, layer)(x_NCHW)
            if late is not None:
                x_NCHW, late = late(x_NCHW), None
        return x_NCHW


def _may_swap(block: ConvBlock, following: nn.Module | None) -> bool:
    is_pair = type(following) is nn.MaxPool2d and type(block.activation).forward is nn.ReLU.forward
    return is_pair and not any(hooks for each in (block, block.activation, following) for hooks in _hooks(each))


def _hooks(module: nn.Module | None) -> list[Any]:
    names = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return [getattr(module, name) for name in names]


class DenseLayer(nn.Module):
    """One hidden layer: h = dropout(f(norm(W x + b)) [+ Ws x]).

    Args:
        in_features: D.
        out_features: E.
        shortcut: Whether Ws x is added; Ws is a matrix (E, D) without bias.
        blocks: f, norm and dropout; where the norm adds a bias, b is left out.
    """

    def __init__(self, in_features: int, out_features: int, shortcut: bool, blocks: Blocks) -> None:
        super().__init__()
        self.linear = nn.Linear(in_features, out_features, bias=blocks.needs_bias)
        self.norm = blocks.norm(num_features=out_features)
        self.activation = blocks.activation(num_features=out_features)
        self.shortcut = nn.Linear(in_features, out_features, bias=False) if shortcut else None
        self.dropout = blocks.dropout()

    def forward(self, x_ND: Tensor) -> Tensor:
        """Return hidden values (N, E)."""
        h_NE = self.activation(self.norm(self.linear(x_ND)))
        if self.shortcut is not None:
            h_NE = h_NE + self.shortcut(x_ND)
        return self.dropout(h_NE)


class _Dense(torch.autograd.Function):
    """The identity, whose gradient lies in memory as that of one head alone: sums over a slice round otherwise."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        return

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> Tensor:
        return grad_outputs[0].contiguous()


class Heads(nn.Module):
    """Output layers side by side, each for a target: the same kernels, on the same sizes, as that of one target alone.

    Args:
        layers: Linear ones or convolutions that take the same input.
    """

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        super().__init__()
        self.heads = nn.ModuleList(layers)
        self.axis = -1 if isinstance(layers[0], nn.Linear) else 1

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs of all heads, one after another: (N, K) or (N, K, H, W)."""
        outputs = [head(x) for head in self.heads]
        if torch.is_grad_enabled():
            outputs = [_Dense.apply(each) for each in outputs]
        return torch.cat(outputs, self.axis)


class GlobalAveragePool(nn.Module):
    """The mean of each map: (N, C, H, W) to (N, C).

    References:
        Lin, Chen, Yan (2014), Network In Network, section 3.2.
    """

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Return (N, C)."""
        return x_NCHW.mean(dim=(2, 3))


def image_shape(in_shape: tuple[int, ...], model: str, smallest: int = 1) -> tuple[int, int, int]:
    """Return (channels, height, width) of the data, or say why `model` cannot read them.

    Args:
        in_shape: (C, H, W) of images or (D,) of vectors.
        model: Name for the message.
        smallest: Fewest pixels per side.

    Raises:
        ConfigError: The data are vectors, or an image side is under `smallest`.
    """
    if len(in_shape) != 3:
        raise ConfigError(f"model: {model} needs images; the data has vectors of {noun(in_shape[0], 'feature')}")
    channels, height, width = in_shape
    if min(height, width) < smallest:
        raise ConfigError(
            f"model: got images of {height}x{width} pixels; {model} needs at least {smallest}x{smallest} in this form"
        )
    return channels, height, width


def smallest_side(windows: Iterable[Window]) -> int:
    """Return the fewest pixels from which a chain of windows still leaves one.

    Backwards through the chain: in = (out - 1) * stride + kernel - 2 * padding.

    Args:
        windows: (kernel, stride, padding) of each convolution or pooling, first to last.
    """
    side = 1
    for kernel, stride, padding in reversed(list(windows)):
        side = max(1, (side - 1) * stride + kernel - 2 * padding)
    return side


def side_after(side: int, windows: Iterable[Window]) -> int:
    """Return the pixels per side that a chain of windows leaves: out = floor((in + 2p - k) / s) + 1."""
    for kernel, stride, padding in windows:
        side = (side + 2 * padding - kernel) // stride + 1
    return side


class Stem(nn.Module):
    """The first layers of residual and dense nets.

    imagenet: 7x7 convolution of stride 2, norm, activation, 3x3 max pooling of stride 2; small: one 3x3 convolution of
    stride 1, norm, activation.

    Args:
        in_channels: Channels of the image.
        out_channels: Filters.
        stem: Which form.
        blocks: Norm and activation.
        is_bare: Leaves the convolution of the small form bare, for nets whose blocks begin with norm and activation.

    References:
        He et al. (2016), Deep Residual Learning for Image Recognition, table 1 and section 4.2.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stem: str,
        *,
        blocks: Blocks,
        is_bare: bool = False,
    ) -> None:
        super().__init__()
        kernel_size, stride = (7, 2) if stem == "imagenet" else (3, 1)
        bias = blocks.needs_bias
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, kernel_size // 2, bias=bias)
        has_norm = stem == "imagenet" or not is_bare
        self.norm = blocks.norm(num_features=out_channels) if has_norm else nn.Identity()
        self.activation = blocks.activation(num_features=out_channels) if has_norm else nn.Identity()
        self.pool = nn.MaxPool2d(3, 2, 1) if stem == "imagenet" else nn.Identity()

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Return maps of a quarter of the image's side (imagenet) or of its full side (small)."""
        return self.pool(self.activation(self.norm(self.conv(x_NCHW))))


def choose_stem(stem: str, height: int, width: int) -> str:
    """Return "imagenet" or "small"; auto is small for images whose shorter side is 64 pixels or less."""
    if stem == "auto":
        return "small" if min(height, width) <= 64 else "imagenet"
    return stem
