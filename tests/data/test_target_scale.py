import pytest
import torch

from dlexp.data.target_scale import TargetScale


def test_training_targets_get_mean_0_and_deviation_1_and_come_back():
    targets = 150 + 77 * torch.randn(50, generator=torch.Generator().manual_seed(0)).double()
    train = torch.arange(5, 40)
    unit = TargetScale.fit(targets, train)
    entered = unit.scale(targets[None, train])
    assert abs(float(entered.mean())) < 1e-6
    assert abs(float(entered.std(correction=0)) - 1) < 1e-9
    torch.testing.assert_close(unit.unscale(entered), targets[None, train])
    outputs = entered[..., None]
    torch.testing.assert_close(unit.unscale(outputs)[..., 0], targets[None, train])


def test_equal_targets_are_only_centred():
    unit = TargetScale.fit(torch.full((9,), 3.7), torch.arange(9))
    assert float(unit.std) == 1
    assert not unit.scale(torch.full((1, 9), 3.7)).any()


def test_each_trial_of_a_stack_has_its_own():
    targets = torch.arange(12.0)
    units = [TargetScale.fit(targets, torch.arange(6)), TargetScale.fit(targets, torch.arange(6, 12))]
    stack = TargetScale.stack(units)
    both = stack.scale(targets.expand(2, 12))
    for row, unit in enumerate(units):
        assert both[row].equal(unit.scale(targets[None])[0])
        assert stack.keep([row]).unscale(both[row : row + 1]).equal(unit.unscale(unit.scale(targets[None])))
    assert units[0].keep([0, 0]) is units[0]


@pytest.mark.parametrize(("base", "step"), [(1e9, 3), (0, 1e-13), (1e39, 1e38), (-1e300, 1e299)])
def test_targets_keep_their_digits(base, step):
    targets = base + step * torch.arange(50, dtype=torch.float64)
    unit = TargetScale.fit(targets, torch.arange(50))
    entered = unit.scale(targets[None])
    torch.testing.assert_close(entered[0], (torch.arange(50).double() - 24.5) / (2499 / 12) ** 0.5)
    assert float((unit.unscale(entered)[0] - targets).abs().max()) < 1e-12 * max(abs(base), 50 * step)
