"""Decoders of autoencoders: the encoder's layers in reverse, from the code back to the inputs.

Features: layer i of a decoder undoes layer i of the encoder, so that it has the same number in a deeper autoencoder and
weights can be taken over by name; dense layers by dense layers, a convolution by a transposed one of the same filter
and step, pooling by repeating each pixel. The last layer is linear, without norm or activation.
Shapes: N batch, C channels, H height, W width, D inputs, E units of the code.
"""

import math
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

from dlexp.error import ConfigError
from dlexp.model.layer import Blocks, DenseLayer, side_after
from dlexp.type import RECONSTRUCT

PREFIXES = ("code.", "decoder.")  # of the parameters that an autoencoder has and its encoder has not


def make_code(num_features: int, code: int | None, task: str) -> nn.Linear | None:
    """Return the layer of the code, linear; None where the encoder's last layer is the code, or no code is wanted.

    Args:
        num_features: Outputs of the encoder's last layer.
        code: Units of the code, or None.
        task: What the model is for.

    Raises:
        ConfigError: A code without an autoencoder.
    """
    if code is None:
        return None
    if task != RECONSTRUCT:
        raise ConfigError(f"model.code: got {code}; only task={RECONSTRUCT} has a code, leave it null")
    return nn.Linear(num_features, code)


class DenseDecoder(nn.Module):
    """Dense layers from the code to the inputs, the last of them linear.

    Args:
        sizes: D, then the units of each layer of the encoder, first to last, E at the end.
        shortcut: Whether hidden layers have linear shortcuts.
        blocks: Norm, activation and dropout of the hidden layers.
    """

    def __init__(self, sizes: list[int], shortcut: bool, blocks: Blocks) -> None:
        super().__init__()
        hidden = [DenseLayer(sizes[i + 1], sizes[i], shortcut, blocks) for i in range(1, len(sizes) - 1)]
        self.dense = nn.ModuleList([nn.Linear(sizes[1], sizes[0]), *hidden])

    @property
    def output(self) -> nn.Module:
        """The layer that gives the reconstruction."""
        return self.dense[0]

    def forward(self, code_NE: Tensor) -> Tensor:
        """Return reconstructions (N, D)."""
        for layer in reversed(self.dense):
            code_NE = layer(code_NE)
        return code_NE


@dataclass(frozen=True)
class Stage:
    """A stage of a convolutional encoder, in pixels.

    Attributes:
        in_channels: Channels of its input.
        out_channels: Filters.
        sides: Height and width of its input.
        kernel_size: Side of the square filters.
        stride: Their step.
        padding: Zeros on each side.
        pool: Side and step of the pooling window.
    """

    in_channels: int
    out_channels: int
    sides: tuple[int, int]
    kernel_size: int
    stride: int
    padding: int
    pool: int

    @property
    def before_pool(self) -> tuple[int, int]:
        """Height and width of the map that is pooled."""
        height, width = (side_after(side, [(self.kernel_size, self.stride, self.padding)]) for side in self.sides)
        return height, width

    @property
    def after_pool(self) -> tuple[int, int]:
        """Height and width of the output."""
        height, width = (side // self.pool for side in self.before_pool)
        return height, width


class MirroredStage(nn.Module):
    """Undoes a stage: each pixel repeated over its pooling window, transposed convolution, norm, activation, dropout.

    What the stage cut off at the right and lower border, because a window or a step did not fit, begins as zeros.

    Args:
        stage: Of the encoder.
        blocks: Norm, activation and dropout; None for the last stage, which gives the reconstruction.

    References:
        Zeiler, Krishnan, Taylor, Fergus (2010), Deconvolutional Networks, CVPR.
        Odena, Dumoulin, Olah (2016), Deconvolution and Checkerboard Artifacts, Distill (repeat, then filter).
    """

    def __init__(self, stage: Stage, blocks: Blocks | None) -> None:
        super().__init__()
        kernel_size, stride, padding = stage.kernel_size, stage.stride, stage.padding
        rest = [(side + 2 * padding - kernel_size) % stride for side in stage.sides]
        self.pool = stage.pool
        self.cut = [side % stage.pool for side in stage.before_pool]
        bias = blocks is None or blocks.needs_bias
        channels = stage.out_channels, stage.in_channels
        self.conv = nn.ConvTranspose2d(*channels, kernel_size, stride, padding, (rest[0], rest[1]), bias=bias)
        after = [] if blocks is None else [blocks.norm, blocks.activation]
        self.after = nn.Sequential(*(make(num_features=stage.in_channels) for make in after))
        self.dropout = nn.Identity() if blocks is None else blocks.dropout()

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Return maps of the size and the channels that the stage took."""
        if self.pool > 1:
            x_NCHW = F.interpolate(x_NCHW, scale_factor=float(self.pool))
        if any(self.cut):
            x_NCHW = F.pad(x_NCHW, [0, self.cut[1], 0, self.cut[0]])
        return self.dropout(self.after(self.conv(x_NCHW)))


class ConvDecoder(nn.Module):
    """Dense layers from the code to the last map, then the stages in reverse.

    Args:
        stages: Of the encoder, first to last.
        widths: Units of the dense layers behind its last map, E at the end where there is any.
        blocks: Norm, activation and dropout.
    """

    def __init__(self, stages: list[Stage], widths: list[int], blocks: Blocks) -> None:
        super().__init__()
        self.map = (stages[-1].out_channels, *stages[-1].after_pool)
        sizes = [math.prod(self.map), *widths]
        dense = (DenseLayer(sizes[i + 1], sizes[i], False, blocks) for i in range(len(widths)))
        self.dense = nn.ModuleList(dense)
        self.stages = nn.ModuleList(MirroredStage(stage, blocks if i else None) for i, stage in enumerate(stages))

    @property
    def output(self) -> nn.Module:
        """The layer that gives the reconstruction."""
        return self.stages[0].get_submodule("conv")

    def forward(self, code_NE: Tensor) -> Tensor:
        """Return reconstructions (N, D), channel by channel and row by row."""
        for layer in reversed(self.dense):
            code_NE = layer(code_NE)
        x_NCHW = code_NE.unflatten(1, self.map)
        for stage in reversed(self.stages):
            x_NCHW = stage(x_NCHW)
        return x_NCHW.flatten(1)
