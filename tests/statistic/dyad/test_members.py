"""Variance of means over pairs against the double sum that defines it, and against what simulated inputs do."""

import itertools
import math
from functools import partial

import numpy as np
import pytest

from dlexp.statistic.bootstrap import interval, resample
from dlexp.statistic.dyad.members import Members
from dlexp.statistic.jitter import of_means, weights
from dlexp.statistic.proportion import NORMAL

IDS = ["a | b", "b | c", "c | a", "d | a", "e | f"]


def simulated(generator, inputs=40, pairs=600):
    """Return names of pairs of inputs, each with an effect of its own, and the values of the pairs; their mean is 0."""
    chosen = generator.permutation(list(itertools.combinations(range(inputs), 2)))[:pairs]
    effects = generator.normal(size=inputs)
    values = effects[chosen].sum(1) + generator.normal(size=len(chosen))
    return [f"{a} | {b}" for a, b in chosen], values


def weighted_mean(values, weights_BM):
    return weights_BM @ values / weights_BM.sum(1)


def test_variance_is_the_sum_over_pairs_that_share_an_input():
    members, values = Members.of(IDS), np.array([1.0, 0.0, 1.0, 1.0, 0.0])
    gap, sets = values - values.mean(), [set(each.split(" | ")) for each in IDS]
    expected = sum(gap[i] * gap[j] for i in range(5) for j in range(5) if sets[i] & sets[j]) / 25
    assert members.variance(values) == pytest.approx(max(expected, (gap**2).sum() / 25))
    values = np.array([3.0, 2.5, 2.0, 3.5, -4.0])
    gap = values - values.mean()
    expected = sum(gap[i] * gap[j] for i in range(5) for j in range(5) if sets[i] & sets[j]) / 25
    assert expected > (gap**2).sum() / 25
    assert members.variance(values) == pytest.approx(expected)


def test_pairs_that_share_nothing_are_independent_examples():
    generator = np.random.default_rng(0)
    values = generator.normal(size=30)
    members = Members.of([f"{2 * m} | {2 * m + 1}" for m in range(30)])
    assert members.num == 30
    assert members.variance(values) == pytest.approx(values.var() / 30)
    is_right = values > 0.5
    assert members.effective(is_right.mean(), is_right) == pytest.approx(30)
    drawn = weights(5, 30, np.random.default_rng(1))
    assert np.allclose(members.added(drawn)[:, np.argsort(members.first_M)], drawn)


def test_draws_give_each_pair_what_its_inputs_have():
    members = Members.of(IDS)
    assert members.num == 5, "e and f count as one"
    values = np.arange(5.0)[None]
    a, b, c, d = 0, 1, 2, 3
    assert members.added(values).tolist() == [[a + b, b + c, c + a, d + a, 4]]
    assert members.multiplied(values).tolist() == [[a * b, b * c, c * a, d * a, 4]]


def test_all_right_is_worth_no_more_than_pairs_without_a_common_input():
    assert Members.of(IDS).effective(1.0, np.ones(5, bool)) == 2.5


def test_intervals_hold_the_mean_as_often_as_they_say_where_those_of_pairs_do_not():
    generator = np.random.default_rng(2)
    held = {"pairs": 0, "inputs": 0, "resampled": 0, "jittered": 0}
    rounds = 200
    for _ in range(rounds):
        ids, values = simulated(generator)
        members, mean = Members.of(ids), values.mean()
        drawn = members.added(weights(200, members.num, generator))
        reach = {
            "pairs": NORMAL * values.std(ddof=1) / math.sqrt(len(values)),
            "inputs": NORMAL * math.sqrt(members.variance(values)),
            "jittered": NORMAL * of_means(drawn, values[None])[:, 0].std(),
        }
        for name, each in reach.items():
            held[name] += abs(mean) < each
        score = partial(weighted_mean, values)
        again = resample([score], len(ids), generator=generator, draws=200, members=members)
        span = interval(mean, again[:, 0], members.num)
        held["resampled"] += span.low < 0 < span.high
    shares = {name: count / rounds for name, count in held.items()}
    assert shares["pairs"] < 0.5
    assert all(0.88 < shares[name] <= 1 for name in ("inputs", "jittered", "resampled")), shares


def test_equal_models_are_told_apart_as_often_as_they_should():
    generator = np.random.default_rng(3)
    p_values = []
    for _ in range(300):
        ids, values = simulated(generator)
        p_values.append(Members.of(ids).p_of_difference(values))
    assert np.mean(np.array(p_values) < 0.05) < 0.12
