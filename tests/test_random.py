"""Streams are pure functions of their name, apart from each other and from torch's global generator."""

import math

import pytest
import torch

from dlexp.random import derive, generator, hashed_uniform


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
    one, other = (hashed_uniform((20_000,), torch.tensor(s)).double() for s in (seed, seed ^ (1 << shift)))
    correlation = 12 * ((one - 0.5) * (other - 0.5)).mean().item()
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
