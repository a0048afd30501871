"""Residual units: F(x) + s(x) written out by hand, shortcuts, the identity at the start, parameter counts of papers."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlexp.build.node import factory
from dlexp.config.catalog import read_option
from dlexp.model.layer import Blocks
from dlexp.model.residual import PaddingShortcut, ResidualNet, ResidualUnit, UnitStyle


def blocks() -> Blocks:
    chosen = {"norm": "batch", "activation": "relu", "dropout": "none"}
    return Blocks(**{group: factory(read_option(group, option)) for group, option in chosen.items()})


def images(channels: int, side: int = 8) -> Tensor:
    return torch.randn(2, channels, side, side, generator=torch.Generator().manual_seed(0))


def normalised(unit: ResidualUnit, place: int, x: Tensor) -> Tensor:
    conv = unit.convs[place]
    assert isinstance(conv, nn.Conv2d)
    y = F.conv2d(x, conv.weight, conv.bias, conv.stride, conv.padding)
    return F.batch_norm(y, None, None, training=True)


def test_a_basic_unit_is_f_of_x_plus_x_then_the_activation():
    unit = ResidualUnit(4, 4, 1, UnitStyle(blocks()))
    x = images(4)
    inner = F.relu(normalised(unit, 0, x))
    torch.testing.assert_close(unit(x), F.relu(normalised(unit, 1, inner) + x))


def test_without_residual_there_is_no_shortcut():
    unit = ResidualUnit(4, 4, 1, UnitStyle(blocks(), is_residual=False))
    x = images(4)
    torch.testing.assert_close(unit(x), F.relu(normalised(unit, 1, F.relu(normalised(unit, 0, x)))))


def test_pre_activation_adds_x_itself_and_ends_without_one():
    unit = ResidualUnit(4, 4, 1, UnitStyle(blocks(), has_preactivation=True))
    x = images(4)
    y = x
    for conv in unit.convs:
        assert isinstance(conv, nn.Conv2d)
        y = F.conv2d(F.relu(F.batch_norm(y, None, None, training=True)), conv.weight, conv.bias, 1, 1)
    torch.testing.assert_close(unit(x), y + x)


@pytest.mark.parametrize("is_bottleneck", [False, True])
@pytest.mark.parametrize("shortcut", ["projection", "padding"])
def test_shapes_where_a_stage_begins(is_bottleneck, shortcut):
    style = UnitStyle(blocks(), is_bottleneck=is_bottleneck, shortcut=shortcut)
    unit = ResidualUnit(4, 8, 2, style)
    assert unit(images(4)).shape == (2, 32 if is_bottleneck else 8, 4, 4)


def test_a_padding_shortcut_skips_pixels_and_appends_zeros():
    x = images(2, 4)
    y = PaddingShortcut(2, 5, 2)(x)
    assert torch.equal(y[:, :2], x[:, :, ::2, ::2])
    assert y[:, 2:].abs().sum() == 0
    assert y.shape == (2, 5, 2, 2)
    assert list(PaddingShortcut(2, 5, 2).parameters()) == []


@pytest.mark.parametrize("has_preactivation", [False, True])
@pytest.mark.parametrize("is_bottleneck", [False, True])
def test_a_unit_may_start_as_the_identity(is_bottleneck, has_preactivation):
    style = UnitStyle(blocks(), is_bottleneck=is_bottleneck, has_preactivation=has_preactivation)
    unit = ResidualUnit(4 * style.expansion, 4, 1, style)
    unit.start_as_identity()
    x = images(4 * style.expansion)
    torch.testing.assert_close(unit(x), x if has_preactivation else F.relu(x))


@pytest.mark.parametrize(
    ("units", "is_bottleneck", "expected"),
    # He et al. (2016), table 1; the counts are those of torchvision's documentation
    [([2, 2, 2, 2], False, 11_689_512), ([3, 4, 6, 3], False, 21_797_672), ([3, 4, 6, 3], True, 25_557_032)],
    ids=["resnet18", "resnet34", "resnet50"],
)
def test_parameters_of_the_published_nets(units, is_bottleneck, expected):
    with torch.device("meta"):
        build = partial(ResidualNet, units, [64, 128, 256, 512], UnitStyle(blocks(), is_bottleneck=is_bottleneck))
        net = build("imagenet", False, "resnet", in_shape=(3, 224, 224), num_outputs=1000)
    assert sum(p.numel() for p in net.parameters()) == expected


def test_groups_share_the_weights_of_a_bottleneck():
    style = UnitStyle(blocks(), is_bottleneck=True, groups=32, width_per_group=4)
    middle = ResidualUnit(256, 64, 1, style).convs[1]
    assert isinstance(middle, nn.Conv2d)
    # Xie et al. (2017), figure 1: 32 paths of width 4
    assert (middle.groups, middle.in_channels, tuple(middle.weight.shape)) == (32, 128, (128, 4, 3, 3))
