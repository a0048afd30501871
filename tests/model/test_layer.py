from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from dlexp.activation import GELU, LeakyReLU, ReLU
from dlexp.dropout import NoDropout
from dlexp.error import ConfigError
from dlexp.model.layer import (
    Blocks,
    ConvBlock,
    PooledStage,
    choose_stem,
    image_shape,
    side_after,
    smallest_side,
)
from dlexp.norm import BatchNorm

WINDOW = st.integers(1, 5).flatmap(
    lambda kernel: st.tuples(st.just(kernel), st.integers(1, 3), st.integers(0, kernel // 2))
)


@given(st.lists(WINDOW, min_size=1, max_size=4))
def test_smallest_side_is_the_first_that_leaves_a_pixel(windows):
    def leaves_a_pixel(side):
        for kernel, stride, padding in windows:
            if side + 2 * padding < kernel:
                return False
            side = side_after(side, [(kernel, stride, padding)])
        return side >= 1

    smallest = smallest_side(windows)
    assert leaves_a_pixel(smallest)
    assert smallest == 1 or not leaves_a_pixel(smallest - 1)


@given(st.lists(WINDOW, max_size=3))
def test_side_after_is_what_convolutions_leave(windows):
    side = smallest_side(windows) + 7
    x = torch.empty(1, 1, side, side, device="meta")
    for kernel, stride, padding in windows:
        x = nn.Conv2d(1, 1, kernel, stride, padding, device="meta")(x)
    assert side_after(side, windows) == x.shape[2]


def test_image_shape_says_what_is_needed():
    with pytest.raises(ConfigError, match="cnn needs images; the data has vectors of 13 features"):
        image_shape((13,), "cnn")
    with pytest.raises(ConfigError, match="got images of 7x9 pixels; vgg needs at least 8x8"):
        image_shape((3, 7, 9), "vgg", 8)


@pytest.mark.parametrize(
    ("stem", "side", "form"), [("auto", 64, "small"), ("auto", 65, "imagenet"), ("small", 224, "small")]
)
def test_auto_is_small_up_to_64_pixels(stem, side, form):
    assert choose_stem(stem, side, side) == form


@pytest.mark.parametrize("activation", [ReLU, LeakyReLU, GELU])
@pytest.mark.parametrize("pool", [nn.MaxPool2d(2), nn.MaxPool2d(3, 2, 1), nn.AvgPool2d(2), nn.Identity()])
def test_a_pooled_stage_has_the_bits_of_its_layers_in_their_order(activation, pool):
    blocks = Blocks(partial(BatchNorm), partial(activation), partial(NoDropout))
    stage = PooledStage(ConvBlock(3, 8, 3, blocks=blocks), ConvBlock(8, 8, 3, blocks=blocks), pool)
    x = torch.randn(4, 3, 9, 9, generator=torch.Generator().manual_seed(0), requires_grad=True)
    passes = []
    for run in (stage, nn.Sequential(*stage)):
        outputs = run(x)
        passes.append([outputs, *torch.autograd.grad(outputs.square().sum(), [x, *stage.parameters()])])
    assert all(torch.equal(ours, plain) for ours, plain in zip(*passes, strict=True))


def test_whoever_watches_a_rectifier_finds_it_before_the_pooling():
    blocks = Blocks(partial(BatchNorm), partial(ReLU), partial(NoDropout))
    block, seen = ConvBlock(1, 2, 3, blocks=blocks), []
    stage = PooledStage(block, nn.MaxPool2d(2))
    stage(torch.zeros(2, 1, 8, 8))
    handle = block.activation.register_forward_hook(lambda module, given, output: seen.append(output.shape))
    stage(torch.zeros(2, 1, 8, 8))
    handle.remove()
    assert seen == [(2, 2, 8, 8)]
