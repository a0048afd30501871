"""A plain convolutional network.

Features: stages of convolution, norm, activation and pooling, each with its own channels, kernel, stride, padding and
pooling window; then hidden dense layers and a linear output. Default: three stages of 3x3 filters, each halving the
map, which fit images of 8 pixels and more. As an autoencoder, the same layers in reverse in the output's place
(`dlexp.model.decoder`). The form is LeNet's (LeCun et al. 1998, Proc. IEEE 86) with today's
rectifier, batch norm and max pooling in place of its sigmoid-like units and trainable subsampling.
Shapes: N batch, C channels, H height, W width.
"""

import math
from typing import Literal

from torch import Tensor, nn

from dlexp.error import ConfigError
from dlexp.model.decoder import ConvDecoder, Stage, make_code
from dlexp.model.layer import (
    Blocks,
    ConvBlock,
    DenseLayer,
    Factory,
    PooledStage,
    image_shape,
    side_after,
    smallest_side,
)
from dlexp.type import RECONSTRUCT, Count, NonNegativeInt, Widths

POOLS = {"max": nn.MaxPool2d, "average": nn.AvgPool2d}


class CNN(nn.Module):
    """Convolutional network: stages of conv, norm, activation, pool; then dense layers.

    A list of one entry holds for every stage.

    Args:
        channels: Filters of each stage, first to last.
        kernel_size: Side of the square filters of each stage, pixels.
        stride: Step of the filters of each stage, pixels.
        padding: Zeros on each side in each stage, pixels.
        pool: Side and step of the pooling window after each stage, pixels; 1 pools nothing.
        pooling: What is kept of a window.
        widths: Units of the hidden dense layers after the last stage; [] for none.
        code: Units of an autoencoder's code, a linear layer; null takes the last layer before the output as the code.

    References:
        LeCun, Bottou, Bengio, Haffner (1998), Gradient-based learning applied to document recognition, Proc. IEEE 86.
    """

    def __init__(
        self,
        channels: Widths = [16, 32, 64],
        kernel_size: Widths = [3],
        stride: Widths = [1],
        padding: list[NonNegativeInt] = [1],
        pool: Widths = [2],
        pooling: Literal["max", "average"] = "max",
        widths: list[Count] = [],
        code: Count | None = None,
        *,
        in_shape: tuple[int, ...],
        num_outputs: int,
        activation: Factory,
        norm: Factory,
        dropout: Factory,
        task: str = "multiclass",
    ) -> None:
        super().__init__()
        stages = len(channels)
        kernels = _per_stage("kernel_size", kernel_size, stages)
        strides = _per_stage("stride", stride, stages)
        paddings = _per_stage("padding", padding, stages)
        pools = _per_stage("pool", pool, stages)
        windows = []
        for k, s, p, w in zip(kernels, strides, paddings, pools, strict=True):
            windows += [(k, s, p), (w, w, 0)]
        in_channels, height, width = image_shape(in_shape, "cnn", smallest_side(windows))

        blocks = Blocks(norm, activation, dropout)
        stages, mirrored = [], []
        for i, out_channels in enumerate(channels):
            conv = ConvBlock(in_channels, out_channels, kernels[i], strides[i], paddings[i], blocks=blocks)
            stages.append(PooledStage(conv, POOLS[pooling](pools[i]) if pools[i] > 1 else nn.Identity(), dropout()))
            sides = side_after(height, windows[: 2 * i]), side_after(width, windows[: 2 * i])
            mirrored.append(Stage(in_channels, out_channels, sides, kernels[i], strides[i], paddings[i], pools[i]))
            in_channels = out_channels
        self.stages = nn.Sequential(*stages)

        sizes = [math.prod((in_channels, side_after(height, windows), side_after(width, windows))), *widths]
        self.dense = nn.Sequential(*(DenseLayer(sizes[i], sizes[i + 1], False, blocks) for i in range(len(widths))))
        self.code = make_code(sizes[-1], code, task)
        self.decoder: ConvDecoder | None = None
        if task == RECONSTRUCT:
            self.decoder = ConvDecoder(mirrored, [*widths, *([] if code is None else [code])], blocks)
        else:
            self.output = nn.Linear(sizes[-1], num_outputs)

    @property
    def output_layers(self) -> list[nn.Module]:
        """The layer that gives the outputs."""
        return [self.output if self.decoder is None else self.decoder.output]

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Return outputs (N, num_outputs)."""
        h_NE = self.dense(self.stages(x_NCHW).flatten(1))
        if self.decoder is None:
            return self.output(h_NE)
        return self.decoder(h_NE if self.code is None else self.code(h_NE))


def _per_stage(name: str, values: list[int], stages: int) -> list[int]:
    if len(values) not in (1, stages):
        raise ConfigError(f"model.{name}: got {values}; give one entry or one for each of the {stages} stages")
    return values * stages if len(values) == 1 else values
