"""Residual units and the trunk that resnet and resnext share.

Shapes: N batch, C channels, H height, W width.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch.nn.functional as F
from torch import Tensor, nn

from dlexp.model.layer import Blocks, GlobalAveragePool, Stem, choose_stem, image_shape


@dataclass(frozen=True)
class UnitStyle:
    """What all units of one net have in common.

    Attributes:
        blocks: Norm, activation and dropout.
        is_bottleneck: 1x1, 3x3, 1x1 convolutions with four times the channels at the end, instead of two 3x3.
        has_preactivation: Norm and activation before each convolution instead of after it.
        is_residual: Whether the shortcut is there at all.
        shortcut: "projection" (1x1 convolution) or "padding" (zeros for new channels) where the shape changes.
        groups: Groups of the 3x3 convolution of a bottleneck.
        width_per_group: Channels of each group for a unit of 64 channels.
    """

    blocks: Blocks
    is_bottleneck: bool = False
    has_preactivation: bool = False
    is_residual: bool = True
    shortcut: str = "projection"
    groups: int = 1
    width_per_group: int = 64

    @property
    def expansion(self) -> int:
        """Output channels of a unit per channel of its stage."""
        return 4 if self.is_bottleneck else 1


class PaddingShortcut(nn.Module):
    """The identity that skips pixels and appends zero channels: no parameters.

    References:
        He et al. (2016), Deep Residual Learning for Image Recognition, section 3.3, option A.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.new_channels = out_channels - in_channels
        self.stride = stride

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Return maps with every stride-th pixel and the new channels zero."""
        return F.pad(x_NCHW[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.new_channels))


class ResidualUnit(nn.Module):
    """y = f(F(x) + s(x)), or F(x) + s(x) with pre-activation; F is two or three convolutions.

    The stride stands in the 3x3 convolution of a bottleneck. With pre-activation the identity passes x itself and a
    projection reads the activated x, as in the paper's first unit of a stage.

    Args:
        in_channels: Channels of x.
        channels: Channels of the unit's stage; the output has `style.expansion` times as many.
        stride: Step of the unit.
        style: What all units share.
        is_activated: Whether x comes straight from an activation: the first unit of a pre-activation net then has no
            norm and activation of its own before the split.
    """

    def __init__(
        self, in_channels: int, channels: int, stride: int, style: UnitStyle, is_activated: bool = False
    ) -> None:
        super().__init__()
        self.has_preactivation = style.has_preactivation
        self.convs = nn.ModuleList(_convs(in_channels, channels, stride, style))
        self.norms, self.activations = nn.ModuleList(), nn.ModuleList()
        for i, conv in enumerate(self.convs):
            conv = cast(nn.Conv2d, conv)
            features = conv.in_channels if style.has_preactivation else conv.out_channels
            is_bare = is_activated and style.has_preactivation and i == 0
            self.norms.append(nn.Identity() if is_bare else style.blocks.norm(num_features=features))
            self.activations.append(nn.Identity() if is_bare else style.blocks.activation(num_features=features))
        self.shortcut = _shortcut(in_channels, channels * style.expansion, stride, style)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Return maps (N, channels * expansion, H / stride, W / stride)."""
        return self._before(x_NCHW) if self.has_preactivation else self._after(x_NCHW)

    def _after(self, x_NCHW: Tensor) -> Tensor:
        y_NCHW = x_NCHW
        last = len(self.convs) - 1
        for i, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            y_NCHW = norm(conv(y_NCHW))
            if i < last:
                y_NCHW = self.activations[i](y_NCHW)
        if self.shortcut is not None:
            y_NCHW = y_NCHW + self.shortcut(x_NCHW)
        return self.activations[last](y_NCHW)

    def _before(self, x_NCHW: Tensor) -> Tensor:
        first = y_NCHW = self.activations[0](self.norms[0](x_NCHW))
        for i, conv in enumerate(self.convs):
            if i > 0:
                y_NCHW = self.activations[i](self.norms[i](y_NCHW))
            y_NCHW = conv(y_NCHW)
        if self.shortcut is None:
            return y_NCHW
        return y_NCHW + self.shortcut(first if isinstance(self.shortcut, nn.Sequential) else x_NCHW)

    def start_as_identity(self) -> None:
        """Zero the last factor of F, so that F(x) = 0 before the first step.

        That factor is the last norm's weight; with pre-activation, where a zero norm would kill a rectifier's
        gradient, and where the norm has no weight, it is the last convolution.
        """
        weight = None if self.has_preactivation else getattr(self.norms[-1], "weight", None)
        nn.init.zeros_(cast(Any, self.convs[-1]).weight if weight is None else weight)


def _convs(in_channels: int, channels: int, stride: int, style: UnitStyle) -> list[nn.Conv2d]:
    bias = style.blocks.needs_bias
    if not style.is_bottleneck:
        return [
            nn.Conv2d(in_channels, channels, 3, stride, 1, bias=bias),
            nn.Conv2d(channels, channels, 3, 1, 1, bias=bias),
        ]
    width = channels * style.width_per_group // 64 * style.groups
    return [
        nn.Conv2d(in_channels, width, 1, bias=bias),
        nn.Conv2d(width, width, 3, stride, 1, groups=style.groups, bias=bias),
        nn.Conv2d(width, channels * style.expansion, 1, bias=bias),
    ]


def _shortcut(in_channels: int, out_channels: int, stride: int, style: UnitStyle) -> nn.Module | None:
    if not style.is_residual:
        return None
    if stride == 1 and in_channels == out_channels:
        return nn.Identity()
    if style.shortcut == "padding":
        return PaddingShortcut(in_channels, out_channels, stride)
    conv = nn.Conv2d(in_channels, out_channels, 1, stride, bias=style.blocks.needs_bias)
    return (
        nn.Sequential(conv)
        if style.has_preactivation
        else nn.Sequential(conv, style.blocks.norm(num_features=out_channels))
    )


class ResidualNet(nn.Module):
    """Stem, stages of residual units, global average pooling, dropout, linear output.

    Args:
        units: Number of units of each stage.
        channels: Channels of each stage.
        style: What all units share.
        stem: "auto", "imagenet" or "small".
        zero_init_last: Whether each unit starts as the identity.
        name: Model name for messages.
        in_shape: (C, H, W).
        num_outputs: Outputs of the linear layer.
    """

    def __init__(
        self,
        units: Sequence[int],
        channels: Sequence[int],
        style: UnitStyle,
        stem: str,
        zero_init_last: bool,
        name: str,
        *,
        in_shape: tuple[int, ...],
        num_outputs: int,
    ) -> None:
        super().__init__()
        self.zero_init_last = zero_init_last
        in_channels, height, width = image_shape(in_shape, name)
        stem = choose_stem(stem, height, width)
        self.stem = Stem(in_channels, channels[0], stem, blocks=style.blocks)
        in_channels = channels[0]
        stages = []
        for i, (count, wide) in enumerate(zip(units, channels, strict=True)):
            stage = []
            for j in range(count):
                stride = 2 if i > 0 and j == 0 else 1
                stage.append(ResidualUnit(in_channels, wide, stride, style, is_activated=i == j == 0))
                in_channels = wide * style.expansion
            stages.append(nn.Sequential(*stage))
        self.stages = nn.Sequential(*stages)
        has_last = style.has_preactivation
        self.last_norm = style.blocks.norm(num_features=in_channels) if has_last else nn.Identity()
        self.last_activation = style.blocks.activation(num_features=in_channels) if has_last else nn.Identity()
        self.pool = GlobalAveragePool()
        self.dropout = style.blocks.dropout()
        self.output = nn.Linear(in_channels, num_outputs)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Return logits (N, num_outputs)."""
        maps_NCHW = self.last_activation(self.last_norm(self.stages(self.stem(x_NCHW))))
        return self.output(self.dropout(self.pool(maps_NCHW)))

    def adjust_init(self) -> None:
        """Let every unit start as the identity where `zero_init_last` asks for it."""
        if self.zero_init_last:
            for unit in self.modules():
                if isinstance(unit, ResidualUnit):
                    unit.start_as_identity()
