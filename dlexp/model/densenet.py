"""Densely connected networks.

Features: depth 121, 169, 201, 264 in four blocks for large images; depth 40, 100, 190, 250 in three equal blocks for
small ones, DenseNet-BC (L, k) by default, the basic form with `bottleneck: false compression: 1`; ImageNet and
small-image stem for either; a switch that saves memory by computing the concatenated features again in the backward
pass (Pleiss et al. 2017, arXiv:1707.06990).
Defaults as in Huang et al. (2017): batch norm and relu before each convolution, He initialisation, no dropout. A
dropout, if one is configured, follows each convolution but the stem's (section 4.2: p 0.2 for data without
augmentation).
Deviation: compression without bottleneck and bottleneck without compression are possible, too. DenseNet-264 is built as
the paper's table 1 prints it, which makes 265 layers.
Shapes: N batch, C channels, H height, W width, G growth rate.
"""

from typing import Annotated, Literal

import torch
from annotated_types import Interval
from torch import Tensor, nn

from dlexp.error import ConfigError
from dlexp.model.layer import Blocks, Factory, GlobalAveragePool, Stem, choose_stem, image_shape, smallest_side
from dlexp.model.recompute import recomputed
from dlexp.type import Count

BLOCKS = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32), 264: (6, 12, 64, 48)}


class PreactivatedConv(nn.Module):
    """Norm, activation, convolution, dropout: w * f(norm(x))."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, blocks: Blocks) -> None:
        super().__init__()
        self.norm = blocks.norm(num_features=in_channels)
        self.activation = blocks.activation(num_features=in_channels)
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=blocks.needs_bias)
        self.dropout = blocks.dropout()

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Return maps (N, out_channels, H, W)."""
        return self.dropout(self.conv(self.activation(self.norm(x_NCHW))))


class ConcatConv(nn.Module):
    """The convolution that reads all earlier features of a block, side by side."""

    def __init__(self, conv: PreactivatedConv) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, *features_NCHW: Tensor) -> Tensor:
        """Return maps (N, out_channels, H, W) of features with the same N, H and W."""
        return self.conv(torch.cat(features_NCHW, dim=1))


class DenseUnit(nn.Module):
    """The G new features of one layer: H([x_0, x_1, ...]), with or without a 1x1 bottleneck of 4 G channels."""

    def __init__(
        self, in_channels: int, growth_rate: int, bottleneck: bool, checkpointing: bool, blocks: Blocks
    ) -> None:
        super().__init__()
        self.checkpointing = checkpointing
        width = 4 * growth_rate
        if bottleneck:
            self.concat = ConcatConv(PreactivatedConv(in_channels, width, 1, blocks))
            self.conv: nn.Module = PreactivatedConv(width, growth_rate, 3, blocks)
        else:
            self.concat = ConcatConv(PreactivatedConv(in_channels, growth_rate, 3, blocks))
            self.conv = nn.Identity()

    def forward(self, features_NCHW: list[Tensor]) -> Tensor:
        """Return the new features (N, G, H, W)."""
        if self.checkpointing and self.training and torch.is_grad_enabled():
            return self.conv(recomputed(self.concat, *features_NCHW))
        return self.conv(self.concat(*features_NCHW))


class DenseBlock(nn.Module):
    """Layers of which each reads the block's input and the features of all layers before it."""

    def __init__(
        self, num_units: int, in_channels: int, growth_rate: int, bottleneck: bool, checkpointing: bool, blocks: Blocks
    ) -> None:
        super().__init__()
        self.units = nn.ModuleList(
            DenseUnit(in_channels + i * growth_rate, growth_rate, bottleneck, checkpointing, blocks)
            for i in range(num_units)
        )

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Return x and all new features, (N, C + num_units * G, H, W)."""
        features = [x_NCHW]
        for unit in self.units:
            features.append(unit(features))
        return torch.cat(features, dim=1)


class DenseNet(nn.Module):
    """Densely connected network: x_l = H_l([x_0, x_1, ..., x_(l-1)]) within each block.

    Args:
        depth: Layers with weights; 121, 169, 201, 264 have four blocks (paper's table 1), the others three equal ones.
        growth_rate: New features per layer, k in the paper: 32 for the four-block nets; 12 (depth 40, 100), 24 (250) or
            40 (190) for the three-block nets.
        bottleneck: 1x1 convolution to 4 k channels before each 3x3; false only with three blocks.
        compression: Share of the channels that a transition keeps, in (0, 1].
        stem: First layers; auto takes small for images of 64 pixels or less, else imagenet.
        checkpointing: Saves memory in training: concatenated features are computed again in the backward pass.

    References:
        Huang, Liu, van der Maaten, Weinberger (2017), Densely Connected Convolutional Networks, CVPR.
    """

    def __init__(
        self,
        depth: Literal[40, 100, 121, 169, 190, 201, 250, 264] = 121,
        growth_rate: Count = 32,
        bottleneck: bool = True,
        compression: Annotated[float, Interval(gt=0, le=1)] = 0.5,
        stem: Literal["auto", "imagenet", "small"] = "auto",
        checkpointing: bool = False,
        *,
        in_shape: tuple[int, ...],
        num_outputs: int,
        activation: Factory,
        norm: Factory,
        dropout: Factory,
    ) -> None:
        super().__init__()
        counts = _counts(depth, bottleneck)
        channels, height, width = image_shape(in_shape, "densenet")
        form = choose_stem(stem, height, width)
        windows = [(3, 1, 1)] if form == "small" else [(7, 2, 3), (3, 2, 1)]
        image_shape(in_shape, "densenet", smallest_side([*windows, *[(2, 2, 0)] * (len(counts) - 1)]))
        blocks = Blocks(norm, activation, dropout)
        # A net with bottleneck and compression starts from 2 k channels, any other from 16 (sections 3 and 4.2).
        wide = 2 * growth_rate if bottleneck and compression < 1 else 16
        self.stem = Stem(channels, wide, form, blocks=blocks, is_bare=True)
        layers: list[nn.Module] = []
        for i, count in enumerate(counts):
            layers.append(DenseBlock(count, wide, growth_rate, bottleneck, checkpointing, blocks))
            wide += count * growth_rate
            if i + 1 < len(counts):
                num_compressed = int(wide * compression)
                if num_compressed < 1:
                    raise ConfigError(f"model.compression: got {compression}; a transition of {wide} keeps no channel")
                layers += [PreactivatedConv(wide, num_compressed, 1, blocks), nn.AvgPool2d(2)]
                wide = num_compressed
        self.blocks = nn.Sequential(*layers)
        self.last_norm = norm(num_features=wide)
        self.last_activation = activation(num_features=wide)
        self.pool = GlobalAveragePool()
        self.output = nn.Linear(wide, num_outputs)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Return logits (N, num_outputs)."""
        return self.output(self.pool(self.last_activation(self.last_norm(self.blocks(self.stem(x_NCHW))))))


def _counts(depth: int, bottleneck: bool) -> tuple[int, ...]:
    if depth in BLOCKS:
        if not bottleneck:
            raise ConfigError(
                f"model.bottleneck: got false with depth {depth}, which is defined with bottlenecks; "
                "without them choose depth 40, 100, 190 or 250"
            )
        return BLOCKS[depth]
    # Stem, two transitions and the linear layer are the other four of the depth.
    return 3 * ((depth - 4) // (6 if bottleneck else 3),)
