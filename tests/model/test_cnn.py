from typing import Any

import pytest
import torch

from dlexp.error import ConfigError
from dlexp.model.cnn import CNN


def test_parameter_count_by_hand(count, blocks):
    # 8x8 -> 4 -> 2 -> 1 pixels; a batch norm has a weight and a bias per channel.
    expected = 9 * 16 + 32 + 9 * 16 * 32 + 64 + 9 * 32 * 64 + 128 + 64 * 10 + 10
    assert count(CNN, in_shape=(1, 8, 8), num_outputs=10, **blocks) == expected


def test_every_list_reaches_its_layer(blocks):
    with torch.device("meta"):
        model = CNN(
            [4, 6], [5, 3], [2, 1], [2, 0], [1, 3], "average", [7], in_shape=(3, 32, 40), num_outputs=5, **blocks
        )
    convs = [m for m in model.modules() if isinstance(m, torch.nn.Conv2d)]
    assert [m.kernel_size[0] for m in convs] == [5, 3]
    assert [m.stride[0] for m in convs] == [2, 1]
    assert [m.padding[0] for m in convs] == [2, 0]
    assert [m.kernel_size for m in model.modules() if isinstance(m, torch.nn.AvgPool2d)] == [3]
    # 32x40 -> 16x20 -> 14x18 -> 4x6
    dense: Any = model.dense
    assert dense[0].linear.in_features == 6 * 4 * 6
    assert model(torch.empty(2, 3, 32, 40, device="meta")).shape == (2, 5)


def test_a_list_of_another_length_is_refused(blocks):
    with pytest.raises(ConfigError, match=r"model\.stride: got \[1, 2\]; .* 3 stages"):
        CNN(stride=[1, 2], in_shape=(1, 28, 28), num_outputs=10, **blocks)


def test_smallest_image_is_named_and_works(blocks):
    with torch.device("meta"):
        with pytest.raises(ConfigError, match="at least 8x8"):
            CNN(in_shape=(1, 7, 7), num_outputs=10, **blocks)
        model = CNN(in_shape=(1, 8, 8), num_outputs=10, **blocks)
        assert model(torch.empty(2, 1, 8, 8)).shape == (2, 10)
