"""Targets of mixed images: weight * own + (1 - weight) * partner's."""

import torch

from dlexp.augment.label import mix_targets

PARTNER = torch.tensor([1, 2, 0])
WEIGHT = torch.tensor([1.0, 0.75, 0.5])


def test_classes_become_shares_of_both():
    mixed = mix_targets(torch.tensor([0, 1, 2]), PARTNER, WEIGHT, num_classes=4)
    expected = torch.tensor([[1.0, 0, 0, 0], [0, 0.75, 0.25, 0], [0.5, 0, 0.5, 0]])
    assert mixed.dtype == torch.float32
    assert torch.equal(mixed, expected)


def test_partners_of_one_class_keep_it_whole():
    mixed = mix_targets(torch.tensor([1, 1]), torch.tensor([1, 0]), torch.tensor([0.3, 0.6]), num_classes=2)
    torch.testing.assert_close(mixed, torch.tensor([[0.0, 1.0], [0.0, 1.0]]))


def test_shares_of_an_earlier_mix_are_mixed_again():
    shares = torch.tensor([[0.5, 0.5], [1.0, 0.0], [0.0, 1.0]])
    expected = torch.tensor([[0.5, 0.5], [0.75, 0.25], [0.25, 0.75]])
    mixed = mix_targets(shares, PARTNER, WEIGHT, num_classes=2)
    torch.testing.assert_close(mixed, expected)
    torch.testing.assert_close(mixed.sum(dim=1), torch.ones(3))


def test_values_are_interpolated():
    mixed = mix_targets(torch.tensor([10.0, 20.0, 40.0]), PARTNER, WEIGHT, num_classes=0)
    assert mixed.tolist() == [10.0, 25.0, 25.0]
