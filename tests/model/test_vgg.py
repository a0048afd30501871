import pytest
import torch
from torch import nn

from dlexp.error import ConfigError
from dlexp.model.vgg import VGG


@pytest.mark.parametrize("depth", [11, 13, 16, 19])
def test_depth_counts_the_layers_with_weights(depth, blocks):
    with torch.device("meta"):
        model = VGG(depth, in_shape=(3, 224, 224), num_outputs=10, **blocks)
    assert sum(isinstance(m, nn.Conv2d | nn.Linear) for m in model.modules()) == depth


@pytest.mark.parametrize("side", [1, 8, 28, 32, 48, 64])
def test_small_form_pools_no_image_to_nothing(side, blocks):
    with torch.device("meta"):
        model = VGG(11, in_shape=(1, side, side), num_outputs=10, **blocks)
        assert model.stages(torch.empty(2, 1, side, side)).shape[2] >= 1
        assert model(torch.empty(2, 1, side, side)).shape == (2, 10)


def test_large_form_needs_32_pixels(blocks):
    with torch.device("meta"):
        with pytest.raises(ConfigError, match="at least 32x32"):
            VGG(11, "imagenet", in_shape=(3, 31, 31), num_outputs=10, **blocks)
        model = VGG(11, "imagenet", in_shape=(3, 32, 32), num_outputs=10, **blocks)
        assert model(torch.empty(2, 3, 32, 32)).shape == (2, 10)
