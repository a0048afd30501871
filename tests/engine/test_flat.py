"""The layout of all parameters in one row."""

from typing import Any

import torch
from torch import nn

from dlexp.engine.flat import ALIGNMENT, Flat, matrix_names


def make(channels_last: bool = False, num_trials: int = 3) -> tuple[Any, Flat]:
    model = nn.Sequential(nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5), nn.Flatten(), nn.Linear(20, 7))
    flat = Flat(model, num_trials, dtype=torch.float32, device=torch.device("cpu"), channels_last=channels_last)
    return model, flat


def test_views_have_the_shapes_of_the_parameters_and_share_the_row():
    model, flat = make()
    for (name, parameter), view in zip(model.named_parameters(), flat.views, strict=True):
        assert view.shape == (3, *parameter.shape), name
    flat.views[0][1].fill_(2.0)
    assert float(flat.tensor[1].sum()) == 2.0 * model[0].weight.numel()
    assert float(flat.tensor[0].abs().sum()) == 0.0


def test_every_parameter_begins_at_an_aligned_offset_and_none_overlap():
    _, flat = make()
    assert all(offset % ALIGNMENT == 0 for offset in flat.offsets)
    for number, view in enumerate(flat.views):
        view.fill_(number + 1)
    counts = [int((flat.tensor[0] == number + 1).sum()) for number in range(len(flat.views))]
    assert counts == [shape.numel() for shape in flat.shapes]


def test_channels_last_weights_are_stored_with_channels_innermost():
    model, flat = make(channels_last=True)
    weight = flat.views[0][0]
    assert weight.is_contiguous(memory_format=torch.channels_last)
    weight.copy_(model[0].weight)
    assert torch.equal(weight, model[0].weight)


def test_mask_marks_exactly_the_chosen_parameters():
    model, flat = make()
    mask = flat.mask(matrix_names(model))
    expected = model[0].weight.numel() + model[3].weight.numel()
    assert int(mask.sum()) == expected
    assert matrix_names(model) == ["0.weight", "3.weight"]


def test_frozen_parameters_are_left_out():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[0].requires_grad_(False)
    flat = Flat(model, 1, dtype=torch.float32, device=torch.device("cpu"), channels_last=False)
    assert flat.names == ["1.weight", "1.bias"]
