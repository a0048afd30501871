"""GoogLeNet, the first inception network.

Features: nine modules of four branches (1x1; 1x1 then 3x3; 1x1 then 5x5; 3x3 pooling then 1x1); two auxiliary
classifiers behind modules 4a and 4d in training, with weights of their losses; ImageNet stem and a small-image one (one
3x3 convolution of 192 filters, so that 32 pixels meet the modules at full size).
Defaults as in Szegedy et al. (2015): relu, dropout, and no norm but the two local response normalisations of figure 3,
which any configured norm replaces. The paper names no initialisation; Glorot's stands in, as in Caffe's GoogLeNet.
Deviations: all dropout layers share the configured p (paper: 0.4, auxiliary 0.7); where maps are smaller than the
auxiliary classifiers' 5x5 pooling window, the window shrinks to the map.
`variant: torchvision` has torchvision's documented deviation, 3x3 filters in the 5x5 branch, and its silent ones: 2x2
instead of 3x3 in the last max pooling, and auxiliary classifiers that average to 4x4 pixels.
Shapes: N batch, C channels, H height, W width, K outputs.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from dlexp.error import ConfigError
from dlexp.model.layer import (
    Blocks,
    ConvBlock,
    Factory,
    GlobalAveragePool,
    Window,
    choose_stem,
    image_shape,
    side_after,
    smallest_side,
)
from dlexp.type import NonNegative

# Table 1: filters 1x1; 3x3 reduce, 3x3; 5x5 reduce, 5x5; pool projection.
MODULES = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
# In ceil mode a 3x3 window of stride 2 leaves floor(in / 2) pixels, as this one.
HALVING: Window = (2, 2, 0)


class Inception(nn.Module):
    """Four branches side by side, concatenated.

    Args:
        in_channels: Channels of the input.
        filters: 1x1; 3x3 reduce, 3x3; 5x5 reduce, 5x5; pool projection.
        large_kernel: Side of the third branch's filters, 5 in the paper.
        blocks: Norm and activation.
    """

    def __init__(self, in_channels: int, filters: tuple[int, ...], large_kernel: int, blocks: Blocks) -> None:
        super().__init__()
        width1, reduce3, width3, reduce5, width5, project = filters
        self.branch1 = ConvBlock(in_channels, width1, 1, blocks=blocks)
        self.branch3 = nn.Sequential(
            ConvBlock(in_channels, reduce3, 1, blocks=blocks), ConvBlock(reduce3, width3, 3, blocks=blocks)
        )
        self.branch5 = nn.Sequential(
            ConvBlock(in_channels, reduce5, 1, blocks=blocks), ConvBlock(reduce5, width5, large_kernel, blocks=blocks)
        )
        self.branch_pool = nn.Sequential(nn.MaxPool2d(3, 1, 1), ConvBlock(in_channels, project, 1, blocks=blocks))
        self.out_channels = width1 + width3 + width5 + project

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Return maps (N, out_channels, H, W)."""
        branches = [self.branch1, self.branch3, self.branch5, self.branch_pool]
        return torch.cat([branch(x_NCHW) for branch in branches], dim=1)


class AuxiliaryHead(nn.Module):
    """Average pooling, 1x1 convolution to 128, dense layer of 1024, dropout, linear output.

    Args:
        in_channels: Channels of the maps it reads.
        num_outputs: K.
        pool: The average pooling.
        height: Rows of the pooled map.
        width: Columns of the pooled map.
        blocks: Norm (behind the convolution), activation and dropout.
    """

    def __init__(
        self, in_channels: int, num_outputs: int, pool: nn.Module, height: int, width: int, blocks: Blocks
    ) -> None:
        super().__init__()
        self.pool = pool
        self.conv = ConvBlock(in_channels, 128, 1, blocks=blocks)
        self.dense = nn.Linear(128 * height * width, 1024)
        self.activation = blocks.activation(num_features=1024)
        self.dropout = blocks.dropout()
        self.output = nn.Linear(1024, num_outputs)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Return logits (N, K)."""
        hidden_ND = self.activation(self.dense(self.conv(self.pool(x_NCHW)).flatten(1)))
        return self.output(self.dropout(hidden_ND))


class GoogLeNet(nn.Module):
    """GoogLeNet: nine inception modules; in training two auxiliary classifiers besides.

    In training `forward` returns [logits, logits of the head behind 4a, of the head behind 4d], in evaluation logits.

    Args:
        variant: paper has 5x5 filters in the third branch; torchvision has its 3x3 there, and its pooling.
        aux_weights: Weights of the losses of the auxiliary heads behind modules 4a and 4d; [] for no heads.
        stem: First layers; auto takes small for images of 64 pixels or less, else imagenet.

    References:
        Szegedy et al. (2015), Going Deeper with Convolutions, CVPR, table 1 and section 5.
    """

    def __init__(
        self,
        variant: Literal["paper", "torchvision"] = "paper",
        aux_weights: list[NonNegative] = [0.3, 0.3],
        stem: Literal["auto", "imagenet", "small"] = "auto",
        *,
        in_shape: tuple[int, ...],
        num_outputs: int,
        activation: Factory,
        norm: Factory,
        dropout: Factory,
    ) -> None:
        super().__init__()
        if len(aux_weights) not in (0, 2):
            raise ConfigError(f"model.aux_weights: got {aux_weights}; give two weights, or [] for no auxiliary heads")
        channels, height, width = image_shape(in_shape, "inception")
        form = choose_stem(stem, height, width)
        windows = [(7, 2, 3), HALVING, HALVING, HALVING] if form == "imagenet" else [HALVING]
        image_shape(in_shape, "inception", smallest_side([*windows, HALVING]))
        self.aux_weights = list(aux_weights)
        blocks = Blocks(norm, activation, dropout)
        self.stem = _stem(channels, form, blocks)
        channels = 192
        for name, filters in MODULES.items():
            module = Inception(channels, filters, 5 if variant == "paper" else 3, blocks)
            self.add_module(f"inception{name}", module)
            channels = module.out_channels
        self.pool3 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.pool4 = nn.MaxPool2d(3 if variant == "paper" else 2, 2, ceil_mode=True)
        self.average = GlobalAveragePool()
        self.dropout = dropout()
        self.output = nn.Linear(channels, num_outputs)

        self.aux_points: dict[str, str] = {}
        if aux_weights:
            self.aux_points = {"aux1": "inception4a", "aux2": "inception4d"}
            sides = (side_after(height, windows), side_after(width, windows))
            for head, point in self.aux_points.items():
                read = self.get_submodule(point).out_channels
                assert isinstance(read, int)
                pool, pooled = _aux_pool(variant, *sides)
                self.add_module(head, AuxiliaryHead(read, num_outputs, pool, *pooled, blocks))

    @property
    def output_layers(self) -> list[nn.Module]:
        """The layers that give logits, those of the auxiliary heads included."""
        return [self.output, *(self.get_submodule(f"{head}.output") for head in self.aux_points)]

    def forward(self, x_NCHW: Tensor) -> Tensor | list[Tensor]:
        """Return logits (N, K); in training a list of them, the main ones first."""
        x_NCHW = self.stem(x_NCHW)
        auxiliary = []
        heads = {point: head for head, point in self.aux_points.items()} if self.training else {}
        for name in MODULES:
            module = f"inception{name}"
            if name == "4a":
                x_NCHW = self.pool3(x_NCHW)
            elif name == "5a":
                x_NCHW = self.pool4(x_NCHW)
            x_NCHW = self.get_submodule(module)(x_NCHW)
            if module in heads:
                auxiliary.append(self.get_submodule(heads[module])(x_NCHW))
        logits_NK = self.output(self.dropout(self.average(x_NCHW)))
        return [logits_NK, *auxiliary] if auxiliary else logits_NK


def _stem(in_channels: int, form: str, blocks: Blocks) -> nn.Sequential:
    if form == "small":
        return nn.Sequential(ConvBlock(in_channels, 192, 3, blocks=blocks))
    # Figure 3 places a local response normalisation behind the first pooling and before the second. Its constants
    # are those of Krizhevsky et al. (2012), section 3.3, n = 5 and beta = 0.75, with alpha per window as in torch.
    has_response_norm = blocks.needs_bias
    first = [nn.LocalResponseNorm(5)] if has_response_norm else []
    second = [nn.LocalResponseNorm(5)] if has_response_norm else []
    return nn.Sequential(
        ConvBlock(in_channels, 64, 7, 2, blocks=blocks),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        *first,
        ConvBlock(64, 64, 1, blocks=blocks),
        ConvBlock(64, 192, 3, blocks=blocks),
        *second,
        nn.MaxPool2d(3, 2, ceil_mode=True),
    )


def _aux_pool(variant: str, height: int, width: int) -> tuple[nn.Module, tuple[int, int]]:
    if variant == "torchvision":
        return nn.AdaptiveAvgPool2d(4), (4, 4)
    kernel = min(5, height, width)
    window = [(kernel, 3, 0)]
    return nn.AvgPool2d(kernel, 3), (side_after(height, window), side_after(width, window))
