from typing import Any

import torch

from dlexp.model.resnext import ResNeXt


def test_groups_equal_the_sum_of_parallel_transformations(blocks):
    """Figure 3 of the paper: a grouped bottleneck is the sum of its paths, each 1x1, 3x3, 1x1."""
    model: Any = ResNeXt(50, 4, 8, in_shape=(3, 16, 16), num_outputs=10, **blocks).eval()
    unit = model.stages[0][1]
    x = torch.rand(1, 256, 4, 4)
    first, middle, last = unit.convs
    total = torch.zeros_like(x)
    for path in range(4):
        rows = slice(8 * path, 8 * path + 8)
        hidden = unit.norms[0](torch.conv2d(x, first.weight)).relu()[:, rows]
        padded = torch.zeros(1, 32, 4, 4)
        padded[:, rows] = torch.conv2d(hidden, middle.weight[rows], padding=1)
        hidden = unit.norms[1](padded).relu()[:, rows]
        total += torch.conv2d(hidden, last.weight[:, rows])
    torch.testing.assert_close(unit(x), (x + unit.norms[2](total)).relu(), rtol=1e-4, atol=1e-5)


def test_width_doubles_from_stage_to_stage(blocks):
    with torch.device("meta"):
        model: Any = ResNeXt(50, 32, 4, in_shape=(3, 224, 224), num_outputs=10, **blocks)
    assert [stage[0].convs[1].out_channels for stage in model.stages] == [128, 256, 512, 1024]
    assert all(stage[0].convs[1].groups == 32 for stage in model.stages)
