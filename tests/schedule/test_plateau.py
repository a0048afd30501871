import random

import pytest
import torch

from dlexp.schedule.plateau import Plateau

PROGRAM = {"total_steps": 100, "steps_per_epoch": 10}


def _scales(schedule, values):
    state, scales = schedule.start(1, "cpu"), []
    for value in values:
        schedule.observe(state, torch.tensor([value], dtype=torch.float64))
        scales.append(state["scale"].item())
    return scales


def test_drops_once_more_than_patience_epochs_are_no_better():
    schedule = Plateau(gamma=0.5, patience=2, threshold=0.0, **PROGRAM)
    assert _scales(schedule, [1.0, 0.5, 0.5, 0.6, 0.7, 0.7, 0.4]) == [1, 1, 1, 1, 0.5, 0.5, 0.5]


def test_stops_at_the_smallest_scale_and_counts_nan_as_no_better():
    schedule = Plateau(gamma=0.1, patience=0, min_scale=0.05, **PROGRAM)
    assert _scales(schedule, [1.0, float("nan"), float("nan"), float("nan")]) == pytest.approx([1, 0.1, 0.05, 0.05])


def test_threshold_also_works_for_negative_values():
    schedule = Plateau(gamma=0.5, patience=0, threshold=0.1, **PROGRAM)
    assert _scales(schedule, [-1.0, -1.05, -1.2]) == [1, 0.5, 0.5]


@pytest.mark.parametrize(("patience", "cooldown"), [(0, 0), (1, 0), (2, 3), (3, 1)])
def test_equals_torch_on_random_values(patience, cooldown):
    draws = random.Random(patience * 10 + cooldown)
    values = [draws.random() + 1 / (k + 1) for k in range(60)]
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    reference = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.7, patience=patience, threshold=0.01, cooldown=cooldown, min_lr=1e-3, eps=0.0
    )
    expected = []
    for value in values:
        reference.step(value)
        expected.append(optimizer.param_groups[0]["lr"])
    schedule = Plateau(gamma=0.7, patience=patience, threshold=0.01, cooldown=cooldown, min_scale=1e-3, **PROGRAM)
    assert _scales(schedule, values) == pytest.approx(expected, rel=1e-12)
    assert expected[-1] < 1


def test_trials_do_not_touch_each_other():
    generator = torch.Generator().manual_seed(0)
    values_ET = torch.rand(30, 7, generator=generator, dtype=torch.float64)
    values_ET[5, 3] = float("nan")
    settings = {
        "gamma": torch.rand(7, 1, generator=generator, dtype=torch.float64),
        "patience": torch.tensor([[0.0], [1], [2], [3], [0], [1], [2]], dtype=torch.float64),
        "cooldown": torch.tensor([[0.0], [2], [0], [1], [1], [0], [2]], dtype=torch.float64),
    }

    def run(rows):
        schedule = Plateau(**{name: value[rows] for name, value in settings.items()}, **PROGRAM)
        state = schedule.start(len(values_ET[0, rows]), "cpu")
        for value_T in values_ET:
            schedule.observe(state, value_T[rows])
        return state

    together = run(slice(None))
    assert len(together["scale"].unique()) > 3
    for k in range(7):
        alone = run(slice(k, k + 1))
        assert all(torch.equal(together[name][k : k + 1], alone[name]) for name in together)
