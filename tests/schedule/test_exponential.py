import torch

from dlexp.schedule.exponential import ExponentialDecay


def test_multiplies_by_gamma_each_epoch_after_the_warm_up():
    schedule = ExponentialDecay(gamma=0.5, warmup=2.0, total_steps=50, steps_per_epoch=10)
    factor = schedule.factor(torch.tensor([19.0, 20.0, 30.0, 40.0], dtype=torch.float64))
    torch.testing.assert_close(factor, torch.tensor([1.0, 1.0, 0.5, 0.25], dtype=torch.float64), rtol=1e-14, atol=0)
