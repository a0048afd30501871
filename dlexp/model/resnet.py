"""Residual networks.

Features: basic units (depth 18, 34) and bottlenecks (50, 101, 152) in four stages of 64 to 512 channels; the CIFAR
form of depth 6n + 2 (8, 14, 20, 32, 44, 56, 110) in three stages of 16, 32 and 64 channels; pre-activation units;
padding or projection shortcuts; the plain net of equal depth (`residual: false`); units that start as the identity; an
ImageNet stem (7x7 of stride 2 and pooling) and a small-image stem (3x3) for either form.
Defaults as in He et al. (2016): batch norm, relu, He initialisation (section 3.4), projection shortcuts for the
ImageNet form (option B) and padding for the CIFAR form (section 4.2), no dropout.
Deviations: a bottleneck has its stride in the 3x3 convolution, as torchvision, instead of the first 1x1; a dropout, if
one is configured, stands before the linear layer.
"""

from typing import Literal

from dlexp.error import ConfigError
from dlexp.model.layer import Blocks, Factory
from dlexp.model.residual import ResidualNet, UnitStyle

UNITS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


class ResNet(ResidualNet):
    """Residual network: y = f(F(x) + x).

    Args:
        depth: Layers with weights; 18, 34, 50, 101, 152 are the ImageNet form, 8 to 110 of depth 6n + 2 the CIFAR form.
        stem: First layers; auto takes small for images of 64 pixels or less, else imagenet.
        shortcut: Where the shape changes: a 1x1 convolution, or zeros for the new channels; auto takes padding for the
            CIFAR form, else projection.
        preactivation: Norm and activation before each convolution instead of after it (He et al. 2016, Identity
            Mappings in Deep Residual Networks).
        residual: False gives the plain net of equal depth, without shortcuts.
        zero_init_last: Lets each unit start as the identity by a zero last norm weight (Goyal et al. 2017, sect. 5.1).

    References:
        He, Zhang, Ren, Sun (2016), Deep Residual Learning for Image Recognition, CVPR.
    """

    def __init__(
        self,
        depth: Literal[8, 14, 18, 20, 32, 34, 44, 50, 56, 101, 110, 152] = 18,
        stem: Literal["auto", "imagenet", "small"] = "auto",
        shortcut: Literal["auto", "projection", "padding"] = "auto",
        preactivation: bool = False,
        residual: bool = True,
        zero_init_last: bool = False,
        *,
        in_shape: tuple[int, ...],
        num_outputs: int,
        activation: Factory,
        norm: Factory,
        dropout: Factory,
    ) -> None:
        if not residual and shortcut != "auto":
            raise ConfigError(f"model.shortcut: got {shortcut}; a plain net (model.residual=false) has no shortcuts")
        if not residual and zero_init_last:
            raise ConfigError("model.zero_init_last: got true; without shortcuts (model.residual=false) nothing passes")
        is_cifar = depth not in UNITS
        if shortcut == "auto":
            shortcut = "padding" if is_cifar else "projection"
        style = UnitStyle(
            Blocks(norm, activation, dropout),
            is_bottleneck=depth in (50, 101, 152),
            has_preactivation=preactivation,
            is_residual=residual,
            shortcut=shortcut,
        )
        units = 3 * ((depth - 2) // 6,) if is_cifar else UNITS[depth]
        channels = (16, 32, 64) if is_cifar else (64, 128, 256, 512)
        super().__init__(
            units,
            channels,
            style,
            stem,
            zero_init_last,
            "resnet",
            in_shape=in_shape,
            num_outputs=num_outputs,
        )
