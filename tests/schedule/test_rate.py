"""The rates of an epoch: lr times the schedule's factor, times the scale that the metric gave, 0 for idle rows."""

import torch

from dlexp.schedule.linear import LinearDecay
from dlexp.schedule.rate import learning_rates

SCHEDULE = LinearDecay(total_steps=10, steps_per_epoch=5)


def test_rates_of_an_epoch():
    steps = torch.arange(5, 10, dtype=torch.float64)
    factor = torch.as_tensor(SCHEDULE.factor(steps))
    two = torch.tensor([[0.1], [0.2]], dtype=torch.float64)
    assert torch.equal(learning_rates(SCHEDULE, two, None, 5, 5, set()), factor[:, None] * two.T)
    scale = torch.tensor([1.0, 0.5], dtype=torch.float64)
    assert torch.equal(learning_rates(SCHEDULE, two, scale, 5, 5, set()), factor[:, None] * scale * two.T)
    assert torch.equal(learning_rates(SCHEDULE, 0.5, None, 5, 5, set()), factor[:, None] * 0.5)


def test_rows_of_trials_that_are_over_stand_still():
    two = torch.tensor([[0.1], [0.2]], dtype=torch.float64)
    rates = learning_rates(SCHEDULE, two, None, 0, 5, {1})
    assert rates[:, 1].tolist() == [0.0] * 5
    assert (rates[:, 0] > 0).all()
