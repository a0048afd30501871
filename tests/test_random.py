"""Streams are pure functions of their name, apart from each other and from torch's global generator."""

import math
from statistics import NormalDist

import pytest
import torch

from dlexp.random import derive, derive_each, generator, hashed_uniform

THRESHOLDS = (0.1, 0.5, 0.9)
NUM = 1 << 13


def test_derive_is_the_first_bytes_of_sha256():
    # printf 7:order:3 | sha256sum gives the digest whose first 8 bytes are here
    assert derive(7, "order", 3) == 0xC4DEC2BC084F46DF >> 1
    assert 0 <= derive(2**70, "x") < 2**63


def test_streams_differ_by_each_part_of_their_name():
    names = [(0, "order"), (1, "order"), (0, "init"), (0, "order", 0), (0, "order", 1), (0, "order", 1, 0)]
    assert len({derive(*name) for name in names}) == len(names)


def test_generators_repeat_and_leave_the_global_one_alone():
    before = torch.get_rng_state()
    first, second = (torch.rand(5, generator=generator(3, "x", 1)) for _ in range(2))
    assert torch.equal(first, second)
    hashed_uniform((100,), torch.tensor(3))
    assert torch.equal(torch.get_rng_state(), before)


def test_hashed_uniform_is_uniform():
    draws = hashed_uniform((400, 500), torch.tensor(derive(0, "dropout")))
    assert draws.dtype == torch.float32
    assert draws.shape == (400, 500)
    assert draws.min() >= 0
    assert draws.max() < 1
    count = torch.histc(draws, 100, 0, 1)
    chi2 = ((count - 2000) ** 2 / 2000).sum().item()  # 99 degrees of freedom: mean 99, deviation sqrt(198)
    assert abs(chi2 - 99) < 5 * math.sqrt(198)
    flat = draws.flatten().double() - 0.5
    for lag in (1, 2, 500):
        correlation = 12 * (flat[:-lag] * flat[lag:]).mean().item()
        assert abs(correlation) < 5 / math.sqrt(200_000 - lag)


@pytest.mark.parametrize("shift", [0, 1, 31, 32, 33, 62])
def test_every_bit_of_the_seed_counts(shift):
    seed = derive(5, "dropout")
    draws, flipped_draws = (hashed_uniform((20_000,), torch.tensor(s)).double() for s in (seed, seed ^ (1 << shift)))
    correlation = 12 * ((draws - 0.5) * (flipped_draws - 0.5)).mean().item()
    assert abs(correlation) < 5 / math.sqrt(20_000)


def test_hashed_uniform_under_vmap_equals_the_row_alone():
    seeds = torch.tensor([derive(s, "dropout") for s in range(3)])
    stacked = torch.func.vmap(lambda seed: hashed_uniform((7, 5), seed))(seeds)
    for row, seed in zip(stacked, seeds, strict=True):
        assert torch.equal(row, hashed_uniform((7, 5), seed))


def test_hashed_uniform_of_many_seeds_has_a_row_of_each():
    seeds = torch.tensor([derive(i, "dropout") for i in range(5)])
    for row, seed in zip(hashed_uniform((7, 5), seeds), seeds, strict=True):
        assert torch.equal(row, hashed_uniform((7, 5), seed))


def worst_agreement(draws_SN: torch.Tensor, num_shifts: int = 8) -> tuple[float, float]:
    """Return the largest |z| of the agreement between two streams over all pairs and shifts, and the bound on it.

    For independent streams the events u < t agree at a position with probability t^2 + (1 - t)^2: their number over n
    positions is binomial. The bound is the |z| that all comparisons together pass with probability 1e-3, by Bonferroni.
    """
    num_streams, num = draws_SN.shape
    largest, count = 0.0, 0
    for t in THRESHOLDS:
        below_SN = (draws_SN < t).double()
        share = t * t + (1 - t) ** 2
        for shift in range(-num_shifts, num_shifts + 1):
            a, b = below_SN[:, max(0, shift) : num + min(0, shift)], below_SN[:, max(0, -shift) : num - max(0, shift)]
            n = a.shape[1]
            agreed_SS = a @ b.T + (1 - a) @ (1 - b).T
            z_SS = (agreed_SS - n * share) / math.sqrt(n * share * (1 - share))
            chosen = (
                ~torch.eye(num_streams, dtype=torch.bool) if shift == 0 else torch.ones_like(z_SS, dtype=torch.bool)
            )
            largest, count = max(largest, z_SS[chosen].abs().max().item()), count + int(chosen.sum())
    return largest, NormalDist().inv_cdf(1 - 1e-3 / count / 2)


def test_the_check_of_independence_sees_a_shifted_copy():
    stream = torch.rand(NUM + 3, generator=torch.Generator().manual_seed(0))
    largest, bound = worst_agreement(torch.stack([stream[3:], stream[:-3]]))
    assert largest > 5 * bound


@pytest.mark.parametrize("stride", [1, -1, 2, 3, 256, 2**31, 2**32, 2**32 + 1])
def test_streams_of_seeds_a_stride_apart_are_independent_at_all_small_shifts(stride):
    seeds = torch.arange(24) * stride
    largest, bound = worst_agreement(hashed_uniform((NUM,), seeds))
    assert largest < bound


def test_streams_whose_seeds_differ_in_one_bit_are_independent_at_all_small_shifts():
    seeds = torch.tensor([0, *(1 << bit for bit in range(63))])
    largest, bound = worst_agreement(hashed_uniform((NUM,), seeds))
    assert largest < bound


PURPOSES = ("init", "order", "augment", "dropout", "fold", "split", "limit", "sheet", "optimism")


def test_generators_of_all_purposes_seeds_and_counters_are_independent_at_all_small_shifts():
    names = [(seed, purpose, *counter) for seed in range(2) for purpose in PURPOSES for counter in ((), (0,), (1,))]
    largest, bound = worst_agreement(torch.stack([torch.rand(NUM, generator=generator(*name)) for name in names]))
    assert largest < bound


def test_permutations_of_epochs_and_seeds_meet_no_more_often_than_chance_at_all_small_shifts():
    orders = torch.stack([torch.randperm(512, generator=generator(s, "order", e)) for s in range(6) for e in range(6)])
    for shift in range(-8, 9):
        agreed = (orders[:, None] == orders.roll(shift, 1)[None]).sum(2)
        pairs = agreed[~torch.eye(len(orders), dtype=torch.bool)]
        # two random permutations agree in a number of places that is near Poisson(1)
        assert abs(pairs.sum().item() - len(pairs)) < 5 * math.sqrt(len(pairs))
        assert pairs.max() < 12


def test_derive_each_is_the_words_of_shake_128_and_the_first_do_not_depend_on_the_rest():
    # printf 7:dropout:3 | openssl dgst -shake128 -xoflen 16
    assert derive_each(2, 7, "dropout", 3) == [0xA803F99912D89AD4 >> 1, 0x0364474A6019F618 >> 1]
    words = derive_each(1000, 7, "dropout", 3)
    assert words[:2] == derive_each(2, 7, "dropout", 3)
    assert len({*words, *derive_each(1000, 7, "dropout", 4), *derive_each(1000, 8, "dropout", 3)}) == 3000


def test_hashed_uniform_is_the_formula_in_pythons_integers():
    def mix(x):
        x = ((x ^ (x >> 16)) * 0x7FEB352D) % 2**32
        x = ((x ^ (x >> 15)) * 0x846CA68B) % 2**32
        return x ^ (x >> 16)

    for seed in (0, 1, 2**63 - 1, derive(5, "x")):
        a, b = divmod(seed * 0x9E3779B97F4A7C15 % 2**64, 2**32)
        expected = [(mix(mix((p * (a | 1) + b) % 2**32) ^ a ^ b) >> 8) / 2**24 for p in range(1000)]
        assert hashed_uniform((1000,), torch.tensor(seed)).tolist() == expected
