"""VGG networks.

Features: depth 11, 13, 16, 19 (columns A, B, D, E of the paper), with any norm or none; for large images the paper's
head of two dense layers of 4096 units; for small images (28 to 64 pixels) a head without hidden layers.
Defaults as in Simonyan and Zisserman (2015): relu, dropout in the head.
Deviations: batch norm by default (norm=none is the paper's), since without it few pictures teach the net hardly
anything; the maps before the large head are averaged to 7x7 pixels, which changes nothing at 224 pixels and admits
other sizes; in the small form the pooling keeps an odd last row and column, so that no size is pooled to nothing, and
global averaging and one linear layer stand in for the head. Convolutions keep their bias under a norm, as in
torchvision.
"""

from typing import Literal

from torch import Tensor, nn

from dlexp.model.layer import Blocks, ConvBlock, Factory, GlobalAveragePool, PooledStage, choose_stem, image_shape

CONVS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
CHANNELS = (64, 128, 256, 512, 512)
HEAD_SIDE = 7


class VGG(nn.Module):
    """VGG network: stages of 3x3 convolutions, each halved by max pooling.

    Args:
        depth: Layers with weights.
        stem: imagenet has the head of 4096-unit layers, small a linear one; auto takes small for images of 64 pixels
            or less.

    References:
        Simonyan, Zisserman (2015), Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR, table 1.
    """

    def __init__(
        self,
        depth: Literal[11, 13, 16, 19] = 16,
        stem: Literal["auto", "imagenet", "small"] = "auto",
        *,
        in_shape: tuple[int, ...],
        num_outputs: int,
        activation: Factory,
        norm: Factory,
        dropout: Factory,
    ) -> None:
        super().__init__()
        in_channels, height, width = image_shape(in_shape, "vgg")
        is_small = choose_stem(stem, height, width) == "small"
        if not is_small:
            image_shape(in_shape, "vgg", smallest=2 ** len(CHANNELS))
        blocks = Blocks(norm, activation, dropout)
        stages = []
        for count, channels in zip(CONVS[depth], CHANNELS, strict=True):
            stage: list[nn.Module] = []
            for _ in range(count):
                stage.append(ConvBlock(in_channels, channels, 3, blocks=blocks, bias=True))
                in_channels = channels
            stages.append(PooledStage(*stage, nn.MaxPool2d(2, ceil_mode=is_small)))
        self.stages = nn.Sequential(*stages)
        if is_small:
            self.pool: nn.Module = GlobalAveragePool()
            self.head = nn.Sequential(dropout(), nn.Linear(in_channels, num_outputs))
            return
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(HEAD_SIDE), nn.Flatten())
        self.head = nn.Sequential(
            nn.Linear(in_channels * HEAD_SIDE**2, 4096),
            activation(num_features=4096),
            dropout(),
            nn.Linear(4096, 4096),
            activation(num_features=4096),
            dropout(),
            nn.Linear(4096, num_outputs),
        )

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Return logits (N, num_outputs)."""
        return self.head(self.pool(self.stages(x_NCHW)))
