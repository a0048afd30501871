import torch

from dlexp.schedule.cosine import CosineDecay


def test_begins_at_one_passes_the_middle_half_way_and_ends_at_final():
    schedule = CosineDecay(final=0.2, total_steps=100, steps_per_epoch=10)
    factor = schedule.factor(torch.tensor([0.0, 50.0, 100.0, 150.0], dtype=torch.float64))
    torch.testing.assert_close(factor, torch.tensor([1.0, 0.6, 0.2, 0.2], dtype=torch.float64), rtol=1e-14, atol=0)
