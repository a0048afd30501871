"""The draws of augmentations: their laws, and that the generator alone decides them."""

import math

import pytest
import torch

from dlexp.augment import draw
from dlexp.error import ConfigError

CPU = torch.device("cpu")
MANY = 40_000


def seeded(number: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(number)


def test_uniform_has_its_mean_variance_and_range():
    x_N = draw.uniform(MANY, -2.0, 4.0, seeded(), CPU)
    assert x_N.shape == (MANY,)
    assert -2.0 <= float(x_N.min()) < -1.99
    assert 3.99 < float(x_N.max()) <= 4.0
    deviation = 6.0 / math.sqrt(12)
    assert float(x_N.mean()) == pytest.approx(1.0, abs=4 * deviation / math.sqrt(MANY))
    assert float(x_N.std()) == pytest.approx(deviation, rel=0.02)


def test_integers_are_equally_likely():
    counts = torch.bincount(draw.integers(MANY, 8, seeded()), minlength=8)
    assert len(counts) == 8
    chi2 = float(((counts - MANY / 8) ** 2 / (MANY / 8)).sum())
    assert chi2 < 24.3, "the 0.999 quantile of chi-squared with 7 degrees of freedom"


@pytest.mark.parametrize(("p", "share"), [(0.0, 0.0), (0.3, 0.3), (1.0, 1.0)])
def test_chance_is_true_with_its_probability(p, share):
    drawn = draw.chance(MANY, p, seeded())
    assert drawn.dtype == torch.bool
    assert float(drawn.float().mean()) == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / MANY))


@pytest.mark.parametrize("alpha", [0.2, 1.0, 5.0])
def test_beta_has_its_mean_and_variance(alpha):
    x_N = draw.beta(MANY, alpha, seeded(), CPU)
    variance = 1 / (4 * (2 * alpha + 1))  # of Beta(a, a)
    assert x_N.dtype == torch.float32
    assert float(x_N.mean()) == pytest.approx(0.5, abs=4 * math.sqrt(variance / MANY))
    assert float(x_N.var()) == pytest.approx(variance, rel=0.04)


@pytest.mark.parametrize(
    "call",
    [
        lambda g: draw.uniform(9, 0.0, 1.0, g, CPU),
        lambda g: draw.integers(9, 1000, g),
        lambda g: draw.chance(60, 0.5, g),
        lambda g: draw.beta(9, 0.4, g, CPU),
        lambda g: torch.tensor(draw.seed(g)),
    ],
    ids=["uniform", "integers", "chance", "beta", "seed"],
)
def test_the_generator_alone_decides(call):
    torch.manual_seed(1)
    first = call(seeded(3))
    torch.manual_seed(2)
    assert torch.equal(first, call(seeded(3)))
    assert not torch.equal(first, call(seeded(4)))


def test_seeds_have_62_bits():
    generator = seeded()
    seeds = [draw.seed(generator) for _ in range(200)]
    assert len(set(seeds)) == 200
    assert all(0 <= seed < 2**62 for seed in seeds)
    assert max(seeds) > 2**61


def test_a_number_an_image_meets_images():
    images = torch.ones(3, 2, 4, 5)
    scaled = images * draw.per_image(torch.tensor([1.0, 2.0, 3.0]))
    assert scaled.shape == images.shape
    assert scaled[:, 0, 0, 0].tolist() == [1.0, 2.0, 3.0]


def test_vectors_are_refused():
    draw.require_images(torch.zeros(2, 1, 4, 4), "cutout")
    with pytest.raises(ConfigError, match="cutout needs images; the data have vectors of 7 features"):
        draw.require_images(torch.zeros(2, 7), "cutout")
