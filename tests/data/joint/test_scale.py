"""Values in deviations of the training examples that have them, classes as they are."""

import math

import torch

from dlexp.data.joint.head import Head
from dlexp.data.joint.scale import JointScale
from dlexp.data.target_scale import TargetScale

HEADS = [Head("kind", "multiclass", ["a", "b", "c"]), Head("size", "regression", has_gaps=True)]
TARGETS = torch.tensor([[0.0, 10.0], [1.0, math.nan], [2.0, 30.0], [1.0, 1000.0]]).double()
UNIT = JointScale.fit(TARGETS, torch.arange(3), HEADS)


def test_the_unit_is_that_of_the_target_alone():
    alone = TargetScale.fit(torch.tensor([10.0, 30.0]).double(), torch.arange(2))
    assert (UNIT.mean.tolist(), UNIT.std.tolist()) == ([[0.0, alone.mean.item()]], [[1.0, alone.std.item()]])


def test_targets_and_outputs_go_there_and_back():
    scaled = UNIT.scale(TARGETS[None])
    assert scaled[0, :, 0].tolist() == [0.0, 1.0, 2.0, 1.0]
    assert (scaled[0, 0, 1].item(), scaled[0, 2, 1].item()) == (-1.0, 1.0)
    outputs = torch.randn(1, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    whole = UNIT.unscale(outputs)
    assert torch.equal(whole[..., :3], outputs[..., :3])
    torch.testing.assert_close(whole[..., 3], outputs[..., 3] * 10 + 20)


def test_each_trial_has_its_unit_and_plain_data_give_it_back():
    other = JointScale.fit(TARGETS, torch.tensor([0, 3]), HEADS)
    stacked = JointScale.stack([UNIT, other])
    assert torch.equal(stacked.keep([1]).mean, other.mean)
    assert JointScale.of_state(UNIT.state).state == UNIT.state
