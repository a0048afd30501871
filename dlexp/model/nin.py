"""Network in network.

Features: three (small images) or four (ImageNet) mlpconv blocks, each a convolution followed by two 1x1 convolutions,
a small perceptron slid over the map; overlapping pooling and dropout between blocks; the last block has one map per
class and global averaging makes logits of them, with no dense layer.
Defaults as in Lin et al. (2014): no norm, relu, dropout after all but the last block. The paper sets "proper
initializations" by hand without naming them; He initialisation stands in.
Deviations: the class maps carry neither norm nor activation, so that logits may be negative; pooling keeps an odd last
row and column. Widths are those of the authors' Caffe definitions for CIFAR-10 and ImageNet.
Shapes: N batch, C channels, H height, W width.
"""

from typing import Literal

from torch import Tensor, nn

from dlexp.model.layer import Blocks, ConvBlock, Factory, GlobalAveragePool, choose_stem, image_shape, smallest_side

# Of each block: kernel, stride, padding; channels of its three convolutions, the last block's third being the classes.
SMALL = (((5, 1, 2), (192, 160, 96)), ((5, 1, 2), (192, 192, 192)), ((3, 1, 1), (192, 192)))
IMAGENET = (
    ((11, 4, 0), (96, 96, 96)),
    ((5, 1, 2), (256, 256, 256)),
    ((3, 1, 1), (384, 384, 384)),
    ((3, 1, 1), (1024, 1024)),
)


class NiN(nn.Module):
    """Network in network: blocks of a convolution and two 1x1 convolutions, then global average pooling.

    Args:
        stem: imagenet has four blocks, the first with 11x11 filters of stride 4; small has three with 5x5, 5x5 and 3x3;
            auto takes small for images of 64 pixels or less.

    References:
        Lin, Chen, Yan (2014), Network In Network, ICLR.
    """

    def __init__(
        self,
        stem: Literal["auto", "imagenet", "small"] = "auto",
        *,
        in_shape: tuple[int, ...],
        num_outputs: int,
        activation: Factory,
        norm: Factory,
        dropout: Factory,
    ) -> None:
        super().__init__()
        in_channels, height, width = image_shape(in_shape, "nin")
        is_small = choose_stem(stem, height, width) == "small"
        sizes = SMALL if is_small else IMAGENET
        # A 3x3 window of stride 2 in ceil mode leaves floor(in / 2) pixels, as a 2x2 window would.
        windows = [window for conv, _ in sizes for window in (conv, (2, 2, 0))][:-1]
        image_shape(in_shape, "nin", smallest_side(windows))
        blocks = Blocks(norm, activation, dropout)
        layers: list[nn.Module] = []
        for i, ((kernel_size, stride, padding), channels) in enumerate(sizes):
            for j, out_channels in enumerate(channels):
                shape = (kernel_size, stride, padding) if j == 0 else (1, 1, 0)
                layers.append(ConvBlock(in_channels, out_channels, *shape, blocks=blocks))
                in_channels = out_channels
            if i + 1 < len(sizes):
                # The small net averages in its second pooling, as the authors' definition for CIFAR-10.
                pool = nn.AvgPool2d if is_small and i == 1 else nn.MaxPool2d
                layers += [pool(3, 2, ceil_mode=True), dropout()]
        self.blocks = nn.Sequential(*layers)
        self.class_maps = nn.Conv2d(in_channels, num_outputs, 1)
        self.pool = GlobalAveragePool()

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Return logits (N, num_outputs)."""
        return self.pool(self.class_maps(self.blocks(x_NCHW)))
