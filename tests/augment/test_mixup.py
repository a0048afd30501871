import pytest
import torch

from dlexp.augment.mixup import Mixup


def test_inputs_and_targets_mix_by_the_same_weight():
    num = 64
    classes = torch.arange(num)
    images = torch.eye(num).view(num, 1, 8, 8)
    out, targets = Mixup(1.0, num_classes=num)(images, classes, torch.Generator().manual_seed(0))
    torch.testing.assert_close(out.view(num, num), targets)
    assert (targets > 0).sum(1).max() == 2


def test_weights_follow_the_beta_distribution():
    num = 4000
    _, targets = Mixup(0.4, num_classes=num)(torch.zeros(num, 1), torch.arange(num), torch.Generator().manual_seed(0))
    weight = targets.diagonal()
    assert weight.mean().item() == pytest.approx(0.5, abs=0.02)
    # Variance of Beta(a, a) is 1 / (4 (2 a + 1)).
    assert weight.var().item() == pytest.approx(1 / (4 * 1.8), rel=0.05)


def test_mixing_again_keeps_probabilities():
    mixup = Mixup(1.0, num_classes=4)
    draw = torch.Generator().manual_seed(0)
    images, targets = mixup(torch.rand(16, 1, 2, 2, generator=draw), torch.arange(16) % 4, draw)
    _, twice = mixup(images, targets, draw)
    torch.testing.assert_close(twice.sum(1), torch.ones(16))
