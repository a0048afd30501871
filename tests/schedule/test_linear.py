import torch

from dlexp.schedule.linear import LinearDecay


def test_falls_by_equal_amounts_to_final():
    factor = LinearDecay(final=0.2, total_steps=4, steps_per_epoch=2).factor(torch.arange(6, dtype=torch.float64))
    expected = torch.tensor([1.0, 0.8, 0.6, 0.4, 0.2, 0.2], dtype=torch.float64)
    torch.testing.assert_close(factor, expected, rtol=1e-14, atol=0)
