"""One forward pass watched on the meta device: receptive field, stride and FLOPs by their formulas."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from dlexp.model.trace import Field, Trace

SIDE = 32


def watched(model: nn.Module, channels: int = 3) -> Trace:
    trace = Trace((SIDE, SIDE))
    trace.run(model.to("meta"), "", torch.empty(2, channels, SIDE, SIDE, device="meta"), Field())
    return trace


def last(model: nn.Module, channels: int = 3) -> Any:
    return watched(model, channels).calls[-1]


#           model, receptive field, stride: r' = r + (k - 1) d j, j' = j s
WINDOWS = {
    "one convolution": ([nn.Conv2d(3, 4, 3)], (3, 3), (1, 1)),
    "two": ([nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3)], (5, 5), (1, 1)),
    "a stride counts for what follows": ([nn.Conv2d(3, 4, 3, stride=2), nn.Conv2d(4, 4, 3)], (7, 7), (2, 2)),
    "dilation": ([nn.Conv2d(3, 4, 3, dilation=2)], (5, 5), (1, 1)),
    "pooling": ([nn.Conv2d(3, 4, 5), nn.MaxPool2d(2)], (6, 6), (2, 2)),
    "mean pooling": ([nn.AvgPool2d(3, 1)], (3, 3), (1, 1)),
    "rows and columns apart": ([nn.Conv2d(3, 4, (1, 7), stride=(1, 2))], (1, 7), (1, 2)),
    "elementwise and norms": ([nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()], (3, 3), (1, 1)),
    "a mean over the map sees all": ([nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1)], (SIDE, SIDE), (SIDE, SIDE)),
}


@pytest.mark.parametrize("name", WINDOWS)
def test_fields(name):
    layers, size, stride = WINDOWS[name]
    assert last(nn.Sequential(*layers)).field == Field(size, stride)


class Branches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.small, self.large = nn.Conv2d(3, 4, 1), nn.Conv2d(3, 4, 5, padding=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.small(x) + self.large(x)


def test_where_branches_meet_the_larger_counts():
    assert last(Branches()).field == Field((5, 5), (1, 1))


def test_a_transposed_convolution_s_field_is_unknown():
    assert last(nn.Sequential(nn.ConvTranspose2d(3, 4, 2))).field is None


def test_flops_are_two_for_each_product_of_the_module_itself():
    trace = watched(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 30 * 30, 10)))
    by_name = {call.name: call for call in trace.calls}
    assert by_name["0"].flops == 2 * 2 * (4 * 30 * 30) * (3 * 3 * 3)
    assert by_name["2"].flops == 2 * 2 * (4 * 30 * 30) * 10
    assert (by_name[""].flops, by_name[""].has_children, by_name["0"].has_children) == (0, True, False)
    assert by_name["0"].output_shape == (4, 30, 30)
    assert by_name["2"].field is None, "a vector has no map"


def test_a_window_over_one_pixel_is_noticed():
    net = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(3, 4, 3, padding=1))
    assert last(net).reads_single_pixel == 0, "the net's own"
    calls = {call.name: call for call in watched(net).calls}
    assert calls["1"].reads_single_pixel == 3
