from typing import Any

import torch

from dlexp.schedule.step import StepDecay

STEPS = torch.arange(40, dtype=torch.float64)


def test_drops_at_every_step_size_epochs():
    factor = StepDecay(2.0, gamma=0.1, total_steps=40, steps_per_epoch=4).factor(STEPS)
    expected = torch.tensor([0.1 ** (s // 8) for s in range(40)], dtype=torch.float64)
    torch.testing.assert_close(factor, expected, rtol=1e-14, atol=0)


def test_milestones_are_epochs_from_the_start_of_training_warm_up_included():
    schedule = StepDecay(milestones=[3.0, 7.5], gamma=0.5, warmup=1.0, total_steps=40, steps_per_epoch=4)
    factor = schedule.factor(STEPS)
    torch.testing.assert_close(factor[:4], torch.tensor([0.25, 0.5, 0.75, 1.0], dtype=torch.float64))
    assert factor[4:].tolist() == [1.0] * 8 + [0.5] * 18 + [0.25] * 10


def test_milestones_serve_trials_of_different_gamma():
    gamma: Any = torch.tensor([[0.1], [0.5]], dtype=torch.float64)
    factor = StepDecay(milestones=[5.0], gamma=gamma, total_steps=40, steps_per_epoch=4).factor(STEPS)
    torch.testing.assert_close(factor[:, 19:21], torch.tensor([[1, 0.1], [1, 0.5]], dtype=torch.float64))


def test_milestones_of_each_trial_are_those_it_has_alone():
    marks: Any = [torch.tensor(column, dtype=torch.float64) for column in ([[3.0], [1.0]], [[7.5], [2.0]])]
    together = StepDecay(milestones=marks, total_steps=40, steps_per_epoch=4).factor(STEPS)
    for row, milestones in enumerate(([3.0, 7.5], [1.0, 2.0])):
        alone = StepDecay(milestones=milestones, total_steps=40, steps_per_epoch=4).factor(STEPS)
        assert torch.equal(together[row], alone)
