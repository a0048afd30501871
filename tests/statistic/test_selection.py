"""The optimism of a winner, against closed forms of normal settings and by its own laws."""

import math

import numpy as np
import pytest
from scipy import stats

from dlexp.statistic import jitter
from dlexp.statistic.selection import Model, select, spread_over_noise

SHRINK = 1.5**0.75


def draws(num_candidates: int, num_draws: int = 200, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((num_draws, num_candidates))


def alone(values, noise_BC) -> list[list[Model]]:
    """Settings of one model with one epoch each."""
    return [[Model(np.array([v]), noise_BC[:, [i]])] for i, v in enumerate(values)]


def mean_optimism(truth_S, *, repetitions: int = 600, seed: int = 1) -> tuple[float, float]:
    """Return the mean estimate for settings of unit normal noise, and its standard error."""
    chance = np.random.default_rng(seed)
    biases = [
        select(alone(truth_S + chance.standard_normal(len(truth_S)), draws(len(truth_S), 100, i))).optimism
        for i in range(repetitions)
    ]
    return float(np.mean(biases)), float(np.std(biases) / math.sqrt(repetitions))


@pytest.mark.parametrize("apart", [0.0, 1.0, 2.0])
def test_of_two_settings_it_is_that_at_one_and_a_half_times_the_variance(apart):
    # the difference of two unit normals has variance 2, and E[noise of the larger] = s phi(apart / s), s = sqrt(2 v)
    mean, error = mean_optimism(np.array([apart, 0.0]))
    deviation = math.sqrt(2 * 1.5)
    expected = deviation * stats.norm.pdf(apart / deviation) / SHRINK
    assert abs(mean - expected) < 4 * error


@pytest.mark.parametrize(("num", "spread"), [(5, 0.0), (20, 0.0), (20, 1.0), (20, 3.0)])
def test_of_normal_settings_the_bias_is_within_an_eighth(num, spread):
    # E[max of S] sigma^2 / sqrt(tau^2 + sigma^2) for truths of deviation tau
    grid = np.linspace(-9, 9, 20_001)
    largest = np.trapezoid(grid * num * stats.norm.pdf(grid) * stats.norm.cdf(grid) ** (num - 1), grid)
    expected = largest / math.sqrt(1 + spread**2)
    chance = np.random.default_rng(2)
    optimisms = [
        select(alone(chance.normal(0, math.sqrt(1 + spread**2), num), draws(num, 100, i))).optimism for i in range(400)
    ]
    assert abs(np.mean(optimisms) - expected) < expected / 8 + 3 * np.std(optimisms) / math.sqrt(400)


def test_the_best_epoch_of_a_run_that_learns_nothing_is_corrected():
    chance = np.random.default_rng(3)
    raw, corrected = [], []
    for i in range(150):
        right_EN = (chance.random((30, 300)) < 0.5).astype(float)
        noise_BE = jitter.of_means(jitter.weights(100, 300, np.random.default_rng(i)), right_EN)
        selection = select([[Model(right_EN.mean(1), noise_BE)]])
        raw.append(selection.value - 0.5)
        corrected.append(selection.corrected - 0.5)
    assert np.mean(raw) > 0.05
    assert abs(np.mean(corrected)) < 0.2 * np.mean(raw)


def test_what_was_not_picked_has_none():
    selection = select([[Model(np.array([0.9]), draws(1))]])
    assert (selection.optimism, selection.corrected, selection.wins) == (0.0, 0.9, 1.0)


def test_the_interval_is_normal_about_the_corrected_value():
    noise_B1 = draws(1, 1000)
    selection = select([[Model(np.array([0.0]), noise_B1)]])
    reach = stats.norm.ppf(0.975) * 1.15 * math.sqrt((noise_B1**2).mean())
    assert (selection.low, selection.high) == pytest.approx((-reach, reach))


def test_a_tie_of_equal_predictions_is_shared_and_worth_nothing():
    noise_B4 = np.repeat(draws(1), 4, axis=1)
    selection = select(alone([0.5] * 4, noise_B4))
    assert selection.wins == pytest.approx(0.25)
    assert selection.optimism == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("unit", [1e-15, 1e-9, 1e9])
def test_the_unit_of_the_scores_changes_no_win(unit):
    values, noise_BS = [0.3, 0.1, 0.0, 0.2], draws(4)
    plain = select(alone(values, noise_BS))
    scaled = select(alone([value * unit for value in values], noise_BS * unit))
    assert scaled.wins == pytest.approx(plain.wins, rel=1e-9)
    assert scaled.optimism == pytest.approx(plain.optimism * unit, rel=1e-9)
    assert 0.26 < plain.wins < 0.99


def test_noise_that_all_share_cancels():
    noise_BS = draws(5)
    values = [0.3, 0.1, 0.0, -0.2, 0.2]
    shifted = noise_BS + 0.01 * draws(1, seed=9)
    scaled = select(alone(values, shifted - shifted.mean(1, keepdims=True)))
    plain = select(alone(values, noise_BS - noise_BS.mean(1, keepdims=True)))
    assert scaled.optimism == pytest.approx(plain.optimism)


def test_a_clear_winner_has_none():
    selection = select(alone([1000.0, 1.0, 0.0], draws(3)))
    assert (selection.optimism, selection.wins) == (0.0, 1.0)


def test_never_negative_and_shifts_with_the_values():
    noise_BS = draws(6)
    selection, moved = (select(alone(np.linspace(0, 2, 6) + shift, noise_BS)) for shift in (0.0, 5.0))
    assert selection.optimism > 0
    assert moved.optimism == pytest.approx(selection.optimism)
    assert moved.corrected == pytest.approx(selection.corrected + 5)


def test_each_model_takes_its_own_best_epoch_and_a_setting_the_mean_over_its_models():
    noise_B5 = draws(5)
    settings = [
        [Model(np.array([0.1, 0.7]), noise_B5[:, :2]), Model(np.array([0.5]), noise_B5[:, [2]])],
        [Model(np.array([0.3, 0.2]), noise_B5[:, 3:])],
    ]
    assert select(settings).value == pytest.approx((0.7 + 0.5) / 2)


def test_more_epochs_more_optimism():
    noise_BE = draws(30, 500)
    few, many = (select([[Model(np.zeros(num), noise_BE[:, :num])]]) for num in (3, 30))
    assert many.optimism > few.optimism > 0


def test_a_lucky_one_is_given_the_noise_of_its_equals():
    # equal scores are near one another: the variances 0.25 and 1.75 are both taken for 1
    noise_B2 = draws(2, 4000) * np.sqrt([0.25, 1.75])
    plain = draws(2, 4000)
    uneven, even = select(alone([0.1, 0.0], noise_B2)), select(alone([0.1, 0.0], plain))
    assert uneven.optimism == pytest.approx(even.optimism, rel=0.05)
    assert uneven.high - uneven.low == pytest.approx(even.high - even.low, rel=0.05)


def test_of_a_share_the_interval_is_wilson_s():
    noise_B1 = draws(1) * 0.02
    selection = select([[Model(np.array([0.9]), noise_B1)]], 100)
    z = stats.norm.ppf(0.975) * 1.15
    # the shares p whose own normal interval ends at 0.9: (0.9 - p)^2 = z^2 p (1 - p) / 100
    for end in (selection.low, selection.high):
        assert (0.9 - end) ** 2 == pytest.approx(z**2 * end * (1 - end) / 100, rel=1e-5)
    assert select([[Model(np.array([1.0]), np.zeros((50, 1)))]], 100).low < 0.97


def test_settings_without_an_error_are_given_the_noise_of_their_equals():
    right_EN = np.ones((4, 100))
    right_EN[2, :2] = right_EN[3, 5:7] = 0
    noise_BS = jitter.of_means(jitter.weights(400, 100, np.random.default_rng(0)), right_EN)
    selection = select(alone(right_EN.mean(1), noise_BS), 100)
    assert 0.001 < selection.optimism < 0.02
    assert selection.wins < 0.5


@pytest.mark.parametrize(
    ("deviation", "low", "high"), [(0.0, 0.7, 1.3), (1.0, 1.1, 1.8), (3.0, 2.4, 4.0)], ids=["equal", "spread", "wide"]
)
@pytest.mark.parametrize("num_settings", [50, 200])
def test_how_far_settings_lie_apart_in_units_of_their_noise(num_settings, deviation, low, high):
    draw = np.random.default_rng(0)
    values = deviation * draw.normal(size=num_settings) + draw.normal(size=num_settings)
    settings = [[Model(np.array([value]), draw.normal(size=(400, 1)))] for value in values]
    assert low < spread_over_noise(settings) < high  # sqrt(1 + deviation^2)


def test_settings_without_noise_are_not_said_to_be_far_apart():
    assert spread_over_noise([[Model(np.array([value]), np.zeros((9, 1)))] for value in (0.1, 0.9)]) == 0
