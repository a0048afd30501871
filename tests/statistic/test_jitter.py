"""Draws of noise have the covariance of the scores' means."""

import numpy as np
import pytest

from dlexp.statistic import jitter, score

NUM = 60
CHANCE = np.random.default_rng(0)
WEIGHTS = jitter.weights(20_000, NUM, CHANCE)


def test_covariance_is_that_of_the_means():
    values_EN = CHANCE.normal(size=(3, NUM)) + CHANCE.normal(size=NUM)
    noise_BE = jitter.of_means(WEIGHTS, values_EN)
    expected = np.cov(values_EN) / NUM
    assert np.cov(noise_BE.T) == pytest.approx(expected, rel=0.05)
    assert noise_BE.mean(0) == pytest.approx(np.zeros(3), abs=0.01)


def test_weighted_means_move_by_weight_times_deviation():
    values_N, sizes_N = CHANCE.normal(size=NUM), CHANCE.random(NUM) + 0.5
    noise_B = jitter.of_means(WEIGHTS, values_N[None], sizes_N)[:, 0]
    centred = values_N - np.average(values_N, weights=sizes_N)
    moves = sizes_N * centred / sizes_N.sum()
    expected = ((moves - moves.mean()) ** 2).sum() * NUM / (NUM - 1)
    assert noise_B.var() == pytest.approx(expected, rel=0.05)


def test_a_mean_as_a_function_of_weights_gives_the_same_noise():
    values_N = CHANCE.random(NUM)
    noise_B = jitter.of_function(WEIGHTS, lambda weights_BN: weights_BN @ values_N / weights_BN.sum(1))
    assert noise_B == pytest.approx(jitter.of_means(WEIGHTS, values_N[None])[:, 0], abs=1e-9)


def test_a_root_has_half_the_relative_noise():
    outputs_N, targets_N = CHANCE.normal(size=NUM), np.zeros(NUM)
    noise_B = jitter.of_function(WEIGHTS, score.weighted("rmse", outputs_N, targets_N))
    mse = (outputs_N**2).mean()
    linear_B = jitter.of_means(WEIGHTS, (outputs_N**2)[None])[:, 0] / (2 * np.sqrt(mse))
    assert noise_B.std() == pytest.approx(linear_B.std(), rel=0.02)
    assert np.corrcoef(noise_B, linear_B)[0, 1] > 0.99


def test_multipliers_have_mean_zero_over_examples():
    assert WEIGHTS.sum(1) == pytest.approx(np.zeros(len(WEIGHTS)), abs=1e-9)


def test_without_each_example_a_mean_has_the_same_noise():
    values_N = CHANCE.random(NUM)
    noise_B = jitter.of_groups(WEIGHTS, lambda rows: float(values_N[rows].mean()))
    assert noise_B == pytest.approx(jitter.of_means(WEIGHTS, values_N[None])[:, 0], abs=1e-12)


def test_without_groups_of_examples_differences_keep_their_noise(monkeypatch):
    monkeypatch.setattr(jitter, "MOST_GROUPS", 100)
    first_N, second_N = CHANCE.random((2, 500)) + CHANCE.random(500)
    weights_BN = jitter.weights(4_000, 500, CHANCE)
    noises = [jitter.of_groups(weights_BN, lambda rows, x=x: float(x[rows].mean())) for x in (first_N, second_N)]
    # a variance estimated from 100 groups has a relative error of sqrt(2 / 99) = 0.14
    for noise_B, x_N in ((noises[0], first_N), (noises[0] - noises[1], first_N - second_N)):
        assert noise_B.var() == pytest.approx(x_N.var(ddof=1) / 500, rel=0.4)
