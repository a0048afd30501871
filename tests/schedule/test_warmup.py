import torch

from dlexp.schedule.warmup import ramp


def test_length_is_rounded_to_whole_steps_and_elapsed_counts_from_its_end():
    rise, elapsed, length = ramp(torch.arange(6, dtype=torch.float64), 0.33, 10)
    assert length.item() == 3
    torch.testing.assert_close(rise, torch.tensor([1 / 3, 2 / 3, 1, 1, 1, 1], dtype=torch.float64))
    assert elapsed.tolist() == [0, 0, 0, 0, 1, 2]


def test_trials_may_warm_up_for_different_times():
    rise, elapsed, _ = ramp(torch.arange(3, dtype=torch.float64), torch.tensor([[0.0], [2.0]]), 1)
    assert rise.tolist() == [[1, 1, 1], [0.5, 1, 1]]
    assert elapsed.tolist() == [[0, 1, 2], [0, 0, 0]]
