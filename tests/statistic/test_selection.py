"""The optimism of a winner: where the truth is known."""

import pytest
import torch

from dlexp.statistic.selection import optimism


def simulate(rates: torch.Tensor, num: int, seed: int) -> torch.Tensor:
    """Return right or wrong (S, N) of classifiers of known accuracy, independent of each other."""
    return (torch.rand(len(rates), num, generator=torch.Generator().manual_seed(seed)) < rates[:, None]).float()


@pytest.mark.parametrize(("num_settings", "num"), [(50, 200), (10, 400)])
def test_corrected_for_equally_good_settings(num_settings, num):
    truth, picked, corrected = 0.8, [], []
    for seed in range(30):
        found = optimism(
            simulate(torch.full((num_settings,), truth), num, seed),
            generator=torch.Generator().manual_seed(seed),
            draws=200,
        )
        picked.append(found.value)
        corrected.append(found.corrected)
    raw_bias = sum(picked) / 30 - truth
    left_bias = sum(corrected) / 30 - truth
    assert raw_bias > 0.02
    assert abs(left_bias) < 0.4 * raw_bias


def test_one_setting_was_not_picked():
    found = optimism(simulate(torch.tensor([0.9]), 500, 0), generator=torch.Generator().manual_seed(0), draws=2000)
    assert found.optimism < 0.002
    assert found.wins == 1.0


def test_a_tie_is_shared():
    scores = simulate(torch.tensor([0.9]), 100, 0).repeat(4, 1)
    found = optimism(scores, generator=torch.Generator().manual_seed(0))
    assert found.wins == pytest.approx(0.25)


def test_a_clear_winner_has_hardly_any():
    scores = simulate(torch.tensor([0.95, 0.5, 0.4, 0.3]), 1000, 1)
    found = optimism(scores, generator=torch.Generator().manual_seed(0))
    assert found.wins == 1.0
    assert found.optimism < 0.002


def test_the_same_draws_give_the_same_answer():
    scores = simulate(torch.full((5,), 0.7), 50, 2)
    once, again = (optimism(scores, generator=torch.Generator().manual_seed(3)) for _ in range(2))
    assert once == again


def test_refused():
    with pytest.raises(ValueError, match="at least two"):
        optimism(torch.ones(3, 1), generator=torch.Generator())
