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
    counts = torch.bincount(draw.whole(draw.uniform(MANY, 0.0, 1.0, seeded(), CPU), 8), minlength=8)
    assert len(counts) == 8
    chi2 = float(((counts - MANY / 8) ** 2 / (MANY / 8)).sum())
    assert chi2 < 24.3, "the 0.999 quantile of chi-squared with 7 degrees of freedom"


def test_rows_of_one_draw_are_independent():
    x_RN = draw.uniforms(3, MANY, seeded(), CPU)
    assert x_RN.corrcoef().sub(torch.eye(3)).abs().max() < 4 / math.sqrt(MANY)


def test_normal_numbers_have_their_moments_and_tails():
    x = draw.normal(torch.Size((MANY // 5, 5)), seeded(), CPU)
    assert x.shape == (MANY // 5, 5)
    moments = [float(x.pow(k).mean()) for k in (1, 2, 3, 4)]
    for moment, right, deviation in zip(moments, (0, 1, 0, 3), (1, 2**0.5, 15**0.5, 96**0.5), strict=True):
        assert moment == pytest.approx(right, abs=4 * deviation / math.sqrt(MANY))
    assert 3.5 < float(x.max()) < 6
    odd = draw.normal(torch.Size((7,)), seeded(), CPU)
    assert odd.shape == (7,)


def test_a_permutation_has_every_number_and_no_favourite_place():
    orders = torch.stack([draw.permutation(5, seeded(i), CPU) for i in range(2000)])
    assert torch.equal(orders.sort(1).values, torch.arange(5).expand(2000, 5))
    counts = torch.stack([(orders == k).sum(0) for k in range(5)])
    assert float(((counts - 400) ** 2 / 400).sum()) < 39.3, "the 0.999 quantile of chi-squared with 16 degrees"


@pytest.mark.parametrize("alpha", [0.05, 0.2, 1.0, 5.0, 50.0])
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
        lambda g: draw.uniforms(2, 9, g, CPU),
        lambda g: draw.permutation(60, g, CPU),
        lambda g: draw.normal(torch.Size((4, 4)), g, CPU),
        lambda g: draw.beta(9, 0.4, g, CPU),
    ],
    ids=["uniform", "uniforms", "permutation", "normal", "beta"],
)
def test_the_generator_alone_decides(call):
    torch.manual_seed(1)
    first = call(seeded(3))
    torch.manual_seed(2)
    assert torch.equal(first, call(seeded(3)))
    assert not torch.equal(first, call(seeded(4)))


def stream(seed: int = 3) -> draw.Stream:
    return draw.Stream.of(seed, torch.tensor(seed))


def test_draws_of_a_stream_differ_and_repeat():
    first, second = stream(), stream()
    drawn = [draw.uniforms(1, 1000, first, CPU)[0] for _ in range(4)]
    assert all(torch.equal(each, draw.uniforms(1, 1000, second, CPU)[0]) for each in drawn)
    assert torch.stack(drawn).corrcoef().sub(torch.eye(4)).abs().max() < 4 / math.sqrt(1000)


def test_a_stream_is_a_generator_of_torch_too():
    assert torch.equal(torch.rand(5, generator=stream()), torch.rand(5, generator=seeded(3)))


def test_a_number_an_image_meets_images():
    images = torch.ones(3, 2, 4, 5)
    scaled = images * draw.per_image(torch.tensor([1.0, 2.0, 3.0]))
    assert scaled.shape == images.shape
    assert scaled[:, 0, 0, 0].tolist() == [1.0, 2.0, 3.0]


def test_vectors_are_refused():
    draw.require_images(torch.zeros(2, 1, 4, 4), "cutout")
    with pytest.raises(ConfigError, match="cutout needs images; the data have vectors of 7 features"):
        draw.require_images(torch.zeros(2, 7), "cutout")
