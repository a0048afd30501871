import torch
from torch import nn

from dlexp.model.nin import NiN


def test_small_form_by_hand(blocks):
    with torch.device("meta"):
        model = NiN(in_shape=(3, 32, 32), num_outputs=10, **blocks)
    convs = [m for m in model.modules() if isinstance(m, nn.Conv2d)]
    assert [(m.out_channels, m.kernel_size[0]) for m in convs] == [
        *[(192, 5), (160, 1), (96, 1)],
        *[(192, 5), (192, 1), (192, 1)],
        *[(192, 3), (192, 1), (10, 1)],
    ]
    assert model.blocks(torch.empty(2, 3, 32, 32, device="meta")).shape == (2, 192, 8, 8)


def test_no_dense_layer_and_one_map_per_class(blocks):
    with torch.device("meta"):
        model = NiN(in_shape=(3, 224, 224), num_outputs=7, **blocks)
    assert not any(isinstance(m, nn.Linear) for m in model.modules())
    assert model.class_maps.out_channels == 7
    assert model.blocks(torch.empty(2, 3, 224, 224, device="meta")).shape == (2, 1024, 6, 6)
