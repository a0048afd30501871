import pytest
import torch

from dlexp.augment.noise import Noise


def test_deviation_and_independence():
    grey = torch.full((20, 2, 40, 40), 0.5)
    out, _ = Noise(0.05)(grey, torch.zeros(20), torch.Generator().manual_seed(0))
    noise = out - 0.5
    assert noise.mean().item() == pytest.approx(0, abs=1e-3)
    assert noise.std().item() == pytest.approx(0.05, rel=0.02)
    correlation = torch.corrcoef(noise.flatten(1)).fill_diagonal_(0)
    assert correlation.abs().max() < 0.1


def test_no_noise():
    images = torch.rand(3, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    assert Noise(0.0)(images, torch.zeros(3), torch.Generator())[0].equal(images)
