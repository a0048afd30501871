import torch

from dlexp.schedule.constant import Constant


def test_is_one_at_every_step():
    assert Constant(total_steps=5, steps_per_epoch=1).factor(torch.arange(5.0).double()).tolist() == [1.0] * 5
