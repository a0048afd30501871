"""The largest difference of a file's answers from the run's, in a unit that has the same meaning for every run."""

import numpy as np
import pytest
import torch
from torch import nn

from dlexp.job.export import check
from dlexp.job.export.check import largest_difference
from tests import exported


def test_the_difference_is_absolute_up_to_one_and_relative_beyond():
    told = exported.about((2,), 3)
    layer = nn.Linear(2, 3)
    other = nn.Linear(2, 3)
    with torch.no_grad():
        for each, bias in ((layer, [0.5, 1000.0, 0.0]), (other, [0.75, 1001.0, 0.0])):
            each.weight.zero_()
            each.bias.copy_(torch.tensor(bias))
    inputs = exported.draw((2,), sum(check.BATCHES))
    model, theirs = exported.saved(layer, told), exported.saved(other, told)
    assert largest_difference(model, theirs, inputs) == pytest.approx(0.25)
    assert largest_difference(model, model, inputs) == 0
    with torch.no_grad():
        other.bias.fill_(torch.nan)
    assert largest_difference(model, theirs, inputs) == np.inf
