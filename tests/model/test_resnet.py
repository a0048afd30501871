from functools import partial
from typing import Any

import pytest
import torch
from torch import nn

from dlexp.error import ConfigError
from dlexp.init import KaimingNormal, initialize
from dlexp.model.residual import PaddingShortcut, ResidualUnit
from dlexp.model.resnet import ResNet
from dlexp.norm import BatchNorm, NoNorm
from tests.present import present


def build(depth, blocks, **options) -> Any:
    return ResNet(depth, in_shape=(3, 16, 16), num_outputs=10, **{**blocks, **options})


def weighted(model):
    return sum(isinstance(m, nn.Conv2d | nn.Linear) for m in model.modules())


@pytest.mark.parametrize("depth", [8, 14, 20, 32, 44, 56, 110, 18, 34, 50, 101, 152])
def test_depth_counts_the_layers_with_weights(depth, blocks):
    with torch.device("meta"):
        model = build(depth, blocks, residual=False)
    assert weighted(model) == depth


def test_shortcuts_by_default_as_in_the_paper(blocks):
    with torch.device("meta"):
        cifar, imagenet = build(20, blocks), build(18, blocks)
    assert sum(isinstance(m, PaddingShortcut) for m in cifar.modules()) == 2
    assert weighted(imagenet) == 18 + 3  # projections do not count as layers
    assert not any(isinstance(m, PaddingShortcut) for m in imagenet.modules())


def test_padding_skips_pixels_and_appends_zero_channels():
    x = torch.randn(2, 3, 5, 5)
    y = PaddingShortcut(3, 7, 2)(x)
    assert torch.equal(y[:, :3], x[:, :, ::2, ::2])
    assert y.shape == (2, 7, 3, 3)
    assert not y[:, 3:].any()


@pytest.mark.parametrize("depth", [8, 18, 50])
@pytest.mark.parametrize("preactivation", [False, True])
@pytest.mark.parametrize("norm", [BatchNorm, NoNorm])
def test_units_start_as_the_identity(depth, preactivation, norm, blocks):
    model = build(depth, blocks, preactivation=preactivation, zero_init_last=True, norm=partial(norm))
    initialize(model, KaimingNormal(), torch.Generator().manual_seed(0))
    unit = model.stages[0][-1]
    assert isinstance(unit, ResidualUnit)
    x = torch.rand(2, 64 if depth == 18 else 256 if depth == 50 else 16, 4, 4)
    assert torch.equal(unit(x), x)
    model(torch.randn(2, 3, 16, 16)).square().sum().backward()
    last: Any = unit.convs[-1] if preactivation or norm is NoNorm else unit.norms[-1]
    assert present(last.weight.grad).abs().max() > 0


def test_without_the_switch_units_do_not_start_as_the_identity(blocks):
    model = build(8, blocks)
    initialize(model, KaimingNormal(), torch.Generator().manual_seed(0))
    x = torch.rand(2, 16, 4, 4)
    assert not torch.allclose(model.stages[0][0](x), x)


def test_preactivation_passes_the_sum_on_unchanged(blocks):
    unit = build(14, blocks, preactivation=True).stages[0][1].eval()
    x = torch.randn(2, 16, 4, 4)
    branch = x
    for norm, activation, conv in zip(unit.norms, unit.activations, unit.convs, strict=True):
        branch = conv(activation(norm(branch)))
    torch.testing.assert_close(unit(x), x + branch)


def test_a_plain_net_refuses_what_only_shortcuts_have(blocks):
    with pytest.raises(ConfigError, match=r"model\.shortcut: got padding; a plain net"):
        build(20, blocks, residual=False, shortcut="padding")
    with pytest.raises(ConfigError, match=r"model\.zero_init_last: got true; without shortcuts"):
        build(20, blocks, residual=False, zero_init_last=True)


def test_one_pixel_is_enough(blocks):
    with torch.device("meta"):
        for stem in ("small", "imagenet"):
            model = ResNet(18, stem, in_shape=(3, 1, 1), num_outputs=10, **blocks)
            assert model(torch.empty(2, 3, 1, 1)).shape == (2, 10)
