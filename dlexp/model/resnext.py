"""ResNeXt: residual networks whose bottlenecks split, transform and merge.

Features: depth 50, 101, 152; cardinality (`groups`) and width of each group; ImageNet and small-image stem; units that
start as the identity. The split is one grouped convolution, the third of the paper's equivalent forms (figure 3c).
Defaults as in Xie et al. (2017): 32 groups of 4 channels, batch norm, relu, He initialisation, projection shortcuts.
Deviation: a dropout, if one is configured, stands before the linear layer.
"""

from typing import Literal

from dlexp.model.layer import Blocks, Factory
from dlexp.model.residual import ResidualNet, UnitStyle
from dlexp.model.resnet import UNITS
from dlexp.type import Count


class ResNeXt(ResidualNet):
    """Aggregated residual transformations: y = f(x + sum_i T_i(x)) over the groups i.

    Args:
        depth: Layers with weights.
        groups: Cardinality: number of parallel transformations.
        width_per_group: Channels of each transformation in the first stage; doubled from stage to stage.
        stem: First layers; auto takes small for images of 64 pixels or less, else imagenet.
        zero_init_last: Lets each unit start as the identity by a zero last norm weight (Goyal et al. 2017, sect. 5.1).

    References:
        Xie, Girshick, Dollar, Tu, He (2017), Aggregated Residual Transformations for Deep Neural Networks, CVPR.
    """

    def __init__(
        self,
        depth: Literal[50, 101, 152] = 50,
        groups: Count = 32,
        width_per_group: Count = 4,
        stem: Literal["auto", "imagenet", "small"] = "auto",
        zero_init_last: bool = False,
        *,
        in_shape: tuple[int, ...],
        num_outputs: int,
        activation: Factory,
        norm: Factory,
        dropout: Factory,
    ) -> None:
        style = UnitStyle(
            Blocks(norm, activation, dropout), is_bottleneck=True, groups=groups, width_per_group=width_per_group
        )
        super().__init__(
            UNITS[depth],
            (64, 128, 256, 512),
            style,
            stem,
            zero_init_last,
            "resnext",
            in_shape=in_shape,
            num_outputs=num_outputs,
        )
