import torch

from dlexp.schedule.one_cycle import OneCycle


def test_start_top_and_end_are_where_torch_has_them():
    schedule = OneCycle(pct_start=0.25, div_factor=20.0, final_div_factor=5.0, total_steps=100, steps_per_epoch=10)
    factor = schedule.factor(torch.tensor([0.0, 12.0, 24.0, 61.5, 99.0], dtype=torch.float64))
    middle = (0.05 + 1) / 2
    expected = torch.tensor([0.05, middle, 1.0, (1 + 0.01) / 2, 0.01], dtype=torch.float64)
    torch.testing.assert_close(factor, expected, rtol=1e-12, atol=0)
